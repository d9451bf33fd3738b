//! Blocks of a frame: the runs of two axes, clipped to the frame, times the channel panels.

use std::ops::Range;

use super::axis::AxisRun;
use super::channel_pairs::{Columns, Panel};
use super::node_layer::{Linear, Source};
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

/// Appends the blocks between the rows `region` of `rows` and all of `columns`, seen through `source`.
pub(super) fn push_blocks(
    blocks: &mut Blocks,
    direction: Direction,
    region: &Region,
    source: &Source,
    [rows, columns]: [&Linear; 2],
) {
    let runs = |axis: usize| source.runs(axis, direction);
    let mut intervals = Vec::new();
    for down in runs(0).iter().filter_map(|run| ClippedRun::new(run, &region.y)) {
        for across in runs(1).iter().filter_map(|run| ClippedRun::new(run, &region.x)) {
            for panel in source.panels(direction) {
                let Some((first_channel, skipped, n_rows)) =
                    clip(panel.first_row, panel.row_step, panel.n_rows, &region.c)
                else {
                    continue;
                };
                intervals.clear();
                let place = Place { columns, tap_strides: source.tap_strides, skipped, n_rows };
                push_intervals(&mut intervals, panel, [&down, &across], &place);
                let pixel = down.first * rows.shape.w as u32 + across.first;
                let block = Block {
                    first_row: rows.first + pixel * rows.shape.c as u32 + first_channel,
                    n_rows,
                    row_step: panel.row_step,
                    repeats: [
                        down.to_repeat(line(rows.shape), line(columns.shape), source.tap_strides[0]),
                        across.to_repeat(rows.shape.c as u32, columns.shape.c as u32, source.tap_strides[1]),
                    ],
                    kind: panel.kind,
                    row_stride: panel.row_stride,
                    col_stride: panel.col_stride,
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

/// The part of an [`AxisRun`] that lies in a region.
struct ClippedRun<'a> {
    run: &'a AxisRun,
    first: u32,
    skipped: u32,
    count: u32,
}

impl<'a> ClippedRun<'a> {
    fn new(run: &'a AxisRun, range: &Range<u32>) -> Option<Self> {
        let (first, skipped, count) = clip(run.first, run.step, run.count, range)?;
        Some(Self { run, first, skipped, count })
    }
    /// Taps of the first position: `(tap, column position)`.
    fn taps(&self) -> impl Iterator<Item = (u32, u32)> {
        let (tap, col) = (self.skipped * self.run.tap_step, self.skipped * self.run.col_step);
        self.run.taps.iter().map(move |&(k, position)| (k + tap, position + col))
    }
    /// The run in nodes and values, given their number per position; a run of one has no steps.
    fn to_repeat(&self, rows: u32, columns: u32, values: u64) -> Repeat {
        if self.count == 1 {
            return Repeat::ONE;
        }
        let run = self.run;
        Repeat {
            count: self.count,
            row_step: run.step * rows,
            col_step: run.col_step * columns,
            value_step: u64::from(run.tap_step) * values,
        }
    }
}

/// What turns a panel and taps into intervals.
struct Place<'a> {
    columns: &'a Linear,
    tap_strides: [u64; 2],
    /// Rows of the panel before the frame's first.
    skipped: u32,
    n_rows: u32,
}

/// One interval per tap and run of column channels; neighbours in both columns and values are joined.
fn push_intervals(intervals: &mut Vec<Interval>, panel: &Panel, [down, across]: [&ClippedRun; 2], place: &Place) {
    let shape = place.columns.shape;
    let skipped = u64::from(place.skipped) * u64::from(panel.row_stride);
    for (ky, y) in down.taps() {
        for (kx, x) in across.taps() {
            let pixel = place.columns.first + (y * shape.w as u32 + x) * shape.c as u32;
            let tap = u64::from(ky) * place.tap_strides[0] + u64::from(kx) * place.tap_strides[1] + skipped;
            for &Columns { first, len, values } in &panel.columns {
                let next = match panel.kind {
                    PanelKind::Dense => Interval { first_col: pixel + first, len, values: values + tap },
                    PanelKind::Diagonal => {
                        Interval { first_col: pixel + first + place.skipped, len: place.n_rows, values: values + tap }
                    }
                };
                match intervals.last_mut() {
                    Some(last) if panel.kind == PanelKind::Dense && joins(last, &next, panel.col_stride) => {
                        last.len += next.len;
                    }
                    _ => intervals.push(next),
                }
            }
        }
    }
}

fn joins(last: &Interval, next: &Interval, col_stride: u32) -> bool {
    last.first_col + last.len == next.first_col
        && last.values + u64::from(last.len) * u64::from(col_stride) == next.values
}
