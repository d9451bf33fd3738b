//! The walk through a block: its row groups, the rows of a group, and what a row meets in each interval.
//!
//! ```text
//! block            intervals     10 ├──┤ 13   20 ├──┤ 23     values of the panel: rows × columns
//!   groups()       ─▶ group 0     as they stand               from value_shift 0
//!                  ─▶ group 1     10+s ├──┤    20+s ├──┤      the same values again, or value_step further
//!     rows(group)     ─▶ (0, first_row), (1, first_row + row_step), …
//!       stretch(group, r, interval)
//!                        ─▶ first column, number of columns, offset of the first weight, distance between weights
//! ```
//!
//! In a dense block a row meets all columns of the interval, in a diagonal one the `r`-th. Whoever adds something up over
//! edges writes these three loops, or skips one of them because it knows what repeats: columns are the same for all rows of
//! a dense group, values for all groups of a shared panel ([`Block::panels`]). The vector kernels have loops of their own.
//!
//! ```
//! use frustration::graph::{Block, Interval, Repeat};
//!
//! // Two pixels; at each, two channels see three inputs through the same 2 × 3 weights.
//! let across = Repeat { count: 2, row_step: 2, col_step: 3, value_step: 0 };
//! let block = Block { n_rows: 2, row_stride: 3, repeats: [Repeat::ONE, across], ..Block::single(100) };
//! let interval = Interval { first_col: 10, len: 3, values: 0 };
//! let mut met = Vec::new();
//! for group in block.groups() {
//!     for (r, row) in block.rows(group) {
//!         let stretch = block.stretch(group, r, &interval);
//!         met.push((row, stretch.columns(), stretch.first_value));
//!     }
//! }
//! assert_eq!(met, [(100, 10..13, 0), (101, 10..13, 3), (102, 13..16, 0), (103, 13..16, 3)]);
//! ```

use std::ops::Range;

use super::{Block, Interval, NodeId, PanelKind, Repeat};

impl Interval {
    /// Its columns, for the first row group.
    pub fn columns(&self) -> Range<NodeId> {
        self.first_col..self.first_col + self.len
    }
}

/// Where one row group of a block lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowGroup {
    /// Its first row.
    pub first_row: NodeId,
    /// How far its columns are from those of the intervals.
    pub col_shift: u32,
    /// How far its values are from those of the intervals.
    pub value_shift: u64,
}

impl RowGroup {
    /// The interval as it is for this group.
    pub fn shifted(&self, interval: &Interval) -> Interval {
        Interval {
            first_col: interval.first_col + self.col_shift,
            values: interval.values + self.value_shift,
            ..*interval
        }
    }
}

/// Consecutive columns that one row meets, and where their weights are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// First column.
    pub first_col: NodeId,
    /// Number of columns.
    pub len: u32,
    /// Offset of the first weight in the value store.
    pub first_value: u64,
    /// Distance between neighbouring weights.
    pub stride: u32,
}

impl Stretch {
    /// Its columns.
    #[inline(always)]
    pub fn columns(&self) -> Range<NodeId> {
        self.first_col..self.first_col + self.len
    }
    /// The offset of every weight in the value store.
    #[inline(always)]
    pub fn offsets(&self) -> impl Iterator<Item = u64> + use<> {
        let Self { first_value, stride, len, .. } = *self;
        (0..u64::from(len)).map(move |k| first_value + k * u64::from(stride))
    }
    /// The weights.
    ///
    /// # Panics
    /// If they are not all in the store, which no frame that was read lets happen.
    #[inline(always)]
    pub fn weights<'a>(&self, values: &'a [f32]) -> impl Iterator<Item = f32> + use<'a> {
        let (stride, len) = (self.stride as usize, self.len as usize);
        let values = &values[self.first_value as usize..][..(len - 1) * stride + 1];
        (0..len).map(move |k| values[k * stride])
    }
}

impl Block {
    /// Its row groups: down, then across.
    #[inline(always)]
    pub fn groups(&self) -> impl Iterator<Item = RowGroup> + use<> {
        let block = *self;
        let [down, across] = block.repeats.map(|repeat| repeat.count);
        (0..down).flat_map(move |a| (0..across).map(move |b| block.group(a, b)))
    }
    /// Group (`a`, `b`).
    #[inline(always)]
    pub fn group(&self, a: u32, b: u32) -> RowGroup {
        let [down, across] = self.repeats;
        RowGroup {
            first_row: self.first_row + a * down.row_step + b * across.row_step,
            col_shift: a * down.col_step + b * across.col_step,
            value_shift: u64::from(a) * down.value_step + u64::from(b) * across.value_step,
        }
    }
    /// The last group.
    pub fn last_group(&self) -> RowGroup {
        self.group(self.repeats[0].count - 1, self.repeats[1].count - 1)
    }
    /// The rows of a group: number in the panel, and node.
    #[inline(always)]
    pub fn rows(&self, group: RowGroup) -> impl Iterator<Item = (u32, NodeId)> + use<> {
        let step = self.row_step;
        (0..self.n_rows).map(move |r| (r, group.first_row + r * step))
    }
    /// What row `r` of a group meets in an interval.
    #[inline(always)]
    pub fn stretch(&self, group: RowGroup, r: u32, interval: &Interval) -> Stretch {
        let interval = group.shifted(interval);
        let first_value = interval.values + u64::from(r) * u64::from(self.row_stride);
        match self.kind {
            PanelKind::Dense => {
                Stretch { first_col: interval.first_col, len: interval.len, first_value, stride: self.col_stride }
            }
            PanelKind::Diagonal => Stretch { first_col: interval.first_col + r, len: 1, first_value, stride: 0 },
        }
    }
    /// Do all row groups use the same values?
    pub fn shares_panel(&self) -> bool {
        self.repeats.iter().all(|repeat| repeat.value_step == 0 || repeat.count == 1)
    }
    /// The distinct panels: a group of each, and how many groups share it.
    pub fn panels(&self) -> impl Iterator<Item = (RowGroup, u64)> + use<> {
        let once = |repeat: Repeat| if repeat.value_step == 0 { Repeat { count: 1, ..repeat } } else { repeat };
        let distinct = Self { repeats: self.repeats.map(once), ..*self };
        let times = self.n_groups() / distinct.n_groups();
        distinct.groups().map(move |group| (group, times))
    }
}
