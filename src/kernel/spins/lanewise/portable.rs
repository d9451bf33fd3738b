//! Sums of pairs in plain Rust, compiled for each instruction set.

use super::pairs::PairSums;
use super::weights::LaneWeights;
use crate::kernel::lanes::task::Task;
use crate::kernel::lanes::vector::{LANES, Line};
use crate::kernel::spins::tile::{BuiltTile, PackedPosition};

/// Makes the sums of a tile.
pub(super) struct Build<'a> {
    pub weights: &'a LaneWeights<'a>,
    /// `[quad][row]`
    pub pairs: &'a mut [PairSums],
}

impl Task for Build<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { weights, pairs } = self;
        for (quad, pairs) in weights.quads().zip(pairs.chunks_exact_mut(weights.n_rows())) {
            for (row, [sum01, difference01, sum23, difference23]) in pairs.iter_mut().enumerate() {
                let mut w = [[0.0; LANES]; 4];
                for (w, offset) in w.iter_mut().zip(quad) {
                    *w = weights.values().vector(offset + weights.shift(row));
                }
                add_pair(&w[0], &w[1], sum01, difference01);
                add_pair(&w[2], &w[3], sum23, difference23);
            }
        }
    }
}

/// Sum and difference.
#[inline(always)]
fn add_pair(a: &[f32; LANES], b: &[f32; LANES], sum: &mut Line, difference: &mut Line) {
    for (lane, (sum, difference)) in sum.0.iter_mut().zip(&mut difference.0).enumerate() {
        (*sum, *difference) = (a[lane] + b[lane], a[lane] - b[lane]);
    }
}

/// Adds a tile at one position.
pub(super) struct Add<'a> {
    pub tile: &'a BuiltTile<'a, PairSums>,
    pub position: PackedPosition<'a>,
    pub fields: &'a mut [[f32; LANES]],
}

impl Task for Add<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { tile, position, fields } = self;
        for (&word, pairs) in position.words.iter().zip(tile.entries.chunks_exact(tile.n_rows)) {
            let [up, first, second, same] = [0, 16, 32, 48].map(|shift| where_set((word >> shift) as u16));
            for (row, [sum01, difference01, sum23, difference23]) in pairs.iter().enumerate() {
                let field = &mut fields[tile.vector(&position, row)];
                for lane in 0..LANES {
                    // Without branches, so that every instruction set has a vector form of it.
                    let chosen = |mask: u32, a: f32, b: f32| a.to_bits() & mask | b.to_bits() & !mask;
                    let signed = |mask: u32, bits: u32| f32::from_bits(bits ^ !mask & 1 << 31);
                    let pair = f32::from_bits(chosen(first[lane], sum01.0[lane], difference01.0[lane]));
                    let other = chosen(second[lane], sum23.0[lane], difference23.0[lane]);
                    let pairs = pair + signed(same[lane], other);
                    field[lane] += signed(up[lane], pairs.to_bits());
                }
            }
        }
    }
}

/// All ones in the lanes whose bit is set, of a mask in lane order.
#[inline(always)]
fn where_set(mask: u16) -> [u32; LANES] {
    let mut ones = [0; LANES];
    for (lane, ones) in ones.iter_mut().enumerate() {
        *ones = 0u32.wrapping_sub(u32::from(mask) >> lane & 1);
    }
    ones
}
