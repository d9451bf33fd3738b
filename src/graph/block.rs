//! Blocks: arrays of row groups whose rows, columns and values advance by constant steps.

use std::ops::Range;

use super::layer::NodeId;

/// How a block's row groups repeat along one of two axes: `count` groups, each a step from the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Repeat {
    /// Number of row groups along this axis, at least 1.
    pub count: u32,
    /// Rows advance by this many.
    pub row_step: u32,
    /// Columns of every interval advance by this many.
    pub col_step: u32,
    /// Values of every interval advance by this many; 0 where groups share one panel.
    pub value_step: u64,
}

/// How a panel pairs rows and columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PanelKind {
    /// Every row of the group meets every column: `w(r, k) = values[interval.values + r·row_stride + k·col_stride]`
    /// for column `interval.first_col + k`, `k < interval.len`.
    Dense,
    /// Row `r` of the group meets one column per interval, `interval.first_col + r`, with
    /// `w = values[interval.values + r·row_stride]`; `interval.len == n_rows` and `col_stride == 0`.
    Diagonal,
}

/// Consecutive columns of a row group and where their weights begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// First column, for the first row group of the block.
    pub first_col: NodeId,
    /// Number of columns, at least 1.
    pub len: u32,
    /// Offset of `w(0, 0)` of the first row group in the value store, in values.
    pub values: u64,
}

/// A two-dimensional array of row groups that share one panel shape.
///
/// Group `(a, b)`, `a < repeats[0].count`, `b < repeats[1].count`, has the rows
/// `first_row + a·repeats[0].row_step + b·repeats[1].row_step + r·row_step` for `r < n_rows`. No row is in two groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// First row of group (0, 0).
    pub first_row: NodeId,
    /// Rows in a group, at least 1.
    pub n_rows: u32,
    /// Distance between neighbouring rows of a group, at least 1 (above 1 after a channel shuffle).
    pub row_step: u32,
    /// Outer and inner axis of the array, `[down, across]`.
    pub repeats: [Repeat; 2],
    /// Dense or diagonal.
    pub kind: PanelKind,
    /// Values between neighbouring rows of a panel.
    pub row_stride: u32,
    /// Values between neighbouring columns of a panel.
    pub col_stride: u32,
    /// Position of the block's intervals in its frame's list: `intervals_start .. intervals_start + n_intervals`.
    pub intervals_start: u32,
    /// Number of intervals, at least 1.
    pub n_intervals: u32,
}

impl Repeat {
    /// One group.
    pub const ONE: Self = Self { count: 1, row_step: 0, col_step: 0, value_step: 0 };
}

impl Block {
    /// One row whose weights are consecutive values; [`Blocks::push`] gives it its columns.
    pub fn single(row: NodeId) -> Self {
        Self {
            first_row: row,
            n_rows: 1,
            row_step: 1,
            repeats: [Repeat::ONE; 2],
            kind: PanelKind::Dense,
            row_stride: 0,
            col_stride: 1,
            intervals_start: 0,
            n_intervals: 0,
        }
    }
    /// Row groups in the block.
    pub fn n_groups(&self) -> u64 {
        u64::from(self.repeats[0].count) * u64::from(self.repeats[1].count)
    }
    /// Columns that a row of the block with these intervals meets.
    pub fn n_columns(&self, intervals: &[Interval]) -> u64 {
        match self.kind {
            PanelKind::Dense => intervals.iter().map(|i| u64::from(i.len)).sum(),
            PanelKind::Diagonal => intervals.len() as u64,
        }
    }
    /// Where the values of the block with these intervals, at least one, lie: from the first to one after the last.
    pub fn value_range(&self, intervals: &[Interval]) -> Range<u64> {
        let groups: u64 = self.repeats.iter().map(|repeat| u64::from(repeat.count - 1) * repeat.value_step).sum();
        let rows = u64::from(self.n_rows - 1) * u64::from(self.row_stride);
        let last = |i: &Interval| i.values + u64::from(i.len - 1) * u64::from(self.col_stride) + rows + groups;
        let start = intervals.iter().map(|i| i.values).min().unwrap_or(0);
        start..intervals.iter().map(last).max().map_or(start, |last| last + 1)
    }
}

/// The blocks of one direction of a frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blocks {
    /// Blocks in stored order.
    pub blocks: Vec<Block>,
    /// Intervals of all blocks, block after block.
    pub intervals: Vec<Interval>,
}

impl Blocks {
    /// Forgets the contents, keeps the capacity.
    pub fn clear(&mut self) {
        self.blocks.clear();
        self.intervals.clear();
    }
    /// The intervals of `block`, one of this list's.
    pub fn intervals(&self, block: &Block) -> &[Interval] {
        &self.intervals[block.intervals_start as usize..][..block.n_intervals as usize]
    }
    /// Appends a block, filling in its interval range.
    pub fn push(&mut self, mut block: Block, intervals: &[Interval]) {
        block.intervals_start = self.intervals.len() as u32;
        block.n_intervals = intervals.len() as u32;
        self.blocks.push(block);
        self.intervals.extend_from_slice(intervals);
    }
    /// Where the values lie that row groups do not share: from the first to one after the last.
    pub fn own_values(&self) -> Range<u64> {
        let (mut start, mut end) = (u64::MAX, 0);
        let is_own = |b: &&Block| b.n_groups() == 1 || b.repeats.iter().any(|repeat| repeat.value_step > 0);
        for block in self.blocks.iter().filter(is_own) {
            let range = block.value_range(self.intervals(block));
            (start, end) = (start.min(range.start), end.max(range.end));
        }
        start.min(end)..end
    }
    /// Entries of a block: rows × columns × groups (dense), rows × intervals × groups (diagonal).
    pub fn n_edges(&self, block: &Block) -> u64 {
        block.n_groups() * u64::from(block.n_rows) * block.n_columns(self.intervals(block))
    }
}
