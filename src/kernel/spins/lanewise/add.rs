//! The loops: panels, tiles, positions.

use std::ops::Range;

use super::pairs::{PairSums, pack};
use super::portable;
use super::weights::LaneWeights;
#[cfg(target_arch = "x86_64")]
use super::x86;
use crate::kernel::lanes::vector::{LANES, Line};
use crate::kernel::spins::positions::{DenseBlock, Position};
use crate::kernel::spins::tile::{BuiltTile, PackedPosition, ROWS, Tile};
use crate::kernel::{Fields, Isa, LaneValues, Scratch};

/// Quads of columns of a tile: 256 bytes for each of its rows.
const QUADS: usize = 8;
/// Quads of columns whose spins are packed at a time, a multiple of [`QUADS`].
const PACKED: usize = 48;

/// Adds a block to the fields of its rows, every replica with the values of its own graph.
pub(in crate::kernel::spins) fn add(
    block: &DenseBlock<'_>,
    values: &LaneValues,
    fields: &mut Fields,
    scratch: &mut Scratch,
) {
    scratch.offsets.reset(block.intervals, block.block.col_stride);
    let mut positions = std::mem::take(&mut scratch.positions);
    block.for_each_panel(fields, &mut positions, |positions, value_shift, fields| {
        SharedPanel { block, values, value_shift, positions }.add(fields, scratch);
    });
    scratch.positions = positions;
}

/// A panel, whose values begin with value `value_shift`, and the positions that share it.
struct SharedPanel<'a> {
    block: &'a DenseBlock<'a>,
    values: &'a LaneValues,
    value_shift: usize,
    positions: &'a [Position],
}

impl SharedPanel<'_> {
    /// Adds the panel at all positions.
    fn add(&self, fields: &mut Fields, scratch: &mut Scratch) {
        let n_cols = scratch.offsets.len();
        for first_col in (0..n_cols).step_by(4 * PACKED) {
            let columns = first_col..n_cols.min(first_col + 4 * PACKED);
            scratch.packed.clear();
            for position in self.positions {
                self.block.masks(position, columns.clone(), &mut scratch.masks);
                scratch.packed.extend(scratch.masks.as_chunks().0.iter().map(|quad| pack(*quad)));
            }
            for row in (0..self.block.block.n_rows as usize).step_by(ROWS) {
                self.add_rows(row, columns.clone(), fields, scratch);
            }
        }
    }

    /// Adds the rows of a tile and some columns, at the positions, whose spins there are packed: tile by tile.
    fn add_rows(&self, row: usize, columns: Range<usize>, fields: &mut Fields, scratch: &mut Scratch) {
        let Scratch { offsets, packed, pairs, .. } = scratch;
        let DenseBlock { isa, block, .. } = *self.block;
        let (n_rows, row_stride) = (ROWS.min(block.n_rows as usize - row), block.row_stride as usize);
        let row_step = self.block.row_step(fields);
        let n_packed = columns.len().div_ceil(4);
        for first_quad in (0..n_packed).step_by(QUADS) {
            let n_quads = QUADS.min(n_packed - first_quad);
            let start = columns.start + 4 * first_quad;
            let columns = start..columns.end.min(start + 4 * n_quads);
            let tile = Tile { all: offsets, columns, n_rows, row_stride };
            let weights = LaneWeights::new(&tile, self.values, self.value_shift + row * row_stride);
            pairs.resize(n_rows * n_quads, [Line([0.0; LANES]); 4]);
            build(isa, &weights, pairs);
            let tile = BuiltTile { entries: pairs, n_rows, n_quads, row_step };
            let words = packed.chunks_exact(n_packed).map(|words| &words[first_quad..][..n_quads]);
            let position = |(p, words): (&Position, _)| PackedPosition { first: p.first + row * row_step, words };
            add_tile(isa, &tile, self.positions.iter().zip(words).map(position), fields.vectors_mut());
        }
    }
}

/// Makes the sums of a tile: `[quad][row]`.
fn build(isa: Isa, weights: &LaneWeights<'_>, pairs: &mut [PairSums]) {
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => x86::build(weights, pairs),
        _ => isa.run(portable::Build { weights, pairs }),
    }
}

/// Adds a tile at all positions.
fn add_tile<'a>(
    isa: Isa,
    tile: &BuiltTile<'_, PairSums>,
    positions: impl Iterator<Item = PackedPosition<'a>>,
    fields: &mut [[f32; LANES]],
) {
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => {
            let mut positions = positions;
            while let Some(position) = positions.next() {
                match positions.next() {
                    Some(next) => x86::add(tile, [position, next], fields),
                    None => x86::add(tile, [position], fields),
                }
            }
        }
        _ => positions.for_each(|position| isa.run(portable::Add { tile, position, fields })),
    }
}
