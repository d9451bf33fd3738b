//! Fields of some rows: `Σ_j w_ij s_j`, not yet times the row's own spin.

use std::ops::Range;

use super::vector::{LANES, lane_of_bit};
use crate::graph::NodeId;

/// Fields of consecutive rows for some planes: `[row][chosen plane][lane]`, dimension of a weight.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    first_row: NodeId,
    planes: Vec<usize>,
    values: Vec<f32>,
    /// The part of `values` that is in use. It begins at a cache line (in a clone perhaps not).
    used: Range<usize>,
}

impl Fields {
    /// Zero for `rows` and the planes `planes` (of the spins that will be added); keeps the allocation.
    pub fn reset(&mut self, rows: Range<NodeId>, planes: impl IntoIterator<Item = usize>) {
        self.first_row = rows.start;
        self.planes.clear();
        self.planes.extend(planes);
        self.values.clear();
        let len = rows.len() * self.planes.len() * LANES;
        self.values.resize(len + LANES, 0.0);
        let start = self.values.as_ptr().align_offset(64).min(LANES);
        self.used = start..start + len;
    }
    /// Index of the vector of a row in the first of the chosen planes; those in the others follow it.
    #[inline(always)]
    pub(in crate::kernel) fn vector_of(&self, row: NodeId) -> usize {
        (row - self.first_row) as usize * self.planes.len()
    }
    /// First row.
    pub fn first_row(&self) -> NodeId {
        self.first_row
    }
    /// The chosen planes.
    pub fn planes(&self) -> &[usize] {
        &self.planes
    }
    /// Number of chosen planes.
    pub fn n_planes(&self) -> usize {
        self.planes.len()
    }
    /// All vectors, row after row, one per chosen plane.
    pub fn vectors(&self) -> &[[f32; LANES]] {
        self.values[self.used.clone()].as_chunks().0
    }
    pub(in crate::kernel) fn vectors_mut(&mut self) -> &mut [[f32; LANES]] {
        self.values[self.used.clone()].as_chunks_mut().0
    }
    /// The rows.
    pub fn rows(&self) -> Range<NodeId> {
        self.first_row..self.first_row + (self.vectors().len() / self.planes.len().max(1)) as NodeId
    }
    /// Adds one vector to every row of the `index`-th chosen plane.
    pub fn add(&mut self, index: usize, terms: &[[f32; LANES]]) {
        let n_planes = self.planes.len();
        for (field, terms) in self.vectors_mut().iter_mut().skip(index).step_by(n_planes).zip(terms) {
            field.iter_mut().zip(terms).for_each(|(field, term)| *field += term);
        }
    }
    /// The field of one row in the `index`-th chosen plane, for the replica with spin bit `bit`.
    pub fn get(&self, row: NodeId, index: usize, bit: usize) -> f32 {
        let vector = &self.vectors()[(row - self.first_row) as usize * self.planes.len() + index];
        vector[lane_of_bit(bit)]
    }
}
