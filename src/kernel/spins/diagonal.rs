//! Diagonal blocks: pooling and depthwise convolution. One signed add per edge and plane.

use crate::graph::{Block, Interval, RowGroup, Stretch};
use crate::kernel::{Fields, LANES, Spins, Task, signed};

/// Adds one block to the fields of its rows.
pub(super) struct Diagonal<'a> {
    pub block: &'a Block,
    pub intervals: &'a [Interval],
    pub values: &'a [f32],
    pub spins: &'a Spins,
    pub fields: &'a mut Fields,
}

impl Task for Diagonal<'_> {
    type Output = ();

    #[inline(always)]
    fn run(mut self) {
        for group in self.block.groups() {
            for index in 0..self.fields.n_planes() {
                self.add_group(group, index);
            }
        }
    }
}

impl Diagonal<'_> {
    /// Adds one row group for one plane: row after row, so that a field stays in a register over its intervals.
    #[inline(always)]
    fn add_group(&mut self, group: RowGroup, index: usize) {
        let first = self.fields.vector_of(group.first_row) + index;
        let step = self.block.row_step as usize * self.fields.n_planes();
        let plane = self.spins.plane(self.fields.planes()[index]);
        let fields = self.fields.vectors_mut()[first..].iter_mut().step_by(step);
        for (r, field) in (0..self.block.n_rows).zip(fields) {
            let mut sum = *field;
            for interval in self.intervals {
                let Stretch { first_col, first_value, .. } = self.block.stretch(group, r, interval);
                add(&mut sum, signed(plane[first_col as usize], [self.values[first_value as usize]; LANES]));
            }
            *field = sum;
        }
    }
}

/// Adds the signed weights of one row to its field, one after the other.
#[inline(always)]
pub(super) fn add_all(field: &mut [f32; LANES], masks: impl Iterator<Item = u16>, weights: &[[f32; LANES]]) {
    let mut sum = *field;
    for (mask, weight) in masks.zip(weights) {
        add(&mut sum, signed(mask, *weight));
    }
    *field = sum;
}

#[inline(always)]
fn add(sum: &mut [f32; LANES], terms: [f32; LANES]) {
    for (sum, term) in sum.iter_mut().zip(terms) {
        *sum += term;
    }
}
