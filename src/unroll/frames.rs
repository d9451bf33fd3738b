//! Frames: how the rows of each layer are cut, and how many edges meet each contribution.

use std::ops::Range;

use super::axis::AlikePositions;
use super::blocks::Region;
use super::node_layer::{Connection, NodeLayer};
use crate::graph::{Direction, FrameInfo};

/// When a frame is full. A frame is consecutive whole image rows; only long image rows and layers of one pixel are cut further.
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
pub(super) type FrameRegion = (FrameInfo, Region);

/// Cuts all layers, in node order.
pub(super) fn cut(node_layers: &[NodeLayer], limits: Limits) -> Vec<FrameRegion> {
    let mut cuts = Vec::new();
    for (index, node_layer) in node_layers.iter().enumerate() {
        let [c, h, w] = [node_layer.shape.c, node_layer.shape.h, node_layer.shape.w].map(|n| n as u32);
        let whole = Region { y: 0..h, x: 0..w, c: 0..c };
        if h * w == 1 {
            let loads = Loads::new(node_layers, index, Along::Channels);
            let part = |c: &Range<u32>| Region { c: c.clone(), ..whole.clone() };
            let size = |c: Range<u32>| loads.size(&c, &part(&c));
            fill(c, Limits::CHANNELS, limits, size, |c| cuts.push(loads.cut(&c, part(&c))));
        } else if u64::from(w) * u64::from(c) > limits.long_row {
            for y in 0..h {
                let loads = Loads::new(node_layers, index, Along::Pixels(y));
                let part = |x: &Range<u32>| Region { y: y..y + 1, x: x.clone(), ..whole.clone() };
                let size = |x: Range<u32>| loads.size(&x, &part(&x));
                fill(w, 1, limits, size, |x| cuts.push(loads.cut(&x, part(&x))));
            }
        } else {
            let loads = Loads::new(node_layers, index, Along::Rows);
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
pub(super) fn edges_in(node_layers: &[NodeLayer], index: usize) -> u64 {
    let load = |connection| Load { connection, direction: Direction::In };
    node_layers[index]
        .connections
        .iter()
        .map(load)
        .map(|load| load.rows_of_channels() * load.taps(0) * load.taps(1))
        .sum()
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
    node_layer: &'a NodeLayer,
    layer: u32,
    sums: [Vec<u64>; 2],
}

impl<'a> Loads<'a> {
    /// Cost: O(sources and readers, with their alike positions and pairs of channels, and positions).
    fn new(node_layers: &'a [NodeLayer], index: usize, along: Along) -> Self {
        let node_layer = &node_layers[index];
        let inward = node_layer.connections.iter().map(|connection| Load { connection, direction: Direction::In });
        let outward = node_layer.readers.iter().map(|&(reader, connection)| Load {
            connection: &node_layers[reader].connections[connection],
            direction: Direction::Out,
        });
        let n = match along {
            Along::Rows => node_layer.shape.h,
            Along::Pixels(_) => node_layer.shape.w,
            Along::Channels => node_layer.shape.c,
        };
        let mut counts = [vec![0; n], vec![0; n]];
        inward.for_each(|load| load.add_to(&mut counts[0], along));
        outward.for_each(|load| load.add_to(&mut counts[1], along));
        Self { node_layer, layer: index as u32, sums: counts.map(prefix_sums) }
    }
    /// In and out.
    fn edges(&self, range: &Range<u32>) -> [u64; 2] {
        [0, 1].map(|side| self.sums[side][range.end as usize] - self.sums[side][range.start as usize])
    }
    fn rows(&self, region: &Region) -> Range<u32> {
        let (w, c) = (self.node_layer.shape.w as u32, self.node_layer.shape.c as u32);
        let first = (region.y.start * w + region.x.start) * c + region.c.start;
        let last = ((region.y.end - 1) * w + region.x.end - 1) * c + region.c.end;
        self.node_layer.first + first..self.node_layer.first + last
    }
    /// Rows and edges.
    fn size(&self, range: &Range<u32>, region: &Region) -> (u64, u64) {
        let [inward, outward] = self.edges(range);
        (self.rows(region).len() as u64, inward + outward)
    }
    fn cut(&self, range: &Range<u32>, region: Region) -> FrameRegion {
        let [n_edges_in, n_edges_out] = self.edges(range);
        (FrameInfo { rows: self.rows(&region), layer: self.layer, n_edges_in, n_edges_out }, region)
    }
}

/// Edges of one connection: products of the counts along the axes and of the channels.
struct Load<'a> {
    connection: &'a Connection,
    direction: Direction,
}

impl Load<'_> {
    /// Taps of all positions along an axis.
    fn taps(&self, axis: usize) -> u64 {
        let positions = self.connection.positions(axis, self.direction);
        positions.iter().map(|alike| u64::from(alike.count) * alike.taps.len() as u64).sum()
    }
    /// Pairs of channels that meet at a tap.
    fn rows_of_channels(&self) -> u64 {
        let pairs = self.connection.pairs(self.direction);
        pairs.iter().map(|pairs| u64::from(pairs.n_rows) * pairs.n_columns()).sum()
    }
    /// Adds the edges at every position or channel.
    fn add_to(&self, counts: &mut [u64], along: Along) {
        match along {
            Along::Rows => self.add_pixels(0, counts, self.taps(1) * self.rows_of_channels()),
            Along::Pixels(y) => {
                let positions = self.connection.positions(0, self.direction).iter();
                let there = |alike: &&AlikePositions| y >= alike.first && (y - alike.first).is_multiple_of(alike.step);
                let there = positions.filter(|alike| there(alike) && (y - alike.first) / alike.step < alike.count);
                let taps: u64 = there.map(|alike| alike.taps.len() as u64).sum();
                self.add_pixels(1, counts, taps * self.rows_of_channels());
            }
            Along::Channels => {
                let taps = self.taps(0) * self.taps(1);
                for pairs in self.connection.pairs(self.direction) {
                    for row in 0..pairs.n_rows {
                        counts[(pairs.first_row + row * pairs.row_step) as usize] += pairs.n_columns() * taps;
                    }
                }
            }
        }
    }
    fn add_pixels(&self, axis: usize, counts: &mut [u64], others: u64) {
        for alike in self.connection.positions(axis, self.direction) {
            for position in 0..alike.count {
                counts[(alike.first + position * alike.step) as usize] += alike.taps.len() as u64 * others;
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
