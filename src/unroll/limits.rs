//! How much a network may ask for: a file of a few hundred bytes can stand for sums of a million addends, or for windows
//! that are cut off differently at every one of a million positions.
//!
//! Each limit lies well above what the largest network that we know needs, and keeps memory below some 100 MB beyond the
//! parameters. ResNet-1202 with `--residual expand` has 181,000 sources, 0.7 million pieces and 24 million intervals.

use super::channel_pairs::Panel;
use super::error::Error;
use super::node_layer::Source;
use super::view::View;
use crate::graph::Direction;

/// Most channels that are listed one by one.
pub(super) const MAX_CHANNELS: u64 = 1 << 22;

/// What has been used, over all layers.
#[derive(Clone, Debug, Default)]
pub(super) struct Used {
    pieces: u64,
    channels: u64,
    positions: u64,
    sources: u64,
    panels: u64,
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
    /// The view of one more tensor; its places are new where it is not only passed on.
    pub fn view(&mut self, layer: &str, view: &View, is_new: bool) -> Result<(), Error> {
        let what = "parts of sums and concatenations";
        Count { what, used: &mut self.pieces, most: 1 << 21 }.add(layer, view.pieces.len() as u64)?;
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

    /// Panels between a layer and channels of one that it reads, made once for all sources that share them.
    pub fn panels(&mut self, layer: &str, panels: &[Vec<Panel>; 2]) -> Result<(), Error> {
        let found = panels.iter().map(|panels| panels.len() as u64).sum();
        Count { what: "groups of channels", used: &mut self.panels, most: 1 << 18 }.add(layer, found)
    }

    /// A source that a layer reads `count` times.
    pub fn source(&mut self, layer: &str, source: &Source, count: u64) -> Result<(), Error> {
        Count { what: "readings of one layer by another", used: &mut self.sources, most: 1 << 18 }.add(layer, count)?;
        let mut row = 0;
        for direction in [Direction::In, Direction::Out] {
            let [down, across] = [0, 1].map(|axis| source.runs(axis, direction));
            let taps = |runs: &[_]| runs.iter().map(|run: &super::axis::AxisRun| run.taps.len() as u64).sum::<u64>();
            let columns: u64 = source.panels(direction).iter().map(|panel| panel.columns.len() as u64).sum();
            let longest = down.iter().map(|run| run.taps.len() as u64).max().unwrap_or(0);
            let line = taps(across).saturating_mul(columns);
            row = row.max(longest.saturating_mul(line));
            let count = line.saturating_mul(taps(down)).saturating_mul(count);
            Count { what: "runs of edges", used: &mut self.intervals, most: 1 << 26 }.add(layer, count)?;
        }
        Count { what: "runs of edges in an image row", used: &mut row, most: 1 << 22 }.add(layer, 0)
    }

    /// The edges of a source that is read `count` times.
    pub fn edges(&mut self, layer: &str, source: &Source, count: u64) -> Result<(), Error> {
        let taps = source.axes.iter().map(|axis| axis.tap_counts.iter().sum::<u64>());
        let pairs = source.panels[0].iter().map(|panel| u64::from(panel.n_rows) * panel.n_columns());
        let edges = taps.fold(pairs.sum::<u64>(), u64::saturating_mul).saturating_mul(count);
        Count { what: "edges", used: &mut self.edges, most: 1 << 53 }.add(layer, edges)
    }
}
