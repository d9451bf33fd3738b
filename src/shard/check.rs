//! The promise of a block stream, checked for one frame: every row, column and value of every block is in range.

use std::ops::Range;

use super::error::{BlockRule, Fault};
use crate::graph::{Block, Blocks, Direction, Frame, FrameInfo, Interval, Layer, PanelKind, layer_of};

/// What frames are checked against.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds<'a> {
    pub layers: &'a [Layer],
    pub n_values: u64,
}

/// Checks that the rows of a frame are some, and inside their layer.
pub(super) fn rows(rows: &Range<u32>, layer: u32, layers: &[Layer]) -> Result<(), Fault> {
    let nodes = layers.get(layer as usize).map(|layer| layer.nodes.clone()).unwrap_or_default();
    match !rows.is_empty() && nodes.start <= rows.start && rows.end <= nodes.end {
        true => Ok(()),
        false => Err(Fault::Differs {
            what: "rows of a frame",
            found: format!("{}..{}", rows.start, rows.end),
            expected: format!("rows of layer {layer}, {}..{}", nodes.start, nodes.end),
        }),
    }
}

/// Checks that the frames have the edges that the layers and the total state: `n_edges`, and `n_edges_out` of them in Out
/// blocks. Layers of all frames must exist.
pub(super) fn counts(n_edges_out: u64, layers: &[Layer], frames: &[FrameInfo]) -> Result<(), Fault> {
    let mut inward = vec![0u64; layers.len()];
    let mut outward = 0u64;
    for frame in frames {
        let layer = &mut inward[frame.layer as usize];
        *layer = layer.checked_add(frame.n_edges_in).ok_or(Fault::TooLarge)?;
        outward = outward.checked_add(frame.n_edges_out).ok_or(Fault::TooLarge)?;
    }
    for (found, layer) in inward.iter().zip(layers) {
        Fault::unless_equal("edges into a layer, by its frames", *found, layer.n_edges)?;
    }
    Fault::unless_equal("edges out of all frames", outward, n_edges_out)
}

/// Checks a frame and its number of edges. Cost: O(intervals).
pub(super) fn frame(frame: &Frame, info: &FrameInfo, bounds: Bounds<'_>) -> Result<(), Fault> {
    for (direction, expected) in [(Direction::In, info.n_edges_in), (Direction::Out, info.n_edges_out)] {
        let found = blocks(frame.direction(direction), info, direction, bounds)?;
        Fault::unless_equal("edges of the frame", found, expected.into())?;
    }
    Ok(())
}

/// Checks the blocks of one direction and counts their edges.
pub(super) fn blocks(
    blocks: &Blocks,
    info: &FrameInfo,
    direction: Direction,
    bounds: Bounds<'_>,
) -> Result<u128, Fault> {
    let mut n_edges = 0u128;
    let direction = direction.of("in", "out");
    for (index, block) in blocks.blocks.iter().enumerate() {
        let broken = |rule| Fault::Block { direction, block: index, rule };
        n_edges =
            n_edges.checked_add(self::block(blocks, block, info, bounds).map_err(broken)?).ok_or(Fault::TooLarge)?;
    }
    Ok(n_edges)
}

/// Checks one block and counts its edges. No product or sum of the fields involved exceeds 2¹²⁸.
fn block(blocks: &Blocks, block: &Block, info: &FrameInfo, bounds: Bounds<'_>) -> Result<u128, BlockRule> {
    let intervals = (blocks.intervals.get(block.intervals_start as usize..))
        .and_then(|tail| tail.get(..block.n_intervals as usize))
        .ok_or(BlockRule::Intervals)?;
    let counts = [block.n_rows, block.row_step, block.repeats[0].count, block.repeats[1].count, block.n_intervals];
    if counts.contains(&0) || intervals.iter().any(|i| i.len == 0) {
        return Err(BlockRule::Empty);
    }
    let group_rows = u128::from(block.n_rows - 1) * u128::from(block.row_step);
    let last_row = u128::from(block.first_row) + group_rows + furthest(block, |repeat| repeat.row_step.into());
    if block.first_row < info.rows.start || last_row >= u128::from(info.rows.end) {
        return Err(BlockRule::Rows);
    }
    if !has_disjoint_groups(block) {
        return Err(BlockRule::Groups);
    }
    columns(block, intervals, info, bounds)?;
    values(block, intervals, bounds)?;
    let rows = u128::from(block.n_groups()) * u128::from(block.n_rows);
    Ok(rows.saturating_mul(block.n_columns(intervals).into()))
}

/// Are the rows of a group and both runs nested, in whatever order: does each step lead beyond all rows of what has smaller
/// steps? Then a row is in one group at most, on which kernels that hold several groups in registers rely. Every row is
/// known to lie in the frame, so that no sum overflows.
fn has_disjoint_groups(block: &Block) -> bool {
    let [outer, inner] = block.repeats.map(|repeat| (repeat.row_step, repeat.count));
    let mut progressions = [(block.row_step, block.n_rows), outer, inner];
    progressions.sort_unstable();
    let mut extent = 0;
    progressions.iter().filter(|(_, count)| *count > 1).all(|&(step, count)| {
        let is_beyond = step > extent;
        extent += (count - 1) * step;
        is_beyond
    })
}

/// All columns of all groups lie in one layer, which is not that of the rows.
fn columns(block: &Block, intervals: &[Interval], info: &FrameInfo, bounds: Bounds<'_>) -> Result<(), BlockRule> {
    let layer = layer_of(bounds.layers, intervals[0].first_col);
    let nodes = &bounds.layers.get(layer).ok_or(BlockRule::Columns)?.nodes;
    let shift = furthest(block, |repeat| repeat.col_step.into());
    let inside = |i: &Interval| {
        let last = u128::from(i.first_col) + u128::from(i.len - 1) + shift;
        nodes.start <= i.first_col && last < u128::from(nodes.end)
    };
    if layer == info.layer as usize || !intervals.iter().all(inside) {
        return Err(BlockRule::Columns);
    }
    let square = |i: &Interval| i.len == block.n_rows;
    if block.kind == PanelKind::Diagonal && !(block.col_stride == 0 && intervals.iter().all(square)) {
        return Err(BlockRule::Diagonal);
    }
    Ok(())
}

/// All weights of all groups lie in the value store.
fn values(block: &Block, intervals: &[Interval], bounds: Bounds<'_>) -> Result<(), BlockRule> {
    let rows = u128::from(block.n_rows - 1) * u128::from(block.row_stride);
    let shift = rows + furthest(block, |repeat| repeat.value_step);
    let inside = |i: &Interval| {
        let cols = u128::from(i.len - 1) * u128::from(block.col_stride);
        u128::from(i.values) + cols + shift < u128::from(bounds.n_values)
    };
    match intervals.iter().all(inside) {
        true => Ok(()),
        false => Err(BlockRule::Values),
    }
}

/// How far the last group is from the first.
fn furthest(block: &Block, step: impl Fn(&crate::graph::Repeat) -> u64) -> u128 {
    block.repeats.iter().map(|repeat| u128::from(repeat.count - 1) * u128::from(step(repeat))).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Repeat;
    use crate::shard::fuzz;
    use crate::testing::blocks;

    fn check(block: Block, interval: Interval) -> Result<u128, BlockRule> {
        let layers = blocks::layers(&[4, 6]);
        let info = FrameInfo { rows: 4..9, layer: 1, n_edges_in: 0, n_edges_out: 0 };
        let mut blocks = Blocks::default();
        blocks.push(block, &[interval]);
        super::block(&blocks, &blocks.blocks[0], &info, Bounds { layers: &layers, n_values: 10 })
    }

    #[test]
    fn the_last_row_column_and_value_may_be_used_and_no_further() {
        let block = Block { n_rows: 5, row_stride: 1, ..Block::single(4) };
        let interval = Interval { first_col: 0, len: 4, values: 2 };
        assert_eq!(check(block, interval), Ok(20));
        assert_eq!(check(Block { n_rows: 6, ..block }, interval), Err(BlockRule::Rows));
        assert_eq!(check(Block { first_row: 3, n_rows: 1, ..block }, interval), Err(BlockRule::Rows));
        assert_eq!(check(block, Interval { len: 5, ..interval }), Err(BlockRule::Columns));
        assert_eq!(check(block, Interval { first_col: 4, len: 1, ..interval }), Err(BlockRule::Columns));
        assert_eq!(check(block, Interval { first_col: 10, len: 1, ..interval }), Err(BlockRule::Columns));
        assert_eq!(check(block, Interval { values: 3, ..interval }), Err(BlockRule::Values));
        assert_eq!(check(block, Interval { len: 0, ..interval }), Err(BlockRule::Empty));
        assert_eq!(check(Block { kind: PanelKind::Diagonal, ..block }, interval), Err(BlockRule::Diagonal));
    }

    /// A block of that many rows and groups a step apart: (count, step) of rows, outer and inner repeat.
    fn stepped([rows, outer, inner]: [(u32, u32); 3]) -> Block {
        let repeat = |(count, row_step)| Repeat { count, row_step, ..Repeat::default() };
        Block { n_rows: rows.0, row_step: rows.1, repeats: [repeat(outer), repeat(inner)], ..Block::single(0) }
    }

    #[test]
    fn steps_must_lead_beyond_all_rows_of_smaller_steps() {
        for (most, block) in [
            // What networks have: rows, inner repeat, outer repeat.
            (true, [(3, 1), (2, 6), (2, 3)]),
            (false, [(3, 1), (2, 6), (2, 2)]),
            (false, [(3, 1), (2, 5), (2, 3)]),
            // Any other order.
            (true, [(2, 6), (2, 3), (3, 1)]),
            (false, [(2, 5), (2, 3), (3, 1)]),
            (true, [(2, 3), (3, 1), (4, 6)]),
            // A progression of one has no step.
            (true, [(1, 9), (1, 0), (1, 9)]),
            (true, [(3, 1), (1, 0), (1, 1)]),
            (false, [(3, 1), (2, 0), (1, 0)]),
            (false, [(1, 1), (2, 4), (2, 4)]),
            // Rows that are distinct, but interleaved.
            (false, [(1, 1), (2, 3), (3, 2)]),
        ] {
            assert_eq!(has_disjoint_groups(&stepped(block)), most, "{block:?}");
        }
        let block = Block { first_row: 4, ..stepped([(2, 1), (1, 0), (2, 2)]) };
        let interval = Interval { first_col: 0, len: 1, values: 0 };
        assert_eq!(check(block, interval), Ok(4));
        let block = Block { first_row: 4, ..stepped([(2, 1), (1, 0), (2, 1)]) };
        assert_eq!(check(block, interval), Err(BlockRule::Groups));
    }

    #[test]
    fn a_row_is_in_one_group_of_a_nested_block() {
        let each = || (1..4u32).flat_map(|count| (0..8u32).map(move |step| (count, step)));
        let mut n_nested = 0;
        for (rows, outer, inner) in each()
            .flat_map(|a| each().flat_map(move |b| each().map(move |c| (a, b, c))))
            .filter(|(rows, ..)| rows.1 > 0)
        {
            let block = stepped([rows, outer, inner]);
            if has_disjoint_groups(&block) {
                assert!(fuzz::has_rows_once(&block), "{block:?}");
                n_nested += 1;
            }
        }
        assert!(n_nested > 1000, "{n_nested}");
    }

    #[test]
    fn the_largest_numbers_do_not_overflow() {
        let mut block = Block { n_rows: u32::MAX, row_step: u32::MAX, ..Block::single(4) };
        let repeat = Repeat { count: u32::MAX, row_step: u32::MAX, col_step: u32::MAX, value_step: u64::MAX };
        (block.repeats, block.row_stride, block.col_stride) = ([repeat; 2], u32::MAX, u32::MAX);
        let interval = Interval { first_col: u32::MAX, len: u32::MAX, values: u64::MAX };
        assert_eq!(check(block, interval), Err(BlockRule::Rows));
        (block.n_rows, block.repeats[0].row_step, block.repeats[1].row_step) = (1, 0, 0);
        assert_eq!(check(block, interval), Err(BlockRule::Groups));
        (block.repeats[0], block.repeats[1]) =
            (Repeat { count: 2, row_step: 1, ..repeat }, Repeat { count: 2, row_step: 3, ..repeat });
        assert_eq!(check(block, interval), Err(BlockRule::Columns));
        (block.repeats[0].col_step, block.repeats[1].col_step) = (0, 0);
        assert_eq!(check(block, Interval { first_col: 0, len: 1, ..interval }), Err(BlockRule::Values));
    }
}
