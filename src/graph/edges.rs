//! Blocks, edge by edge: the definition of what a block means, for tests, exports and small graphs.

use super::{Block, Blocks, Interval, NodeId};

/// Calls `f(row, column, weight)` for every edge of `blocks`, in the order of summation within each row: block by block,
/// group by group (down, then across), row by row, the columns in interval order.
///
/// Cost: O(edges). Fast paths use panels; this is the plain loop that they must agree with.
///
/// # Panics
/// If a panel points outside `values`, which no frame that was read does.
pub fn for_each_edge(blocks: &Blocks, values: &[f32], mut f: impl FnMut(NodeId, NodeId, f32)) {
    for block in &blocks.blocks {
        for_each_edge_of(block, blocks.intervals(block), |row, col, at| f(row, col, values[at as usize]));
    }
}

/// Calls `f(row, column, offset in the value store)` for every edge of one block, in the same order.
pub fn for_each_edge_of(block: &Block, intervals: &[Interval], mut f: impl FnMut(NodeId, NodeId, u64)) {
    for group in block.groups() {
        for (r, row) in block.rows(group) {
            for interval in intervals {
                let stretch = block.stretch(group, r, interval);
                stretch.columns().zip(stretch.offsets()).for_each(|(column, at)| f(row, column, at));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{PanelKind, Repeat};

    fn list(blocks: &Blocks, values: &[f32]) -> Vec<(u32, u32, f32)> {
        let mut edges = Vec::new();
        for_each_edge(blocks, values, |row, col, w| edges.push((row, col, w)));
        edges
    }

    fn block(kind: PanelKind, n_rows: u32) -> Block {
        Block { n_rows, kind, row_stride: 1, col_stride: 0, ..Block::single(10) }
    }

    #[test]
    fn dense_panels_use_both_strides() {
        let mut blocks = Blocks::default();
        let shape = Block { row_step: 3, row_stride: 2, col_stride: 1, ..block(PanelKind::Dense, 2) };
        blocks.push(shape, &[Interval { first_col: 4, len: 2, values: 1 }]);
        let edges = list(&blocks, &[9.0, 1.0, 2.0, 3.0, 4.0]);
        assert_eq!(edges, [(10, 4, 1.0), (10, 5, 2.0), (13, 4, 3.0), (13, 5, 4.0)]);
    }

    #[test]
    fn diagonal_panels_meet_one_column_per_row() {
        let mut blocks = Blocks::default();
        let intervals = [Interval { first_col: 0, len: 2, values: 0 }, Interval { first_col: 6, len: 2, values: 1 }];
        blocks.push(block(PanelKind::Diagonal, 2), &intervals);
        let edges = list(&blocks, &[1.0, 2.0, 3.0]);
        assert_eq!(edges, [(10, 0, 1.0), (10, 6, 2.0), (11, 1, 2.0), (11, 7, 3.0)]);
    }

    #[test]
    fn runs_advance_rows_columns_and_values() {
        let mut blocks = Blocks::default();
        let repeats = [
            Repeat { count: 2, row_step: 20, col_step: 5, value_step: 2 },
            Repeat { count: 2, row_step: 7, col_step: 1, value_step: 1 },
        ];
        let shape = Block { repeats, ..block(PanelKind::Dense, 1) };
        blocks.push(shape, &[Interval { first_col: 0, len: 1, values: 0 }]);
        let edges = list(&blocks, &[1.0, 2.0, 3.0, 4.0]);
        assert_eq!(edges, [(10, 0, 1.0), (17, 1, 2.0), (30, 5, 3.0), (37, 6, 4.0)]);
    }
}
