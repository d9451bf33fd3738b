//! Frames: how the rows of each layer are cut, and how many edges meet each piece.

use std::ops::Range;

use super::axis::AxisRun;
use super::blocks::Region;
use super::linear::{Linear, Source};
use super::panel::Panel;
use crate::graph::{Direction, FrameInfo};

/// When a frame is full. A frame is a run of whole image rows; only long image rows and layers of one pixel are cut further.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Edges, in both directions together, that make a frame full.
    pub n_edges: u64,
    /// Rows that make a frame full.
    pub n_rows: u64,
    /// Image rows with more nodes are cut between pixels.
    pub long_row: u64,
}

impl Limits {
    /// A million edges: long enough to amortise a read, short enough to share among threads.
    pub const DEFAULT: Self = Self { n_edges: 1 << 20, n_rows: 1 << 13, long_row: 1 << 16 };
    /// Layers of one pixel are cut between multiples of this many channels, so that panels stay in whole registers.
    const CHANNELS: u32 = 8;
}

/// A frame's rows, as the reader sees them and as pixels and channels.
pub(super) type Cut = (FrameInfo, Region);

/// Cuts all layers, in node order.
pub(super) fn cut(linears: &[Linear], limits: Limits) -> Vec<Cut> {
    let mut cuts = Vec::new();
    for (index, linear) in linears.iter().enumerate() {
        let loads = Loads::new(linears, index);
        let [c, h, w] = [linear.shape.c, linear.shape.h, linear.shape.w].map(|n| n as u32);
        let whole = Region { y: 0..h, x: 0..w, c: 0..c };
        let mut push = |region: Region| cuts.push((loads.info(&region), region));
        if h * w == 1 {
            let part = |c: Range<u32>| Region { c, ..whole.clone() };
            fill(c, Limits::CHANNELS, limits, |c| loads.size(&part(c)), |c| push(part(c)));
        } else if u64::from(w) * u64::from(c) > limits.long_row {
            for y in 0..h {
                let part = |x: Range<u32>| Region { y: y..y + 1, x, ..whole.clone() };
                fill(w, 1, limits, |x| loads.size(&part(x)), |x| push(part(x)));
            }
        } else {
            let part = |y: Range<u32>| Region { y, ..whole.clone() };
            fill(h, 1, limits, |y| loads.size(&part(y)), |y| push(part(y)));
        }
    }
    cuts
}

/// Cuts `0..n` into ranges of whole `unit`s that are full but for the last.
fn fill(n: u32, unit: u32, limits: Limits, size: impl Fn(Range<u32>) -> (u64, u64), mut push: impl FnMut(Range<u32>)) {
    let mut start = 0;
    let mut end = 0;
    while end < n {
        end = (end + unit).min(n);
        let (rows, edges) = size(start..end);
        if end == n || edges >= limits.n_edges || rows >= limits.n_rows {
            push(start..end);
            start = end;
        }
    }
}

/// Edges into a layer.
pub(super) fn edges_in(linears: &[Linear], index: usize) -> u64 {
    let [c, h, w] = [linears[index].shape.c, linears[index].shape.h, linears[index].shape.w].map(|n| n as u32);
    Loads::new(linears, index).edges(&Region { y: 0..h, x: 0..w, c: 0..c })[0]
}

/// How many edges meet any region of one layer, in and out, as products of per-axis counts.
struct Loads<'a> {
    linear: &'a Linear,
    layer: u32,
    inward: Vec<Load>,
    outward: Vec<Load>,
}

impl<'a> Loads<'a> {
    fn new(linears: &'a [Linear], index: usize) -> Self {
        let linear = &linears[index];
        let inward = linear.sources.iter().map(|source| Load::new(linear, source, Direction::In)).collect();
        let reader =
            |&(reader, source): &(usize, usize)| Load::new(linear, &linears[reader].sources[source], Direction::Out);
        Self { linear, layer: index as u32, inward, outward: linear.readers.iter().map(reader).collect() }
    }
    fn edges(&self, region: &Region) -> [u64; 2] {
        [&self.inward, &self.outward].map(|loads| loads.iter().map(|load| load.edges(region)).sum())
    }
    fn rows(&self, region: &Region) -> Range<u32> {
        let (w, c) = (self.linear.shape.w as u32, self.linear.shape.c as u32);
        let first = (region.y.start * w + region.x.start) * c + region.c.start;
        let last = ((region.y.end - 1) * w + region.x.end - 1) * c + region.c.end;
        self.linear.first + first..self.linear.first + last
    }
    /// Rows and edges.
    fn size(&self, region: &Region) -> (u64, u64) {
        let [inward, outward] = self.edges(region);
        (self.rows(region).len() as u64, inward + outward)
    }
    fn info(&self, region: &Region) -> FrameInfo {
        let [n_edges_in, n_edges_out] = self.edges(region);
        FrameInfo { rows: self.rows(region), layer: self.layer, n_edges_in, n_edges_out }
    }
}

/// Edges between a layer and one source or reader: prefix sums of the counts at each row position and channel.
struct Load {
    y: Vec<u64>,
    x: Vec<u64>,
    c: Vec<u64>,
}

impl Load {
    fn new(rows: &Linear, source: &Source, direction: Direction) -> Self {
        let [down, across] = [0, 1].map(|axis| match direction {
            Direction::In => &source.axes[axis].inward,
            Direction::Out => &source.axes[axis].outward,
        });
        Self {
            y: prefix_sums(pixel_counts(rows.shape.h, down)),
            x: prefix_sums(pixel_counts(rows.shape.w, across)),
            c: prefix_sums(channel_counts(rows.shape.c, source.panels(direction))),
        }
    }
    fn edges(&self, region: &Region) -> u64 {
        let within = |sums: &[u64], range: &Range<u32>| sums[range.end as usize] - sums[range.start as usize];
        within(&self.y, &region.y) * within(&self.x, &region.x) * within(&self.c, &region.c)
    }
}

fn pixel_counts(n: usize, runs: &[AxisRun]) -> Vec<u64> {
    let mut counts = vec![0; n];
    for run in runs {
        for position in 0..run.count {
            counts[(run.first + position * run.step) as usize] += run.taps.len() as u64;
        }
    }
    counts
}

fn channel_counts(n: usize, panels: &[Panel]) -> Vec<u64> {
    let mut counts = vec![0; n];
    for panel in panels {
        for row in 0..panel.n_rows {
            counts[(panel.first_row + row * panel.row_step) as usize] += panel.n_columns();
        }
    }
    counts
}

/// `[0, a, a + b, …]` of `[a, b, …]`.
fn prefix_sums(counts: Vec<u64>) -> Vec<u64> {
    let mut sum = 0;
    let mut sums = vec![0];
    sums.extend(counts.into_iter().map(|count| {
        sum += count;
        sum
    }));
    sums
}
