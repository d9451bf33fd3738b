//! Spins and edges that only some replicas have.
//!
//! A sum over some of the spins is the mean of two sums over all of them, one with `+1`, one with `−1` in the place of the
//! others: two planes, which share the tables of the ordinary kernel.

use super::{Fields, Isa, LANES, Task, bit_of_lane, local, signed};
use crate::graph::{Block, Interval, Stretch};

/// `x` by lane where the lane's bit of `mask` is set, `+0` elsewhere.
#[inline(always)]
fn kept(mask: u16, mut x: [f32; LANES]) -> [f32; LANES] {
    for (lane, x) in x.iter_mut().enumerate() {
        let keep = 0u32.wrapping_sub(u32::from(mask) >> bit_of_lane(lane) & 1);
        *x = f32::from_bits(x.to_bits() & keep);
    }
    x
}

/// Adds the mean of the two planes of `pairs`, which has the same rows, where the row's bit in `masks` is set.
///
/// Where one of the planes has a spin as `+1` and the other as `−1`, the mean does not have it; a spin that both have it has.
///
/// # Panics
/// Unless `fields` has one plane, `pairs` two, and all the same rows.
pub fn add_means(isa: Isa, masks: &[u16], pairs: &Fields, fields: &mut Fields) {
    assert!(pairs.rows() == fields.rows() && pairs.n_planes() == 2 && fields.n_planes() == 1);
    assert_eq!(masks.len(), fields.vectors().len(), "a mask for every row");
    isa.run(AddMeans { masks, pairs, fields });
}

struct AddMeans<'a> {
    masks: &'a [u16],
    pairs: &'a Fields,
    fields: &'a mut Fields,
}

impl Task for AddMeans<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let pairs = self.pairs.vectors().as_chunks::<2>().0;
        for ((field, [a, b]), &mask) in self.fields.vectors_mut().iter_mut().zip(pairs).zip(self.masks) {
            let mut mean = *a;
            mean.iter_mut().zip(b).for_each(|(mean, b)| *mean = 0.5 * (*mean + b));
            field.iter_mut().zip(kept(mask, mean)).for_each(|(field, term)| *field += term);
        }
    }
}

/// The edges of a diagonal block, each of which only some replicas have.
pub struct Tapped<'a> {
    /// The block.
    pub block: &'a Block,
    /// Its intervals.
    pub intervals: &'a [Interval],
    /// The value store.
    pub values: &'a [f32],
    /// By node: spins.
    pub spins: &'a [u16],
    /// Which replicas have an edge: group after group, row after row, interval after interval.
    pub taps: &'a [u16],
}

impl Tapped<'_> {
    /// Adds `Σ w s` over the edges that a replica has to the fields of the block's rows, of one plane: interval after
    /// interval.
    pub fn add(&self, isa: Isa, fields: &mut Fields) {
        assert_eq!(fields.n_planes(), 1, "gates come in one plane");
        isa.run(AddTapped { tapped: self, fields });
    }
}

struct AddTapped<'a, 'b> {
    tapped: &'b Tapped<'a>,
    fields: &'b mut Fields,
}

impl Task for AddTapped<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Tapped { block, intervals, values, spins, taps } = *self.tapped;
        let mut taps = taps.chunks_exact(intervals.len());
        for group in block.groups() {
            let first = local(group.first_row, self.fields.first_row());
            let rows = self.fields.vectors_mut()[first..].iter_mut().step_by(block.row_step as usize);
            for (r, (field, taps)) in (0..block.n_rows).zip(rows.zip(&mut taps)) {
                for (interval, &tap) in intervals.iter().zip(taps) {
                    let Stretch { first_col, first_value, .. } = block.stretch(group, r, interval);
                    let terms = kept(tap, signed(spins[first_col as usize], [values[first_value as usize]; LANES]));
                    field.iter_mut().zip(terms).for_each(|(field, term)| *field += term);
                }
            }
        }
    }
}
