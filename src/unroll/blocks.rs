//! Blocks of a frame: alike positions down, times alike positions across, times pairs of channels, each clipped to the frame.

use std::ops::Range;

use super::axis::AlikePositions;
use super::channel_pairs::{ChannelInterval, ChannelPairs};
use super::node_layer::{Connection, NodeLayer};
use crate::graph::{Block, Blocks, Direction, Interval, PanelKind, Repeat};
use crate::net::Shape;

/// Pixels and channels of one layer; consecutive nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Region {
    /// Image rows.
    pub y: Range<u32>,
    /// Image columns.
    pub x: Range<u32>,
    /// Node channels.
    pub c: Range<u32>,
}

/// Appends the blocks between the rows `region` of `rows` and all of `columns`, which are connected by `connection`.
pub(super) fn push_blocks(
    blocks: &mut Blocks,
    direction: Direction,
    region: &Region,
    connection: &Connection,
    [rows, columns]: [&NodeLayer; 2],
) {
    let positions = |axis: usize| connection.positions(axis, direction);
    let [down_stride, across_stride] = connection.tap_strides;
    let mut intervals = Vec::new();
    // Nine times for a padded convolution: top, middle, bottom by left, middle, right.
    for down in positions(0).iter().filter_map(|alike| ClippedPositions::new(alike, &region.y)) {
        for across in positions(1).iter().filter_map(|alike| ClippedPositions::new(alike, &region.x)) {
            let pixel = down.first * rows.shape.w as u32 + across.first;
            for pairs in connection.pairs(direction) {
                let Some(clipped) = ClippedPairs::new(pairs, &region.c) else { continue };
                intervals.clear();
                clipped.push_intervals(&mut intervals, [&down, &across], columns, connection.tap_strides);
                let block = Block {
                    first_row: rows.first + pixel * rows.shape.c as u32 + clipped.first,
                    n_rows: clipped.n_rows,
                    row_step: pairs.row_step,
                    repeats: [
                        down.to_repeat(line(rows.shape), line(columns.shape), down_stride),
                        across.to_repeat(rows.shape.c as u32, columns.shape.c as u32, across_stride),
                    ],
                    kind: pairs.kind,
                    row_stride: pairs.row_stride,
                    col_stride: pairs.col_stride,
                    intervals_start: 0,
                    n_intervals: 0,
                };
                blocks.push(block, &intervals);
            }
        }
    }
}

/// Nodes in an image row.
fn line(shape: Shape) -> u32 {
    (shape.w * shape.c) as u32
}

/// Positions `first + n · step`, `n < count`, that lie in `range`: the first, how many were left out before it, how many
/// there are.
fn clip(first: u32, step: u32, count: u32, range: &Range<u32>) -> Option<(u32, u32, u32)> {
    let skipped = range.start.saturating_sub(first).div_ceil(step);
    let end = range.end.saturating_sub(first).div_ceil(step).min(count);
    (skipped < end).then(|| (first + skipped * step, skipped, end - skipped))
}

/// The part of an [`AlikePositions`] that lies in a region.
struct ClippedPositions<'a> {
    alike: &'a AlikePositions,
    first: u32,
    skipped: u32,
    count: u32,
}

impl<'a> ClippedPositions<'a> {
    fn new(alike: &'a AlikePositions, range: &Range<u32>) -> Option<Self> {
        let (first, skipped, count) = clip(alike.first, alike.step, alike.count, range)?;
        Some(Self { alike, first, skipped, count })
    }
    /// Taps of the first position: `(tap, column position)`.
    fn taps(&self) -> impl Iterator<Item = (u32, u32)> {
        let (tap, col) = (self.skipped * self.alike.tap_step, self.skipped * self.alike.col_step);
        self.alike.taps.iter().map(move |&(k, position)| (k + tap, position + col))
    }
    /// The positions in nodes and values, given their number per position; a single one has no steps.
    fn to_repeat(&self, rows: u32, columns: u32, values: u64) -> Repeat {
        if self.count == 1 {
            return Repeat::ONE;
        }
        let alike = self.alike;
        Repeat {
            count: self.count,
            row_step: alike.step * rows,
            col_step: alike.col_step * columns,
            value_step: u64::from(alike.tap_step) * values,
        }
    }
}

/// The rows of a [`ChannelPairs`] that lie in a region.
struct ClippedPairs<'a> {
    pairs: &'a ChannelPairs,
    /// Channel of the first row.
    first: u32,
    /// Rows before it that are left out.
    skipped: u32,
    n_rows: u32,
}

impl<'a> ClippedPairs<'a> {
    fn new(pairs: &'a ChannelPairs, range: &Range<u32>) -> Option<Self> {
        let (first, skipped, n_rows) = clip(pairs.first_row, pairs.row_step, pairs.n_rows, range)?;
        Some(Self { pairs, first, skipped, n_rows })
    }

    /// One interval per tap and interval of column channels; neighbours in both columns and values are joined, so that a
    /// kernel row over whole pixels is one.
    fn push_intervals(
        &self,
        intervals: &mut Vec<Interval>,
        [down, across]: [&ClippedPositions; 2],
        columns: &NodeLayer,
        tap_strides: [u64; 2],
    ) {
        let Self { pairs, skipped, n_rows, .. } = *self;
        let skipped_values = u64::from(skipped) * u64::from(pairs.row_stride);
        for (ky, y) in down.taps() {
            for (kx, x) in across.taps() {
                let pixel = columns.first + (y * columns.shape.w as u32 + x) * columns.shape.c as u32;
                let tap = u64::from(ky) * tap_strides[0] + u64::from(kx) * tap_strides[1] + skipped_values;
                for &ChannelInterval { first, len, values } in &pairs.columns {
                    let values = values + tap;
                    let next = match pairs.kind {
                        PanelKind::Dense => Interval { first_col: pixel + first, len, values },
                        // Row r meets column r alone: without the first rows, without the first columns.
                        PanelKind::Diagonal => Interval { first_col: pixel + first + skipped, len: n_rows, values },
                    };
                    match intervals.last_mut() {
                        Some(last) if pairs.kind == PanelKind::Dense && joins(last, &next, pairs.col_stride) => {
                            last.len += next.len;
                        }
                        _ => intervals.push(next),
                    }
                }
            }
        }
    }
}

fn joins(last: &Interval, next: &Interval, col_stride: u32) -> bool {
    last.first_col + last.len == next.first_col
        && last.values + u64::from(last.len) * u64::from(col_stride) == next.values
}
