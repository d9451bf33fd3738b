//! Frames: how the rows of each layer are cut, and how many edges meet each piece.

use std::ops::Range;

use super::axis::AxisRun;
use super::blocks::Region;
use super::node_layer::{Linear, Source};
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
        let [c, h, w] = [linear.shape.c, linear.shape.h, linear.shape.w].map(|n| n as u32);
        let whole = Region { y: 0..h, x: 0..w, c: 0..c };
        if h * w == 1 {
            let loads = Loads::new(linears, index, Along::Channels);
            let part = |c: &Range<u32>| Region { c: c.clone(), ..whole.clone() };
            let size = |c: Range<u32>| loads.size(&c, &part(&c));
            fill(c, Limits::CHANNELS, limits, size, |c| cuts.push(loads.cut(&c, part(&c))));
        } else if u64::from(w) * u64::from(c) > limits.long_row {
            for y in 0..h {
                let loads = Loads::new(linears, index, Along::Pixels(y));
                let part = |x: &Range<u32>| Region { y: y..y + 1, x: x.clone(), ..whole.clone() };
                let size = |x: Range<u32>| loads.size(&x, &part(&x));
                fill(w, 1, limits, size, |x| cuts.push(loads.cut(&x, part(&x))));
            }
        } else {
            let loads = Loads::new(linears, index, Along::Rows);
            let part = |y: &Range<u32>| Region { y: y.clone(), ..whole.clone() };
            let size = |y: Range<u32>| loads.size(&y, &part(&y));
            fill(h, 1, limits, size, |y| cuts.push(loads.cut(&y, part(&y))));
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
    let load = |source| Load { source, direction: Direction::In };
    linears[index].sources.iter().map(load).map(|load| load.rows_of_channels() * load.taps(0) * load.taps(1)).sum()
}

/// How a layer is cut.
#[derive(Clone, Copy)]
enum Along {
    /// Between image rows.
    Rows,
    /// Between the pixels of an image row.
    Pixels(u32),
    /// Between the channels of its only pixel.
    Channels,
}

/// How many edges meet any part of a layer, in and out: prefix sums over what it is cut along.
struct Loads<'a> {
    linear: &'a Linear,
    layer: u32,
    sums: [Vec<u64>; 2],
}

impl<'a> Loads<'a> {
    /// Cost: O(sources and readers, with their runs and panels, and positions).
    fn new(linears: &'a [Linear], index: usize, along: Along) -> Self {
        let linear = &linears[index];
        let inward = linear.sources.iter().map(|source| Load { source, direction: Direction::In });
        let outward = linear
            .readers
            .iter()
            .map(|&(reader, source)| Load { source: &linears[reader].sources[source], direction: Direction::Out });
        let n = match along {
            Along::Rows => linear.shape.h,
            Along::Pixels(_) => linear.shape.w,
            Along::Channels => linear.shape.c,
        };
        let mut counts = [vec![0; n], vec![0; n]];
        inward.for_each(|load| load.add_to(&mut counts[0], along));
        outward.for_each(|load| load.add_to(&mut counts[1], along));
        Self { linear, layer: index as u32, sums: counts.map(prefix_sums) }
    }
    /// In and out.
    fn edges(&self, range: &Range<u32>) -> [u64; 2] {
        [0, 1].map(|side| self.sums[side][range.end as usize] - self.sums[side][range.start as usize])
    }
    fn rows(&self, region: &Region) -> Range<u32> {
        let (w, c) = (self.linear.shape.w as u32, self.linear.shape.c as u32);
        let first = (region.y.start * w + region.x.start) * c + region.c.start;
        let last = ((region.y.end - 1) * w + region.x.end - 1) * c + region.c.end;
        self.linear.first + first..self.linear.first + last
    }
    /// Rows and edges.
    fn size(&self, range: &Range<u32>, region: &Region) -> (u64, u64) {
        let [inward, outward] = self.edges(range);
        (self.rows(region).len() as u64, inward + outward)
    }
    fn cut(&self, range: &Range<u32>, region: Region) -> Cut {
        let [n_edges_in, n_edges_out] = self.edges(range);
        (FrameInfo { rows: self.rows(&region), layer: self.layer, n_edges_in, n_edges_out }, region)
    }
}

/// Edges between a layer and one source or reader: products of the counts along the axes and of the channels.
struct Load<'a> {
    source: &'a Source,
    direction: Direction,
}

impl Load<'_> {
    /// Taps of all positions along an axis.
    fn taps(&self, axis: usize) -> u64 {
        let runs = self.source.runs(axis, self.direction);
        runs.iter().map(|run| u64::from(run.count) * run.taps.len() as u64).sum()
    }
    /// Pairs of channels that meet at a tap.
    fn rows_of_channels(&self) -> u64 {
        let panels = self.source.panels(self.direction);
        panels.iter().map(|panel| u64::from(panel.n_rows) * panel.n_columns()).sum()
    }
    /// Adds the edges at every position or channel.
    fn add_to(&self, counts: &mut [u64], along: Along) {
        match along {
            Along::Rows => self.add_pixels(0, counts, self.taps(1) * self.rows_of_channels()),
            Along::Pixels(y) => {
                let runs = self.source.runs(0, self.direction).iter();
                let there = |run: &&AxisRun| y >= run.first && (y - run.first).is_multiple_of(run.step);
                let there = runs.filter(|run| there(run) && (y - run.first) / run.step < run.count);
                let taps: u64 = there.map(|run| run.taps.len() as u64).sum();
                self.add_pixels(1, counts, taps * self.rows_of_channels());
            }
            Along::Channels => {
                let taps = self.taps(0) * self.taps(1);
                for panel in self.source.panels(self.direction) {
                    for row in 0..panel.n_rows {
                        counts[(panel.first_row + row * panel.row_step) as usize] += panel.n_columns() * taps;
                    }
                }
            }
        }
    }
    fn add_pixels(&self, axis: usize, counts: &mut [u64], others: u64) {
        for run in self.source.runs(axis, self.direction) {
            for position in 0..run.count {
                counts[(run.first + position * run.step) as usize] += run.taps.len() as u64 * others;
            }
        }
    }
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
