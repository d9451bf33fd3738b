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

use std::collections::BTreeMap;
use std::ops::Range;

use super::weigh::add_blocks;
use crate::graph::reading::Reading;
use crate::graph::transpose::{end_row, push_transposed};
use crate::graph::{Block, BlockStream, Blocks, Frame, NodeId, layer_of};
use crate::kernel::{Fields, Isa, LANES, Local, Scratch, Spins, lane_of_bit};

/// What rows have left behind for the rows that their edges come from: 64 bytes a node and lane group.
pub(super) struct Behind {
    n_nodes: usize,
    /// `[lane group][node]`
    vectors: Vec<[f32; LANES]>,
}

impl Behind {
    /// Nothing yet.
    pub(super) fn new(n_nodes: usize, n_groups: usize) -> Self {
        Self { n_nodes, vectors: vec![[0.0; LANES]; n_nodes * n_groups] }
    }

    /// What waits for some rows in one lane group.
    pub(super) fn of(&self, group: usize, rows: &Range<NodeId>) -> &[[f32; LANES]] {
        &self.vectors[group * self.n_nodes..][rows.start as usize..rows.end as usize]
    }

    /// The rows have been visited: what waited for them is used up.
    pub(super) fn clear(&mut self, group: usize, rows: &Range<NodeId>) {
        let plane = &mut self.vectors[group * self.n_nodes..][..self.n_nodes];
        plane[rows.start as usize..rows.end as usize].fill([0.0; LANES]);
    }

    /// Exchanges two slots.
    pub(super) fn swap(&mut self, a: usize, b: usize) {
        let place = |slot: usize| (slot / LANES * self.n_nodes, lane_of_bit(slot % LANES));
        let ((a, lane_a), (b, lane_b)) = (place(a), place(b));
        for node in 0..self.n_nodes {
            let (x, y) = (self.vectors[a + node][lane_a], self.vectors[b + node][lane_b]);
            (self.vectors[a + node][lane_a], self.vectors[b + node][lane_b]) = (y, x);
        }
    }

    /// Adds the shares of one frame, which are of the given lane groups.
    pub(super) fn add(&mut self, groups: &[usize], shares: &[Fields]) {
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

/// The In blocks of a frame as rows of `Aᵀ`, by the layer of those rows; columns count from the frame's first row.
pub(super) fn turned(graph: &dyn BlockStream, index: usize, frame: &Frame) -> Vec<(Range<NodeId>, Blocks)> {
    let first_row = graph.frames()[index].rows.start;
    let mut by_layer: BTreeMap<usize, Blocks> = BTreeMap::new();
    for block in &frame.inward.blocks {
        let intervals = frame.inward.intervals(block);
        let layer = layer_of(graph.layers(), intervals[0].first_col);
        let block = Block { first_row: block.first_row - first_row, ..*block };
        push_transposed(&block, intervals, by_layer.entry(layer).or_default());
    }
    let with_rows = |blocks: Blocks| {
        let start = blocks.blocks.iter().map(|b| b.first_row).min().unwrap_or_default();
        let end = blocks.blocks.iter().map(end_row).max().unwrap_or_default();
        (start..end, blocks)
    };
    by_layer.into_values().map(with_rows).collect()
}

/// What the rows of a frame, whose spins are `own`, give to the rows that their edges come from; one for each layer of
/// those.
pub(super) fn shares(
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
