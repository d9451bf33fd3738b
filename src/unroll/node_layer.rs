//! Layers with nodes, and the connections between them.
//!
//! A [`Connection`] is all edges between two layers that come about in one way: a few lists whose product is a hundred
//! million edges. The same connection gives the In blocks of the layer that reads and the Out blocks of the one that is read.

use std::ops::Range;
use std::sync::Arc;

use super::axis::{AlikePositions, AxisTaps};
use super::channel_order::ChannelOrder;
use super::channel_pairs::ChannelPairs;
use super::{ParameterOrder, Route};
use crate::graph::{Direction, LayerKind};
use crate::net::Shape;

/// A layer of the graph.
#[derive(Clone, Debug)]
pub(super) struct NodeLayer {
    /// Name of the network layer.
    pub name: String,
    /// Index of the network layer.
    pub network: usize,
    /// What it is.
    pub kind: LayerKind,
    /// Channels and pixels.
    pub shape: Shape,
    /// First node.
    pub first: u32,
    /// How its channels are numbered.
    pub order: ChannelOrder,
    /// `Σ|w|` over the edges into it.
    pub sum_abs: f64,
    /// Its own trained parameters in the value store.
    pub params: Range<u64>,
    /// Their order; none for layers without.
    pub param_order: Option<ParameterOrder>,
    /// Taps of a kernel; 1 for dense layers, 0 for layers without parameters.
    pub taps: u32,
    /// What its rows read, by column layer.
    pub connections: Vec<Connection>,
    /// Who reads its nodes: (graph layer, index of the connection there), in order.
    pub readers: Vec<(usize, usize)>,
}

/// One graph layer as seen from another that reads it.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    /// Index of the graph layer that is read.
    pub layer: usize,
    /// Positions that are alike, down and across.
    pub axes: [Arc<AxisTaps>; 2],
    /// Values between vertically and horizontally neighbouring taps.
    pub tap_strides: [u64; 2],
    /// Which channels meet, with the reader's as rows, and with the source's. Connections that are alike share the lists.
    pub pairs: Arc<[Vec<ChannelPairs>; 2]>,
    /// What lies between the two.
    pub route: Route,
}

impl Connection {
    /// Positions that are alike down (axis 0) or across (axis 1), for the rows of one direction.
    pub fn positions(&self, axis: usize, direction: Direction) -> &[AlikePositions] {
        direction.of(&self.axes[axis].inward, &self.axes[axis].outward)
    }
    /// Which channels meet, for the rows of one direction.
    pub fn pairs(&self, direction: Direction) -> &[ChannelPairs] {
        direction.of(&self.pairs[0], &self.pairs[1])
    }
}
