//! The other direction of a block: the same edges and values, rows and columns exchanged.

use super::{Block, Blocks, Interval, NodeId, PanelKind, Repeat};

/// Appends blocks of `Aᵀ` with the edges of `block`, a block of `A` with these intervals, or the other way round.
///
/// Row groups that share columns turn into groups that share rows. Intervals are cut so that groups of one block do not;
/// where that cannot be, every group becomes a block. Cost: O(intervals), in that case times groups.
pub fn push_transposed(block: &Block, intervals: &[Interval], into: &mut Blocks) {
    let repeated = block.repeats.iter().filter(|repeat| repeat.count > 1);
    let longest = repeated.map(|repeat| repeat.col_step).min().unwrap_or(u32::MAX);
    if longest == 0 || block.row_step != 1 && block.kind == PanelKind::Diagonal {
        return each_group(block, intervals, |block, intervals| push_transposed(block, intervals, into));
    }
    for interval in intervals {
        for start in (0..interval.len).step_by(longest as usize) {
            let len = longest.min(interval.len - start);
            push_piece(block, interval, start..start + len, into);
        }
    }
}

/// Transposes some columns of one interval, to be the rows of a block.
fn push_piece(block: &Block, interval: &Interval, piece: std::ops::Range<u32>, into: &mut Blocks) {
    let start = u64::from(piece.start);
    let len = piece.end - piece.start;
    let transposed = Block {
        first_row: interval.first_col + piece.start,
        n_rows: len,
        row_step: 1,
        repeats: block.repeats.map(|repeat| Repeat { row_step: repeat.col_step, col_step: repeat.row_step, ..repeat }),
        row_stride: block.col_stride,
        col_stride: block.row_stride,
        ..*block
    };
    match (block.kind, block.row_step) {
        (PanelKind::Diagonal, _) => {
            let values = interval.values + start * u64::from(block.row_stride);
            let transposed = Block { row_stride: block.row_stride, col_stride: 0, ..transposed };
            into.push(transposed, &[Interval { first_col: block.first_row + piece.start, len, values }]);
        }
        (PanelKind::Dense, 1) => {
            let values = interval.values + start * u64::from(block.col_stride);
            into.push(transposed, &[Interval { first_col: block.first_row, len: block.n_rows, values }]);
        }
        (PanelKind::Dense, step) => {
            let values = interval.values + start * u64::from(block.col_stride);
            let column = |r: u32| Interval {
                first_col: block.first_row + r * step,
                len: 1,
                values: values + u64::from(r) * u64::from(block.row_stride),
            };
            into.push(transposed, &(0..block.n_rows).map(column).collect::<Vec<_>>());
        }
    }
}

/// Calls `f` with every row group of a block as a block of its own; a diagonal one with scattered rows is cut into rows.
fn each_group(block: &Block, intervals: &[Interval], mut f: impl FnMut(&Block, &[Interval])) {
    for group in block.groups() {
        let alone = Block { first_row: group.first_row, repeats: [Repeat::ONE; 2], ..*block };
        let intervals: Vec<_> = intervals.iter().map(|interval| group.shifted(interval)).collect();
        if block.kind == PanelKind::Dense || block.row_step == 1 {
            f(&alone, &intervals);
            continue;
        }
        for (r, row) in block.rows(group) {
            let single = Block { first_row: row, n_rows: 1, row_step: 1, ..alone };
            let of_row = |interval: &Interval| Interval {
                first_col: interval.first_col + r,
                len: 1,
                values: interval.values + u64::from(r) * u64::from(block.row_stride),
            };
            f(&single, &intervals.iter().map(of_row).collect::<Vec<_>>());
        }
    }
}

/// One more than the last row that a block meets.
pub fn end_row(block: &Block) -> NodeId {
    let last = block.repeats.iter().map(|repeat| (repeat.count - 1) * repeat.row_step).sum::<u32>();
    block.first_row + last + (block.n_rows - 1) * block.row_step + 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::graph::edges::for_each_edge;

    fn edges(blocks: &Blocks, values: &[f32]) -> Vec<(NodeId, NodeId, u32)> {
        let mut edges = Vec::new();
        for_each_edge(blocks, values, |row, column, w| edges.push((row, column, w as u32)));
        edges
    }

    fn block() -> impl Strategy<Value = (Block, Vec<Interval>)> {
        let repeat = || (1u32..4, 0u32..9, 0u64..30);
        let shape = (1u32..5, 1u32..3, prop::bool::ANY);
        let intervals = prop::collection::vec((200u32..260, 1u32..7, 0u64..500), 1..4);
        (repeat(), repeat(), shape, intervals).prop_map(|(outer, inner, (n_rows, row_step, dense), intervals)| {
            let extent = n_rows * row_step;
            let repeat = |(count, col_step, value_step), row_step| Repeat { count, row_step, col_step, value_step };
            let repeats = [repeat(outer, 3 * extent), repeat(inner, extent)];
            let kind = if dense { PanelKind::Dense } else { PanelKind::Diagonal };
            let col_stride = if dense { 2 } else { 0 };
            let block = Block { n_rows, row_step, repeats, kind, row_stride: 13, col_stride, ..Block::single(7) };
            let len = |len| if dense { len } else { n_rows };
            (
                block,
                intervals.iter().map(|&(first_col, n, values)| Interval { first_col, len: len(n), values }).collect(),
            )
        })
    }

    proptest! {
        #[test]
        fn a_transposed_block_has_the_same_edges_the_other_way_round((block, intervals) in block()) {
            let values: Vec<f32> = (0..2000).map(|i| i as f32).collect();
            let (mut there, mut back) = (Blocks::default(), Blocks::default());
            there.push(block, &intervals);
            push_transposed(&block, &intervals, &mut back);
            let mut expected: Vec<_> = edges(&there, &values).into_iter().map(|(r, c, w)| (c, r, w)).collect();
            let mut found = edges(&back, &values);
            let last = back.blocks.iter().map(end_row).max();
            prop_assert_eq!(last, expected.iter().map(|e| e.0 + 1).max());
            expected.sort_unstable();
            found.sort_unstable();
            prop_assert_eq!(found, expected);
        }
    }
}
