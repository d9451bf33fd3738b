//! Diagonal blocks: pooling and depthwise convolution. One signed add per edge and lane group.

use super::{Fields, LANES, Spins, Task, local, signed};
use crate::graph::{Block, Interval};

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
        for a in 0..self.block.runs[0].count {
            for b in 0..self.block.runs[1].count {
                for index in 0..self.fields.n_groups() {
                    self.add_group((a, b), index);
                }
            }
        }
    }
}

impl Diagonal<'_> {
    /// Adds one row group for one lane group: row after row, so that a field stays in a register over its intervals.
    #[inline(always)]
    fn add_group(&mut self, (a, b): (u32, u32), index: usize) {
        let (row, col_shift, value_shift) = self.block.group(a, b);
        let (n_groups, first_row) = (self.fields.n_groups(), self.fields.first_row());
        let first = local(row, first_row) * n_groups + index;
        let step = self.block.row_step as usize * n_groups;
        let plane = self.spins.plane(self.fields.groups()[index]);
        let fields = self.fields.vectors_mut()[first..].iter_mut().step_by(step).take(self.block.n_rows as usize);
        for (r, field) in fields.enumerate() {
            let mut sum = *field;
            for interval in self.intervals {
                let mask = plane[(interval.first_col + col_shift) as usize + r];
                let weight = self.values[(interval.values + value_shift) as usize + r * self.block.row_stride as usize];
                add(&mut sum, signed(mask, [weight; LANES]));
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
