//! Which activations a node's value passes on its route to a reader.
//!
//! A reader sees a node through a tensor. Between the node's layer and that tensor its value may have passed activations
//! that can set it to zero: gates. Active subnetworks keep an edge only if all of them are open.
//!
//! Edges do not depend on any of this. It is for those who compare the graph with the network's values for an input.

use std::sync::Arc;

use super::element_map::ElementMap;
use crate::net::Activation;

/// An activation layer that sets some values to zero, and where in its output the nodes are: it has a gate for each of them.
#[derive(Clone, Debug, PartialEq)]
pub struct GateLayer {
    /// Index of the network layer.
    pub layer: usize,
    /// Which element of its output stands for which node.
    pub elements: Arc<ElementMap>,
}

/// Layers of gates in series, the latest first. Routes that begin alike share what they have in common: a chain of `n`
/// activations takes memory for `n` of them, not for one list per layer.
#[derive(Clone, Debug, Default)]
pub struct Gates(Option<Arc<LastGate>>);

#[derive(Debug)]
struct LastGate {
    gate: GateLayer,
    before: Gates,
}

impl Gates {
    /// These, and one more.
    pub(super) fn then(&self, gate: GateLayer) -> Self {
        Self(Some(Arc::new(LastGate { gate, before: self.clone() })))
    }

    /// The gates, the latest first.
    pub fn iter(&self) -> impl Iterator<Item = &GateLayer> {
        std::iter::successors(self.0.as_deref(), |link| link.before.0.as_deref()).map(|link| &link.gate)
    }

    /// What tells shared lists apart; equal lists that were made separately differ.
    pub(super) fn address(&self) -> usize {
        self.0.as_ref().map_or(0, |link| Arc::as_ptr(link).addr())
    }
}

impl PartialEq for Gates {
    /// Layer by layer, as far as the two lists are not the same memory.
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
    /// One after the other: the default would recurse as deep as the network is.
    fn drop(&mut self) {
        let mut next = self.0.take();
        while let Some(mut link) = next.and_then(Arc::into_inner) {
            next = link.before.0.take();
        }
    }
}

/// How the nodes of one graph layer reach a tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// The tensor: index of the network layer whose output it is.
    pub tensor: usize,
    /// Which of its elements stands for which node.
    pub elements: Arc<ElementMap>,
    /// The activations on the route.
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
