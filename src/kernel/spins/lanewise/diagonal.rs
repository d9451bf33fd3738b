//! Diagonal blocks whose weights differ from lane to lane.

use crate::graph::{Block, Interval, RowGroup};
use crate::kernel::spins::diagonal;
use crate::kernel::{Fields, LANES, LaneValues, Spins, Task};

/// As [`diagonal::Diagonal`]: row after row, so that its weights serve all row groups that share them.
pub(in crate::kernel::spins) struct Diagonal<'a> {
    pub block: &'a Block,
    pub intervals: &'a [Interval],
    pub values: &'a LaneValues,
    pub spins: &'a Spins,
    pub fields: &'a mut Fields,
}

impl Task for Diagonal<'_> {
    type Output = ();

    #[inline(always)]
    fn run(mut self) {
        let mut weights = vec![[0.0; LANES]; self.intervals.len()];
        for r in 0..self.block.n_rows {
            let mut shift = None;
            for group in self.block.groups() {
                if shift != Some(group.value_shift) {
                    shift = Some(group.value_shift);
                    for (weight, interval) in weights.iter_mut().zip(self.intervals) {
                        *weight = self.values.vector(self.block.stretch(group, r, interval).first_value as usize);
                    }
                }
                for index in 0..self.fields.n_planes() {
                    self.add_row((group, r), index, &weights);
                }
            }
        }
    }
}

impl Diagonal<'_> {
    #[inline(always)]
    fn add_row(&mut self, (group, r): (RowGroup, u32), index: usize, weights: &[[f32; LANES]]) {
        let at = self.fields.vector_of(group.first_row + r * self.block.row_step) + index;
        let plane = self.spins.plane(self.fields.planes()[index]);
        let columns = self.intervals.iter().map(|interval| self.block.stretch(group, r, interval).first_col as usize);
        diagonal::add_all(&mut self.fields.vectors_mut()[at], columns.map(|column| plane[column]), weights);
    }
}
