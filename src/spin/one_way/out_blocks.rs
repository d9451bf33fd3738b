//! The edges of a frame's In blocks, seen from where they come from.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::graph::transpose::{end_row, push_transposed};
use crate::graph::{Block, BlockStream, Blocks, Frame, NodeId, layer_of};

/// The In blocks of a frame transposed: rows of `Aᵀ` with the frame's rows as their columns, which count from the first of
/// them; by the layer of the rows of `Aᵀ`, each with the range that its rows are in.
pub(in crate::spin) fn out_blocks(
    graph: &dyn BlockStream,
    index: usize,
    frame: &Frame,
) -> Vec<(Range<NodeId>, Blocks)> {
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
