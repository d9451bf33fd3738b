//! UNROLLING: a layer graph becomes a stream of edge blocks, computed on the fly.
//!
//! Nodes are the elements of the input and of the outputs of every convolution, pool and dense layer (with
//! [`ResidualRule::Node`] also of every addition), channels-last. Every other operator only changes which nodes the next
//! layer reads (`view`, `join`). No edge is ever stored: a layer keeps, per source and axis, which positions share their
//! taps (`axis`), and which channels meet (`panel`); a frame's blocks are their products (`blocks`).
//!
//! Rows of `A` and of `Aᵀ` point into one value store, in which every parameter appears once: a kernel as
//! `[out][kh][kw][in/groups]`, read along rows or along columns.
//!
//! ```
//! use frustration::graph::BlockStream;
//! use frustration::net::{Dense, Layer, Network, Op, Shape};
//! use frustration::unroll::{Options, Unrolled};
//! let input = Layer { name: "x".into(), op: Op::Input, inputs: vec![], shape: Shape::new(2, 1, 1) };
//! let dense = Op::Dense(Dense { weight: vec![0.5, -1.0], bias: None });
//! let output = Layer { name: "y".into(), op: dense, inputs: vec![0], shape: Shape::new(1, 1, 1) };
//! let net = Network { name: "tiny".into(), layers: vec![input, output], warnings: vec![] };
//! let graph = Unrolled::new(&net, Options::default())?;
//! assert_eq!((graph.totals().n_nodes, graph.totals().n_edges, graph.totals().sum_abs), (3, 2, 1.5));
//! # Ok::<(), frustration::unroll::Error>(())
//! ```
//!
//! # Frames
//! A frame is whole image rows of one layer: as many as make 2²⁰ edges (in and out together) or 2¹³ nodes. Image rows of
//! more than 2¹⁶ nodes are cut between pixels, layers of one pixel between multiples of eight channels.
//!
//! # Cost
//! [`Unrolled::new`] reads every parameter twice; time and memory beyond the value store are proportional to image
//! sides, channels and layers. Reading a frame costs O(blocks), typically nine per source for a padded convolution.
//!
//! # Determinism
//! The blocks that meet a row, and their intervals, depend on the network and the options alone, not on frames.

mod axis;
mod blocks;
mod chain;
pub(crate) mod check;
mod conv;
mod dense;
mod error;
mod frames;
mod join;
mod limits;
mod linear;
mod norm;
mod panel;
mod pool;
#[cfg(test)]
pub(crate) mod tests;
mod trace;
mod view;
mod walk;
mod weights;

pub use chain::shuffle_groups;
pub use error::Error;
pub use trace::{Gate, Gates, Place, Way};

use std::ops::Range;

use crate::graph::{self, BlockStream, Blocks, Direction, Frame, FrameInfo, Layer, Totals};
use crate::net::Network;
use blocks::{Region, push_blocks};
use frames::Limits;
use linear::Linear;
use walk::Walk;

/// What batch normalisation (and scaling by constants) does to the weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchNormRule {
    /// Nothing; negative scales are counted in a warning.
    #[default]
    Ignore,
    /// Weights are multiplied by the sign of γ.
    Sign,
    /// Weights are multiplied by `γ / √(var + ε)`.
    Fold,
}

/// What an addition is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResidualRule {
    /// No node: every addend is a source of the next layer, with the same weights.
    #[default]
    Expand,
    /// A layer of its own, with an edge of weight +1 from each addend.
    Node,
}

/// How a network becomes a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
pub struct Options {
    /// Batch normalisation.
    pub batch_norm: BatchNormRule,
    /// Additions.
    pub residual: ResidualRule,
}

/// A network as a block stream.
#[derive(Clone, Debug)]
pub struct Unrolled {
    linears: Vec<Linear>,
    output: Vec<(usize, Way)>,
    values: Vec<f32>,
    layers: Vec<Layer>,
    frames: Vec<FrameInfo>,
    regions: Vec<Region>,
    totals: Totals,
    warnings: Vec<String>,
}

impl Unrolled {
    /// Numbers the nodes, stores the weights, counts the edges and cuts the frames.
    ///
    /// # Errors
    /// [`Error`] if the network has no graph by these rules, or too large a one.
    pub fn new(net: &Network, options: Options) -> Result<Self, Error> {
        Self::with_limits(net, options, Limits::DEFAULT)
    }

    /// What a person should know about the graph, one line each; the network's own warnings are not repeated.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The blocks of `A` of the rows of graph layer `layer` in some image rows, image columns and channels.
    pub(crate) fn inward(&self, layer: usize, [y, x, c]: [Range<u32>; 3]) -> Blocks {
        let (region, rows) = (Region { y, x, c }, &self.linears[layer]);
        let mut blocks = Blocks::default();
        for source in &rows.sources {
            push_blocks(&mut blocks, Direction::In, &region, source, [rows, &self.linears[source.layer]]);
        }
        blocks
    }

    fn with_limits(net: &Network, options: Options, limits: Limits) -> Result<Self, Error> {
        let Walk { linears, values, output, .. } = Walk::new(net, options)?;
        let output = output.map_or_else(Vec::new, |view| trace::output(net.layers.len() - 1, &view));
        let layers: Vec<Layer> = (0..linears.len()).map(|index| layer(&linears, index)).collect();
        let totals = Totals {
            n_nodes: layers.last().map_or(0, |layer| layer.nodes.end),
            n_edges: layers.iter().map(|layer| layer.n_edges).sum(),
            sum_abs: layers.iter().map(|layer| layer.sum_abs).sum(),
        };
        check::density(totals)?;
        let (frames, regions) = frames::cut(&linears, limits).into_iter().unzip();
        let warnings = match options.batch_norm {
            BatchNormRule::Ignore => norm::warnings(net),
            BatchNormRule::Sign | BatchNormRule::Fold => Vec::new(),
        };
        Ok(Self { linears, output, values, layers, frames, regions, totals, warnings })
    }
}

/// A graph layer for the world outside.
fn layer(linears: &[Linear], index: usize) -> Layer {
    let linear = &linears[index];
    Layer {
        name: linear.name.clone(),
        kind: linear.kind,
        nodes: linear.first..linear.first + linear.shape.len() as u32,
        shape: [linear.shape.c, linear.shape.h, linear.shape.w].map(|n| n as u32),
        n_edges: frames::edges_in(linears, index),
        sum_abs: linear.sum_abs,
        params: linear.params.clone(),
        fan_in: linear.fan_in,
        taps: linear.taps,
        shuffle_groups: linear.order.groups(),
    }
}

impl BlockStream for Unrolled {
    fn totals(&self) -> Totals {
        self.totals
    }
    fn layers(&self) -> &[Layer] {
        &self.layers
    }
    fn frames(&self) -> &[FrameInfo] {
        &self.frames
    }
    /// Never fails.
    fn read(&self, index: usize, frame: &mut Frame) -> Result<(), graph::Error> {
        frame.clear();
        let (region, rows) = (&self.regions[index], &self.linears[self.frames[index].layer as usize]);
        for source in &rows.sources {
            let columns = &self.linears[source.layer];
            push_blocks(&mut frame.inward, Direction::In, region, source, [rows, columns]);
        }
        for &(reader, source) in &rows.readers {
            let columns = &self.linears[reader];
            push_blocks(&mut frame.outward, Direction::Out, region, &columns.sources[source], [rows, columns]);
        }
        Ok(())
    }
    fn values(&self) -> &[f32] {
        &self.values
    }
}
