//! What the active subnetworks of all images have in common: where on the way from a layer to its readers a value can be
//! set to zero.
//!
//! A **gate** is an activation that can set values to zero, as far as it lies between a node and a layer that reads it. The
//! nodes of a layer can have other gates towards one reader than towards another:
//!
//! ```text
//!   conv1 ──▶ relu1 ─┬──▶ conv2 ──▶ relu2 ─┐
//!                    │                     + ──▶ conv3        (--residual expand: the sum has no nodes)
//!                    └─────────────────────┘
//!
//!   reader, source     gates of the source's nodes
//!   conv2,  conv1      relu1
//!   conv3,  conv1      relu1
//!   conv3,  conv2      relu2
//! ```
//!
//! With another ReLU after the sum conv3 would read conv1 through it and relu1, and conv2 through it and relu2; conv1's
//! nodes would then have two sets of gates, and whether an edge out of conv1 is active would depend on its reader. So gates
//! belong to a pair of layers ([`LayerPair`]). Pairs with the same source and the same gates share a [`LayerGates`], and
//! one mask a node: bit `k` is set if all gates of the node are open in image `k`.

use std::collections::HashMap;

use rayon::prelude::*;

use super::error::Error;
use crate::forward::{Forward, States};
use crate::graph::{BlockStream, LayerKind, NodeId};
use crate::kernel::{LANES, mask_of};
use crate::unroll::{ElementMap, Gates, Route, Unrolled};

/// No element.
const NONE: u32 = u32::MAX;

/// A network's graph and the activations between its layers.
///
/// Memory: 4 bytes for every node of a max-pooling layer and of its sources.
pub struct Wiring<'a> {
    pub(super) graph: &'a Unrolled,
    /// By reader, then by source.
    pairs: Vec<LayerPair>,
    gates: Vec<LayerGates<'a>>,
    /// By graph layer: indices of the gates of its nodes.
    gates_of: HashMap<usize, Vec<usize>>,
    /// By graph layer: of max-pooling layers, which elements of their output their nodes are.
    pools: Vec<Option<NodeElements>>,
}

/// A graph layer and one that it reads.
pub(super) struct LayerPair {
    reader: usize,
    source: usize,
    /// Index of the gates between them.
    pub gates: usize,
    /// Of a max-pooling reader: which elements of the tensor that is pooled the source's nodes are.
    pub pooled: Option<NodeElements>,
}

/// Which element of a tensor each node of a layer is.
pub(super) struct NodeElements {
    /// Index of the network layer whose output the tensor is.
    tensor: usize,
    first: NodeId,
    /// By node of the graph layer: element, or [`NONE`].
    elements: Vec<u32>,
}

impl NodeElements {
    fn new(tensor: usize, graph: &Unrolled, graph_layer: usize) -> Self {
        let nodes = &graph.layers()[graph_layer].nodes;
        Self { tensor, first: nodes.start, elements: vec![NONE; nodes.len()] }
    }

    /// The value of a node, by lane.
    pub fn value<'s>(&self, states: &'s States, node: NodeId) -> &'s [f32; LANES] {
        &states.tensor(self.tensor)[self.elements[(node - self.first) as usize] as usize]
    }
}

/// The gates between the nodes of a layer and one or several of its readers.
#[derive(PartialEq)]
struct LayerGates<'a> {
    source: usize,
    parts: Vec<GatedNodes<'a>>,
}

/// Nodes of one layer that have the same gates, in series.
#[derive(PartialEq)]
struct GatedNodes<'a> {
    gates: &'a Gates,
    /// Which nodes: those that these elements stand for; all nodes of the layer if there is nothing.
    elements: Option<&'a ElementMap>,
}

impl<'a> Wiring<'a> {
    /// The wiring of a network, given as graph and made ready to run.
    ///
    /// # Errors
    /// If a layer reads another in two ways that are not active together, or no layer reaches the output.
    pub fn new(graph: &'a Unrolled, forward: &Forward) -> Result<Self, Error> {
        if graph.output().is_empty() {
            return Err(Error::NoOutput);
        }
        let n_layers = graph.layers().len();
        let mut wiring =
            Self { graph, pairs: Vec::new(), gates: Vec::new(), gates_of: HashMap::new(), pools: Vec::new() };
        for reader in 0..n_layers {
            let is_pool = graph.layers()[reader].kind == LayerKind::MaxPool;
            wiring.pools.push(is_pool.then(|| pool_output(graph, reader)));
            let routes: Vec<_> = graph.routes(reader).collect();
            for (_, route) in &routes {
                check_order(forward, route)?;
            }
            for routes in routes.chunk_by(|a, b| a.0 == b.0) {
                wiring.add_pair(reader, routes)?;
            }
        }
        Ok(wiring)
    }

    /// Adds what lies between a reader and one source, which it reads by `routes`.
    fn add_pair(&mut self, reader: usize, routes: &[(usize, &'a Route)]) -> Result<(), Error> {
        let (graph, source) = (self.graph, routes[0].0);
        let name = |layer: usize| graph.layers()[layer].name.clone();
        let two_ways = || Error::TwoWays { reader: name(reader), source_layer: name(source) };
        let parts = gated_nodes(graph, source, routes).ok_or_else(two_ways)?;
        let pooled = match self.pools[reader] {
            Some(_) => Some(pool_input(graph, source, routes).ok_or_else(two_ways)?),
            None => None,
        };
        let gates = LayerGates { source, parts };
        let of_source = self.gates_of.entry(source).or_default();
        let known = of_source.iter().copied().find(|&known| self.gates[known] == gates);
        let gates = known.unwrap_or_else(|| {
            self.gates.push(gates);
            of_source.push(self.gates.len() - 1);
            self.gates.len() - 1
        });
        self.pairs.push(LayerPair { reader, source, gates, pooled });
        Ok(())
    }

    /// What lies between a reader and its source.
    pub(super) fn between(&self, reader: usize, source: usize) -> &LayerPair {
        let found = self.pairs.binary_search_by_key(&(reader, source), |pair| (pair.reader, pair.source));
        &self.pairs[found.expect("an edge is between two layers one of which reads the other")]
    }

    /// Which elements of its output the nodes of a max-pooling layer are.
    pub(super) fn pool(&self, layer: usize) -> Option<&NodeElements> {
        self.pools[layer].as_ref()
    }

    /// The images in which the gates are open, by [`LayerPair::gates`] and node of the source.
    pub(super) fn open(&self, states: &States) -> Vec<Vec<u16>> {
        self.gates.par_iter().with_max_len(1).map(|gates| gates.open(self.graph, states)).collect()
    }

    /// First node of the layer whose gates they are.
    pub(super) fn first_node(&self, gates: usize) -> NodeId {
        self.graph.layers()[self.gates[gates].source].nodes.start
    }
}

impl LayerGates<'_> {
    /// By node: the images in which its gates are open, one bit each.
    fn open(&self, graph: &Unrolled, states: &States) -> Vec<u16> {
        let nodes = &graph.layers()[self.source].nodes;
        let mut masks = vec![u16::MAX; nodes.len()];
        for GatedNodes { gates, elements } in &self.parts {
            let mut is_meant = vec![elements.is_none(); nodes.len()];
            if let Some(elements) = elements {
                graph.for_each_element(self.source, elements, |_, node| {
                    is_meant[(node - nodes.start) as usize] = true;
                });
            }
            for gate in gates.iter() {
                // A gate is closed to nodes that do not reach the activation: a slice or a padding on the way has taken
                // them out, so no edge behind it is theirs.
                let mut passing = vec![0; nodes.len()];
                let tensor = states.tensor(gate.layer);
                graph.for_each_element(self.source, &gate.elements, |element, node| {
                    passing[(node - nodes.start) as usize] = mask_of(tensor[element].map(|value| value != 0.0));
                });
                let meant = masks.iter_mut().zip(passing).zip(&is_meant).filter(|(_, is_meant)| **is_meant);
                meant.for_each(|((mask, passing), _)| *mask &= passing);
            }
        }
        masks
    }
}

/// The nodes of a source by their gates; nothing if a node has two sets of gates.
fn gated_nodes<'a>(graph: &Unrolled, source: usize, routes: &[(usize, &'a Route)]) -> Option<Vec<GatedNodes<'a>>> {
    let first = routes[0].1;
    if routes.iter().all(|(_, route)| route.gates == first.gates) {
        return Some(vec![GatedNodes { gates: &first.gates, elements: None }]);
    }
    let nodes = &graph.layers()[source].nodes;
    let mut route_of: Vec<Option<usize>> = vec![None; nodes.len()];
    let mut is_clear = true;
    for (index, (_, route)) in routes.iter().enumerate() {
        graph.for_each_element(source, &route.elements, |_, node| {
            let known = route_of[(node - nodes.start) as usize].get_or_insert(index);
            is_clear &= routes[*known].1.gates == route.gates;
        });
    }
    let part = |(_, route): &(usize, &'a Route)| GatedNodes { gates: &route.gates, elements: Some(&*route.elements) };
    is_clear.then(|| routes.iter().map(part).collect())
}

/// Which elements of the tensor that is pooled the source's nodes are; nothing if one is two elements.
fn pool_input(graph: &Unrolled, source: usize, routes: &[(usize, &Route)]) -> Option<NodeElements> {
    let mut pooled = NodeElements::new(routes[0].1.tensor, graph, source);
    let mut is_clear = true;
    for (_, route) in routes {
        graph.for_each_element(source, &route.elements, |element, node| {
            let known = &mut pooled.elements[(node - pooled.first) as usize];
            is_clear &= *known == NONE || *known == element as u32;
            *known = element as u32;
        });
    }
    is_clear.then_some(pooled)
}

fn pool_output(graph: &Unrolled, layer: usize) -> NodeElements {
    let mut output = NodeElements::new(graph.network_layer(layer), graph, layer);
    graph.for_each_own_element(layer, |element, node| {
        output.elements[(node - output.first) as usize] = element as u32;
    });
    output
}

/// That graph and forward pass number the elements of the tensors on a route alike.
fn check_order(forward: &Forward, route: &Route) -> Result<(), Error> {
    let gates = route.gates.iter().map(|gate| (gate.layer, &*gate.elements));
    for (layer, elements) in gates.chain([(route.tensor, &*route.elements)]) {
        let (found, expected) = (forward.order(layer), elements.shape());
        if found != expected {
            return Err(Error::Order { layer, found, expected });
        }
    }
    Ok(())
}
