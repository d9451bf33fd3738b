//! Where a panel is added: one panel serves many row groups, and each of them in many planes.
//!
//! ```text
//! panel            position        columns of the matrix       vectors of the fields
//! rows × columns ─▶ (group 0, plane 0)   as in the intervals     rows of group 0, plane 0
//!                ─▶ (group 0, plane 1)   as in the intervals     rows of group 0, plane 1
//!                ─▶ (group 1, plane 0)   shifted                 rows of group 1, plane 0
//!                ─▶ …
//! ```
//!
//! What is made of a panel's weights, tables or sums of pairs, is made once and used at every position.

use std::ops::Range;

use crate::graph::{Block, Interval, RowGroup};
use crate::kernel::{Fields, Isa, Spins};

/// A dense block and the spins of its columns.
#[derive(Clone, Copy)]
pub(super) struct DenseBlock<'a> {
    pub isa: Isa,
    pub block: &'a Block,
    pub intervals: &'a [Interval],
    pub spins: &'a Spins,
}

/// One row group in one plane: where its columns and its fields are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Position {
    plane: usize,
    col_shift: u32,
    /// Index of the vector of the first row in the fields.
    pub first: usize,
}

impl DenseBlock<'_> {
    /// Calls `f(positions, value shift, fields)` for the positions that share a panel, whose values are that far from those of
    /// the intervals: once, or for every row group. `positions` is a buffer.
    pub fn for_each_panel(
        &self,
        fields: &mut Fields,
        positions: &mut Vec<Position>,
        mut f: impl FnMut(&[Position], usize, &mut Fields),
    ) {
        let is_shared = self.block.shares_panel();
        positions.clear();
        for group in self.block.groups() {
            self.push_positions(group, fields, positions);
            if !is_shared {
                f(positions, group.value_shift as usize, fields);
                positions.clear();
            }
        }
        if is_shared {
            f(positions, 0, fields);
        }
    }

    fn push_positions(&self, RowGroup { first_row, col_shift, .. }: RowGroup, fields: &Fields, to: &mut Vec<Position>) {
        let first = fields.vector_of(first_row);
        to.extend((first..).zip(fields.planes()).map(|(first, &plane)| Position { plane, col_shift, first }));
    }

    /// Distance between the vectors of neighbouring rows.
    pub fn row_step(&self, fields: &Fields) -> usize {
        self.block.row_step as usize * fields.n_planes()
    }

    /// The masks of some of the concatenated columns at a position, filled up to whole quads with zeros.
    ///
    /// The columns of the intervals, one after the other, are numbered from zero; what lies in `columns` is copied.
    #[inline]
    pub fn masks(&self, position: &Position, columns: Range<usize>, masks: &mut Vec<u16>) {
        let plane = self.spins.plane(position.plane);
        masks.clear();
        let mut start = 0;
        for interval in self.intervals {
            let len = interval.len as usize;
            let (from, to) = (columns.start.max(start), columns.end.min(start + len));
            if from < to {
                let column = (interval.first_col + position.col_shift) as usize + (from - start);
                // Copying one mask is worth a case: where groups are shuffled, every interval is one column.
                match to - from {
                    1 => masks.push(plane[column]),
                    n => masks.extend_from_slice(&plane[column..column + n]),
                }
            }
            start += len;
            if start >= columns.end {
                break;
            }
        }
        masks.resize(columns.len().next_multiple_of(4), 0);
    }
}
