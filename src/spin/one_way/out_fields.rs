//! What rows have scattered to the rows that their edges come from, until those are visited.

use std::ops::Range;

use super::out_blocks::out_blocks;
use crate::graph::{BlockStream, Blocks, Frame, NodeId};
use crate::kernel::{Fields, LANES, lane_of_bit};
use crate::spin::fields::{Buffers, ReadOperands};

/// `Σ_i w_ij s_i` of every row `j`, over the rows `i` that have been visited since `j` was: 64 bytes a node and plane.
pub(in crate::spin) struct OutFields {
    n_nodes: usize,
    /// `[plane][node]`
    vectors: Vec<[f32; LANES]>,
}

impl OutFields {
    /// Nothing yet.
    pub(in crate::spin) fn new(n_nodes: usize, n_planes: usize) -> Self {
        Self { n_nodes, vectors: vec![[0.0; LANES]; n_nodes * n_planes] }
    }

    /// What waits for some rows in one plane.
    pub(in crate::spin) fn of(&self, plane: usize, rows: &Range<NodeId>) -> &[[f32; LANES]] {
        &self.vectors[plane * self.n_nodes..][rows.start as usize..rows.end as usize]
    }

    /// The rows have been visited: what waited for them is used up.
    pub(in crate::spin) fn clear(&mut self, plane: usize, rows: &Range<NodeId>) {
        let plane = &mut self.vectors[plane * self.n_nodes..][..self.n_nodes];
        plane[rows.start as usize..rows.end as usize].fill([0.0; LANES]);
    }

    /// Exchanges two slots.
    pub(in crate::spin) fn swap(&mut self, a: usize, b: usize) {
        let at = |slot: usize| (slot / LANES * self.n_nodes, lane_of_bit(slot % LANES));
        let ((a, lane_a), (b, lane_b)) = (at(a), at(b));
        for node in 0..self.n_nodes {
            let (x, y) = (self.vectors[a + node][lane_a], self.vectors[b + node][lane_b]);
            (self.vectors[a + node][lane_a], self.vectors[b + node][lane_b]) = (y, x);
        }
    }

    /// Adds what the rows of one frame have scattered, in the given planes.
    pub(in crate::spin) fn add(&mut self, planes: &[usize], scattered: &[Fields]) {
        for fields in scattered {
            let rows = fields.rows();
            for (index, &plane) in planes.iter().enumerate() {
                let plane = &mut self.vectors[plane * self.n_nodes..][rows.start as usize..rows.end as usize];
                for (sum, terms) in plane.iter_mut().zip(fields.vectors().iter().skip(index).step_by(planes.len())) {
                    sum.iter_mut().zip(terms).for_each(|(sum, term)| *sum += term);
                }
            }
        }
    }
}

/// What the rows of a frame, whose spins are those of `own`, add to the fields of the rows that their edges come from: for each
/// layer of those, which are consecutive rows there, fields of their own. Nothing is written to any shared sum here, so that
/// frames may scatter on many threads and yet be added in their order.
pub(in crate::spin) fn scatter(
    graph: &dyn BlockStream,
    (index, frame): (usize, &Frame),
    own: &ReadOperands<'_>,
    buffers: &mut Buffers,
) -> Vec<Fields> {
    let of_layer = |(rows, blocks): (Range<NodeId>, Blocks)| {
        let mut fields = Fields::default();
        fields.reset(rows, 0..own.spins.n_planes());
        own.add_blocks(&blocks, &mut fields, buffers);
        fields
    };
    out_blocks(graph, index, frame).into_iter().map(of_layer).collect()
}
