//! The blocks of one direction of a frame, by the layer of their columns.

use std::ops::Range;

use crate::graph::edges::for_each_edge_of;
use crate::graph::{Block, Blocks, Layer, NodeId, layer_of};

/// The blocks between a frame's rows and one other layer.
#[derive(Clone, Copy)]
pub(super) struct Section<'a> {
    /// Index of the layer of the columns.
    pub layer: usize,
    /// The blocks, with the list that holds their intervals.
    pub blocks: &'a [Block],
    list: &'a Blocks,
}

impl<'a> Section<'a> {
    /// All sections, in stored order.
    pub fn all(layers: &'a [Layer], list: &'a Blocks) -> impl Iterator<Item = Self> {
        let layer = |block: &Block| {
            let column = list.intervals(block)[0].first_col;
            layer_of(layers, column)
        };
        let same = move |a: &Block, b: &Block| layer(a) == layer(b);
        list.blocks.chunk_by(same).map(move |blocks| Self { layer: layer(&blocks[0]), blocks, list })
    }

    /// The intervals of one of its blocks.
    pub fn intervals(&self, block: &Block) -> &'a [crate::graph::Interval] {
        self.list.intervals(block)
    }

    /// Calls `f(row, column)` for every edge, in stored order.
    pub fn for_each_edge(&self, mut f: impl FnMut(NodeId, NodeId)) {
        for block in self.blocks {
            for_each_edge_of(block, self.intervals(block), |row, col, _| f(row, col));
        }
    }

    /// From the first column to one after the last.
    pub fn columns(&self) -> Range<NodeId> {
        let (mut start, mut end) = (NodeId::MAX, 0);
        for block in self.blocks {
            let shift = block.last_group().col_shift;
            for interval in self.intervals(block) {
                start = start.min(interval.first_col);
                end = end.max(interval.first_col + shift + interval.len);
            }
        }
        start..end
    }
}
