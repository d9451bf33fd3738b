//! How much a network may ask for: a file of a few hundred bytes can stand for sums of a million addends, or for windows
//! that are cut off differently at every one of a million positions.
//!
//! Each limit lies well above what the largest network that we know needs, and keeps memory below some 100 MB beyond the
//! parameters. ResNet-1202 with `--residual expand` has 181,000 connections, 0.7 million contributions and 24 million intervals.

use super::channel_pairs::ChannelPairs;
use super::error::Error;
use super::node_layer::Connection;
use super::view::View;
use crate::graph::Direction;

/// Most channels that are listed one by one.
pub(super) const MAX_CHANNELS: u64 = 1 << 22;

/// What has been used, over all layers.
#[derive(Clone, Debug, Default)]
pub(super) struct Used {
    contributions: u64,
    channels: u64,
    positions: u64,
    connections: u64,
    pairs: u64,
    intervals: u64,
    edges: u64,
}

/// One thing that is counted: what it is, how much there is, and how much there may be.
struct Count<'a> {
    what: &'static str,
    used: &'a mut u64,
    most: u64,
}

impl Count<'_> {
    fn add(self, layer: &str, more: u64) -> Result<(), Error> {
        let Self { what, used, most } = self;
        *used = used.saturating_add(more);
        match *used <= most {
            true => Ok(()),
            false => Err(Error::TooLong { layer: layer.into(), what, most }),
        }
    }
}

impl Used {
    /// The view of one more tensor; its element maps are new where it is not only passed on.
    pub fn view(&mut self, layer: &str, view: &View, is_new: bool) -> Result<(), Error> {
        let what = "parts of sums and concatenations";
        Count { what, used: &mut self.contributions, most: 1 << 21 }.add(layer, view.contributions.len() as u64)?;
        if !is_new {
            return Ok(());
        }
        self.channels(layer, view.n_listed())
    }

    /// Channels that are listed one by one.
    pub fn channels(&mut self, layer: &str, channels: u64) -> Result<(), Error> {
        Count { what: "channels", used: &mut self.channels, most: MAX_CHANNELS }.add(layer, channels)
    }

    /// A window along an axis: the positions and taps that are looked at one by one.
    pub fn axis(&mut self, layer: &str, positions: u64, taps: u64) -> Result<(), Error> {
        let count = Count { what: "window positions along an axis", used: &mut self.positions, most: 1 << 23 };
        count.add(layer, positions.saturating_mul(taps))
    }

    /// Which channels of a layer and of one that it reads meet, listed once for all connections that share the list.
    pub fn pairs(&mut self, layer: &str, pairs: &[Vec<ChannelPairs>; 2]) -> Result<(), Error> {
        let found = pairs.iter().map(|pairs| pairs.len() as u64).sum();
        Count { what: "groups of channels", used: &mut self.pairs, most: 1 << 18 }.add(layer, found)
    }

    /// A connection that a layer has `count` times.
    pub fn connection(&mut self, layer: &str, connection: &Connection, count: u64) -> Result<(), Error> {
        Count { what: "readings of one layer by another", used: &mut self.connections, most: 1 << 18 }
            .add(layer, count)?;
        let mut row = 0;
        for direction in [Direction::In, Direction::Out] {
            let [down, across] = [0, 1].map(|axis| connection.positions(axis, direction));
            let taps = |positions: &[_]| {
                positions.iter().map(|alike: &super::axis::AlikePositions| alike.taps.len() as u64).sum::<u64>()
            };
            let columns: u64 = connection.pairs(direction).iter().map(|pairs| pairs.columns.len() as u64).sum();
            let longest = down.iter().map(|alike| alike.taps.len() as u64).max().unwrap_or(0);
            let line = taps(across).saturating_mul(columns);
            row = row.max(longest.saturating_mul(line));
            let count = line.saturating_mul(taps(down)).saturating_mul(count);
            Count { what: "runs of edges", used: &mut self.intervals, most: 1 << 26 }.add(layer, count)?;
        }
        Count { what: "runs of edges in an image row", used: &mut row, most: 1 << 22 }.add(layer, 0)
    }

    /// The edges of a connection that a layer has `count` times.
    pub fn edges(&mut self, layer: &str, connection: &Connection, count: u64) -> Result<(), Error> {
        let taps = connection.axes.iter().map(|axis| axis.tap_counts.iter().sum::<u64>());
        let pairs = connection.pairs[0].iter().map(|pairs| u64::from(pairs.n_rows) * pairs.n_columns());
        let edges = taps.fold(pairs.sum::<u64>(), u64::saturating_mul).saturating_mul(count);
        Count { what: "edges", used: &mut self.edges, most: 1 << 53 }.add(layer, edges)
    }
}
