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
    /// All elements of a graph layer in its own output.
    pub(super) fn whole(shape: Shape) -> Self {
        let channels = (0..shape.c as u32).map(|c| Channel { tensor: c, source: c, factor: 1.0 }).collect();
        Self { channels, axes: [AxisMap::identity(shape.h), AxisMap::identity(shape.w)], shape }
    }

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
    pub place: Arc<Place>,
}

/// Gates in series, the latest first. Ways that begin alike share what they have in common: a chain of `n` activations takes
/// memory for `n` gates, not for one list per layer.
#[derive(Clone, Debug, Default)]
pub struct Gates(Option<Arc<Link>>);

#[derive(Debug)]
struct Link {
    gate: Gate,
    before: Gates,
}

impl Gates {
    /// These, and one more.
    pub(super) fn then(&self, gate: Gate) -> Self {
        Self(Some(Arc::new(Link { gate, before: self.clone() })))
    }

    /// The gates, the latest first.
    pub fn iter(&self) -> impl Iterator<Item = &Gate> {
        std::iter::successors(self.0.as_deref(), |link| link.before.0.as_deref()).map(|link| &link.gate)
    }

    /// What tells shared lists apart; equal lists that were made separately differ.
    pub(super) fn address(&self) -> usize {
        self.0.as_ref().map_or(0, |link| Arc::as_ptr(link).addr())
    }
}

impl PartialEq for Gates {
    /// Gate by gate, as far as the two lists are not the same memory.
    fn eq(&self, other: &Self) -> bool {
        let (mut a, mut b) = (self, other);
        while a.address() != b.address() {
            match (&a.0, &b.0) {
                (Some(x), Some(y)) if x.gate == y.gate => (a, b) = (&x.before, &y.before),
                _ => return false,
            }
        }
        true
    }
}

impl Drop for Gates {
    /// Link by link: the default would recurse as deep as the network is.
    fn drop(&mut self) {
        let mut next = self.0.take();
        while let Some(mut link) = next.and_then(Arc::into_inner) {
            next = link.before.0.take();
        }
    }
}

/// How the nodes of one graph layer reach a tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct Way {
    /// The tensor: index of the network layer whose output it is.
    pub tensor: usize,
    /// Which of its elements stands for which node.
    pub place: Arc<Place>,
    /// The activations on the way.
    pub gates: Gates,
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
    view.pieces.iter().map(|piece| (piece.layer, piece.way(tensor))).collect()
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
        self.for_each_element(layer, &Place::whole(self.linears[layer].shape), f);
    }
}
