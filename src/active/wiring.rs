//! What the active subnetworks of all images have in common: where on the way between two layers a value can become zero.

use std::collections::HashMap;

use super::error::Error;
use crate::forward::{Forward, States};
use crate::graph::{BlockStream, LayerKind, NodeId};
use crate::kernel::{LANES, mask_of};
use crate::unroll::{Gates, Place, Unrolled, Way};

/// No element.
const NONE: u32 = u32::MAX;

/// A network's graph and the activations between its layers.
///
/// Memory: 4 bytes for every node of a max-pooling layer and of its sources.
pub struct Wiring<'a> {
    pub(super) graph: &'a Unrolled,
    /// By reader, then by source.
    links: Vec<Link>,
    planes: Vec<Plane<'a>>,
    /// By graph layer: indices of the planes of its nodes.
    planes_of: HashMap<usize, Vec<usize>>,
    /// By graph layer: of max-pooling layers, where their nodes are in their output.
    pools: Vec<Option<Tensor>>,
}

/// A graph layer and one that it reads.
pub(super) struct Link {
    reader: usize,
    source: usize,
    /// Index of the gates of the source's nodes.
    pub plane: usize,
    /// Of a max-pooling reader: where the source's nodes are in the tensor that is pooled.
    pub pooled: Option<Tensor>,
}

/// Where the nodes of a layer are in a tensor.
pub(super) struct Tensor {
    /// Index of the network layer.
    layer: usize,
    first: NodeId,
    /// By node of the graph layer: element, or [`NONE`].
    elements: Vec<u32>,
}

impl Tensor {
    fn new(layer: usize, graph: &Unrolled, graph_layer: usize) -> Self {
        let nodes = &graph.layers()[graph_layer].nodes;
        Self { layer, first: nodes.start, elements: vec![NONE; nodes.len()] }
    }

    /// The value of a node, by lane.
    pub fn value<'s>(&self, states: &'s States, node: NodeId) -> &'s [f32; LANES] {
        &states.tensor(self.layer)[self.elements[(node - self.first) as usize] as usize]
    }
}

/// Gates that some of a layer's nodes have on the way to one or several readers.
#[derive(PartialEq)]
struct Plane<'a> {
    source: usize,
    parts: Vec<Part<'a>>,
}

/// Gates in series, and the nodes that are meant; without a place all.
#[derive(PartialEq)]
struct Part<'a> {
    gates: &'a Gates,
    place: Option<&'a Place>,
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
            Self { graph, links: Vec::new(), planes: Vec::new(), planes_of: HashMap::new(), pools: Vec::new() };
        for reader in 0..n_layers {
            let is_pool = graph.layers()[reader].kind == LayerKind::MaxPool;
            wiring.pools.push(is_pool.then(|| pool_output(graph, reader)));
            let ways: Vec<_> = graph.ways(reader).collect();
            for (_, way) in &ways {
                check_order(forward, way)?;
            }
            for ways in ways.chunk_by(|a, b| a.0 == b.0) {
                wiring.link(reader, ways)?;
            }
        }
        Ok(wiring)
    }

    fn link(&mut self, reader: usize, ways: &[(usize, &'a Way)]) -> Result<(), Error> {
        let (graph, source) = (self.graph, ways[0].0);
        let name = |layer: usize| graph.layers()[layer].name.clone();
        let two_ways = || Error::TwoWays { reader: name(reader), source_layer: name(source) };
        let parts = parts(graph, source, ways).ok_or_else(two_ways)?;
        let pooled = match self.pools[reader] {
            Some(_) => Some(pool_input(graph, source, ways).ok_or_else(two_ways)?),
            None => None,
        };
        let plane = Plane { source, parts };
        let of_source = self.planes_of.entry(source).or_default();
        let known = of_source.iter().copied().find(|&known| self.planes[known] == plane);
        let plane = known.unwrap_or_else(|| {
            self.planes.push(plane);
            of_source.push(self.planes.len() - 1);
            self.planes.len() - 1
        });
        self.links.push(Link { reader, source, plane, pooled });
        Ok(())
    }

    /// What lies between a reader and its source.
    pub(super) fn between(&self, reader: usize, source: usize) -> &Link {
        let found = self.links.binary_search_by_key(&(reader, source), |link| (link.reader, link.source));
        &self.links[found.expect("an edge is between layers that are linked")]
    }

    /// Where the nodes of a max-pooling layer are in its output.
    pub(super) fn pool(&self, layer: usize) -> Option<&Tensor> {
        self.pools[layer].as_ref()
    }

    /// Which images let the nodes' values pass, by plane and node of its layer.
    pub(super) fn planes(&self, states: &States) -> Vec<Vec<u16>> {
        use rayon::prelude::*;
        self.planes.par_iter().with_max_len(1).map(|plane| plane.masks(self.graph, states)).collect()
    }

    /// First node of a plane.
    pub(super) fn first_node(&self, plane: usize) -> NodeId {
        self.graph.layers()[self.planes[plane].source].nodes.start
    }
}

impl Plane<'_> {
    fn masks(&self, graph: &Unrolled, states: &States) -> Vec<u16> {
        let nodes = &graph.layers()[self.source].nodes;
        let mut masks = vec![u16::MAX; nodes.len()];
        for part in &self.parts {
            for gate in part.gates.iter() {
                let tensor = states.tensor(gate.layer);
                let open = |element: usize| mask_of(tensor[element].map(|value| value != 0.0));
                match part.place {
                    None => {
                        // A node that does not reach the activation has no edge behind it.
                        let mut passing = vec![0; nodes.len()];
                        graph.for_each_element(self.source, &gate.place, |element, node| {
                            passing[(node - nodes.start) as usize] = open(element);
                        });
                        masks.iter_mut().zip(passing).for_each(|(mask, passing)| *mask &= passing);
                    }
                    Some(place) => {
                        let mut meant = vec![false; nodes.len()];
                        graph.for_each_element(self.source, place, |_, node| {
                            meant[(node - nodes.start) as usize] = true
                        });
                        graph.for_each_element(self.source, &gate.place, |element, node| {
                            let node = (node - nodes.start) as usize;
                            if meant[node] {
                                masks[node] &= open(element);
                            }
                        });
                    }
                }
            }
        }
        masks
    }
}

/// The parts of the nodes that have different gates; nothing if a node has two.
fn parts<'a>(graph: &Unrolled, source: usize, ways: &[(usize, &'a Way)]) -> Option<Vec<Part<'a>>> {
    let first = ways[0].1;
    if ways.iter().all(|(_, way)| way.gates == first.gates) {
        return Some(vec![Part { gates: &first.gates, place: None }]);
    }
    let nodes = &graph.layers()[source].nodes;
    let mut owners: Vec<Option<usize>> = vec![None; nodes.len()];
    let mut is_clear = true;
    for (index, (_, way)) in ways.iter().enumerate() {
        graph.for_each_element(source, &way.place, |_, node| {
            let owner = owners[(node - nodes.start) as usize].get_or_insert(index);
            is_clear &= ways[*owner].1.gates == way.gates;
        });
    }
    is_clear.then(|| ways.iter().map(|(_, way)| Part { gates: &way.gates, place: Some(&*way.place) }).collect())
}

/// Where the source's nodes are in the tensor that is pooled; nothing if one is at two places.
fn pool_input(graph: &Unrolled, source: usize, ways: &[(usize, &Way)]) -> Option<Tensor> {
    let mut tensor = Tensor::new(ways[0].1.tensor, graph, source);
    let mut is_clear = true;
    for (_, way) in ways {
        graph.for_each_element(source, &way.place, |element, node| {
            let place = &mut tensor.elements[(node - tensor.first) as usize];
            is_clear &= *place == NONE || *place == element as u32;
            *place = element as u32;
        });
    }
    is_clear.then_some(tensor)
}

fn pool_output(graph: &Unrolled, layer: usize) -> Tensor {
    let mut tensor = Tensor::new(graph.network_layer(layer), graph, layer);
    graph.for_each_own_element(layer, |element, node| {
        tensor.elements[(node - tensor.first) as usize] = element as u32;
    });
    tensor
}

/// That graph and forward pass number the elements of the tensors on a way alike.
fn check_order(forward: &Forward, way: &Way) -> Result<(), Error> {
    let gates = way.gates.iter().map(|gate| (gate.layer, &*gate.place));
    for (layer, place) in gates.chain([(way.tensor, &*way.place)]) {
        let (found, expected) = (forward.order(layer), place.shape());
        if found != expected {
            return Err(Error::Order { layer, found, expected });
        }
    }
    Ok(())
}
