//! Which element of a tensor stands for which node, and which activations a node's value passes on its way to a reader.
//!
//! Edges do not depend on any of this. It is for those who compare the graph with the network's values for an input.

use std::sync::Arc;

use super::Unrolled;
use super::linear::Linear;
use super::view::{AxisMap, Channel, View};
use crate::graph::NodeId;
use crate::net::{Activation, Shape};

/// Some elements of a tensor, each of which stands for one node of one graph layer, no two for the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// By rising tensor channel.
    pub(super) channels: Arc<[Channel]>,
    /// Vertical and horizontal pixels.
    pub(super) axes: [AxisMap; 2],
    /// The tensor's channels and pixels; of a flattened tensor, those before the flattening.
    pub(super) shape: Shape,
}

impl Place {
    /// The tensor's channels and pixels; of a flattened tensor, those before the flattening. Its elements are numbered
    /// channels-last in this shape: `(y · width + x) · channels + channel`.
    pub fn shape(&self) -> Shape {
        self.shape
    }
}

/// An activation that sets some values to zero, and where in its output the nodes are.
#[derive(Clone, Debug, PartialEq)]
pub struct Gate {
    /// Index of the network layer.
    pub layer: usize,
    /// Which element of its output stands for which node.
    pub place: Place,
}

/// How the nodes of one graph layer reach a tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct Way {
    /// The tensor: index of the network layer whose output it is.
    pub tensor: usize,
    /// Which of its elements stands for which node.
    pub place: Place,
    /// The activations on the way, in order.
    pub gates: Vec<Gate>,
}

/// Can an activation switch a node off, i.e. is it zero for all values on one side of some number? So are `max(x, 0)` and
/// what equals it, and functions that clip at zero.
pub(super) fn switches_off(activation: &Activation) -> bool {
    match activation {
        Activation::Relu | Activation::HardSigmoid(..) => true,
        Activation::LeakyRelu(slope) | Activation::Elu(slope) | Activation::Selu(_, slope) => *slope == 0.0,
        Activation::PRelu(slopes) => slopes.contains(&0.0),
        Activation::Clip(low, high) => *low == 0.0 || *high == 0.0,
        Activation::Sigmoid | Activation::Tanh | Activation::Softplus | Activation::Softsign => false,
    }
}

/// The ways to the network's output, each with its graph layer.
pub(super) fn output(tensor: usize, view: &View) -> Vec<(usize, Way)> {
    let way = |piece: &super::view::Piece| Way { tensor, place: view.place(piece), gates: piece.gates.clone() };
    view.pieces.iter().map(|piece| (piece.layer, way(piece))).collect()
}

impl Unrolled {
    /// Index of the network layer whose output the nodes of graph layer `layer` are.
    pub fn network_layer(&self, layer: usize) -> usize {
        self.linears[layer].network
    }

    /// The ways by which graph layer `reader` reads others, each with the graph layer that is read, by rising layer.
    pub fn ways(&self, reader: usize) -> impl Iterator<Item = (usize, &Way)> {
        self.linears[reader].sources.iter().map(|source| (source.layer, &source.way))
    }

    /// The ways to the output of the last network layer, each with the graph layer that it comes from.
    pub fn output(&self) -> &[(usize, Way)] {
        &self.output
    }

    /// Calls `f(element, node)` for the elements of a tensor that stand for nodes of graph layer `layer`.
    pub fn for_each_element(&self, layer: usize, place: &Place, mut f: impl FnMut(usize, NodeId)) {
        let Linear { shape, first, order, .. } = &self.linears[layer];
        let pixels = |axis: usize| {
            let map = place.axes[axis];
            (map.lo..map.hi).map(move |t| (t as usize, (t * map.step + map.offset) as u32))
        };
        let Shape { c, w, .. } = place.shape;
        for (y, from_y) in pixels(0) {
            for (x, from_x) in pixels(1) {
                let node = first + (from_y * shape.w as u32 + from_x) * shape.c as u32;
                for channel in place.channels.iter() {
                    f((y * w + x) * c + channel.tensor as usize, node + order.node_channel(channel.source));
                }
            }
        }
    }

    /// Calls `f(element, node)` for all nodes of a graph layer and the elements of its own network layer's output.
    pub fn for_each_own_element(&self, layer: usize, f: impl FnMut(usize, NodeId)) {
        let view = View::whole(layer, self.linears[layer].shape);
        self.for_each_element(layer, &view.place(&view.pieces[0]), f);
    }
}
