//! One pass over the edges for both directions (design: a graph in which every edge has a value of its own).
//!
//! A frame of a one-way stream has the edges into its rows. While its values are at hand they are used twice: to gather
//! the rows' In fields, and, once the rows have been decided, to add what the rows now give to the fields of the rows that
//! their edges come from. There it waits until those are visited in the next sweep: the field of row `j` is
//!
//! ```text
//! Σ_i w_ji s_i  (gathered now)  +  Σ_i w_ij s_i  (left behind by every i since the last visit to j)
//! ```
//!
//! which is exact, because `i` changes at its own visit only, and leaves its share anew at every visit.
//!
//! # Order of summation
//! In blocks first, then the sum of the shares, frame by frame in the order of the frames: so the fields depend on where
//! the stream is cut into frames, but not on threads, replicas, or instruction set.

use std::ops::Range;

use super::out_blocks::turned;
use crate::graph::reading::Reading;
use crate::graph::{BlockStream, Blocks, Frame, NodeId};
use crate::kernel::{Fields, Isa, LANES, Local, Scratch, Spins, lane_of_bit};
use crate::spin::fields::add_blocks;

/// What rows have left behind for the rows that their edges come from: 64 bytes a node and lane group.
pub(in crate::spin) struct Behind {
    n_nodes: usize,
    /// `[lane group][node]`
    vectors: Vec<[f32; LANES]>,
}

impl Behind {
    /// Nothing yet.
    pub(in crate::spin) fn new(n_nodes: usize, n_groups: usize) -> Self {
        Self { n_nodes, vectors: vec![[0.0; LANES]; n_nodes * n_groups] }
    }

    /// What waits for some rows in one lane group.
    pub(in crate::spin) fn of(&self, group: usize, rows: &Range<NodeId>) -> &[[f32; LANES]] {
        &self.vectors[group * self.n_nodes..][rows.start as usize..rows.end as usize]
    }

    /// The rows have been visited: what waited for them is used up.
    pub(in crate::spin) fn clear(&mut self, group: usize, rows: &Range<NodeId>) {
        let plane = &mut self.vectors[group * self.n_nodes..][..self.n_nodes];
        plane[rows.start as usize..rows.end as usize].fill([0.0; LANES]);
    }

    /// Exchanges two slots.
    pub(in crate::spin) fn swap(&mut self, a: usize, b: usize) {
        let place = |slot: usize| (slot / LANES * self.n_nodes, lane_of_bit(slot % LANES));
        let ((a, lane_a), (b, lane_b)) = (place(a), place(b));
        for node in 0..self.n_nodes {
            let (x, y) = (self.vectors[a + node][lane_a], self.vectors[b + node][lane_b]);
            (self.vectors[a + node][lane_a], self.vectors[b + node][lane_b]) = (y, x);
        }
    }

    /// Adds the shares of one frame, which are of the given lane groups.
    pub(in crate::spin) fn add(&mut self, groups: &[usize], shares: &[Fields]) {
        for share in shares {
            let rows = share.rows();
            for (index, &group) in groups.iter().enumerate() {
                let plane = &mut self.vectors[group * self.n_nodes..][rows.start as usize..rows.end as usize];
                for (sum, share) in plane.iter_mut().zip(share.vectors().iter().skip(index).step_by(groups.len())) {
                    sum.iter_mut().zip(share).for_each(|(sum, share)| *sum += share);
                }
            }
        }
    }
}

/// What the rows of a frame, whose spins are `own`, give to the rows that their edges come from; one for each layer of
/// those.
pub(in crate::spin) fn shares(
    (graph, isa, reading): (&dyn BlockStream, Isa, Reading),
    (index, frame): (usize, &Frame),
    own: &Spins,
    (scratch, local): (&mut Scratch, &mut Local),
) -> Vec<Fields> {
    let share = |(rows, blocks): (Range<NodeId>, Blocks)| {
        let mut fields = Fields::default();
        fields.reset(rows, 0..own.n_planes());
        add_blocks(isa, (&blocks, graph.values()), reading, own, &mut fields, (scratch, local));
        fields
    };
    turned(graph, index, frame).into_iter().map(share).collect()
}
