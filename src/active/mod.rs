//! ACTIVE SUBNETWORKS: what of the graph takes part in the network's answer to an image, and how frustrated that is.
//!
//! # Definition (paper, D.3)
//! An edge from node `j` to a layer is **active** if no ReLU that the value of `j` passes on its way to that layer makes it
//! zero; into a max-pooling layer only if the element of `j` is the maximum (all of them on a tie). Average pooling keeps
//! all its edges. ReLU is every activation that is zero on one side of some number: `max(x, 0)`, and clipping at zero. Values
//! at the other end of a clip are not zero: they stay.
//!
//! Of the output layer only the node of the predicted class stays: the largest logit, the first on a tie. Then nodes go
//! from which no active edges lead there. What stays is the active subnetwork; a node that is only reached by inactive
//! edges stays, as does one whose inputs are all zero.
//!
//! With residual connections (`--residual expand`) the value of an addend passes the activations of all sums between it
//! and its reader; so the condition is one of the edge, not of the node.
//!
//! # Representation
//! Sixteen images at a time, one per lane, one bit of a mask each ([`crate::kernel`]): masks by node and by pair of layers,
//! and by edge for max-pooling layers only. No edge list.
//!
//! # Energy
//! `e(s) = ½ (1 − Σ s_i w s_j / Σ|w|)` over active edges. The solver is [`crate::spin`]'s; see [`spin::Coupling`]. A
//! subnetwork without edges has energy 0.
//!
//! # Cost
//! A sweep multiplies all edges of the graph, active in some image or not, once in each direction for sixteen images. Memory
//! beyond the graph's: the forward pass's states, `64` bytes an element of any layer's output, until the masks are made;
//! for each node `2` bytes, and `2` for each distinct way on; `4` for each edge into a max-pooling layer.
//!
//! # Determinism
//! An image's result depends on the image, the graph and the method only, with [`Method::Anneal`](spin::Method::Anneal)
//! also on the seed and the number that the image is given: not on the other fifteen, threads, or instruction set.

mod alive;
mod count;
mod error;
mod fields;
mod sections;
mod taps;
#[cfg(test)]
mod tests;
mod wiring;

use std::ops::Range;

pub use error::Error;
pub use wiring::Wiring;

use crate::forward::States;
use crate::graph::{BlockStream, NodeId};
use crate::kernel::{Isa, LANES, lane_of_bit};
use crate::spin::{self, Control, Plan, Replica, Scales};
use alive::{Alive, Pass};
use count::Counts;
use fields::ActiveEdges;

/// The active subnetworks of up to sixteen images.
pub struct Activity<'a> {
    wiring: &'a Wiring<'a>,
    stream: &'a dyn BlockStream,
    isa: Isa,
    planes: Vec<Vec<u16>>,
    alive: Alive,
    /// By layer.
    counts: Vec<Counts>,
    answers: Vec<Answer>,
}

/// The network's answer to an image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answer {
    /// Index of the largest logit, channel-major; the first on a tie.
    pub class: usize,
    /// The logit.
    pub logit: f32,
}

/// What is active of one layer, or of all, in one image.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Active {
    /// Nodes.
    pub nodes: u64,
    /// Edges; of a layer, those into it.
    pub edges: u64,
    /// `Σ|w|` over the edges.
    pub sum_abs: f64,
}

impl<'a> Activity<'a> {
    /// What is active in `n_images` images, given the network's states: image `k` is in lane [`lane_of_bit`]`(k)`.
    ///
    /// `stream` has the frames of the wiring's graph.
    ///
    /// # Errors
    /// If the graph cannot be read.
    ///
    /// # Panics
    /// If there are more than sixteen images.
    pub fn new(
        wiring: &'a Wiring<'a>,
        stream: &'a dyn BlockStream,
        states: &States,
        n_images: usize,
        isa: Isa,
    ) -> Result<Self, Error> {
        assert!((1..=LANES).contains(&n_images), "{n_images} images for {LANES} lanes");
        let planes = wiring.planes(states);
        let answers: Vec<_> = (0..n_images).map(|image| wiring.answer(states, lane_of_bit(image))).collect();
        let roots: Vec<_> = wiring.roots(&answers);
        let alive = Pass { wiring, stream, states, planes: &planes }.run(&roots)?;
        let mut activity = Self { wiring, stream, isa, planes, alive, counts: Vec::new(), answers };
        activity.counts = count::by_layer(&activity.edges(1.0))?;
        Ok(activity)
    }

    fn edges(&self, factor: f64) -> ActiveEdges<'_> {
        let Self { wiring, stream, isa, planes, alive, .. } = self;
        let sum_abs = std::array::from_fn(|image| self.counts.iter().map(|counts| counts.sum_abs[image]).sum());
        ActiveEdges { wiring, stream: *stream, isa: *isa, planes, alive, factor, sum_abs }
    }

    /// Number of images.
    pub fn n_images(&self) -> usize {
        self.answers.len()
    }

    /// The network's answer to an image.
    pub fn answer(&self, image: usize) -> Answer {
        self.answers[image]
    }

    /// What is active in an image, by layer of the graph.
    pub fn layers(&self, image: usize) -> impl Iterator<Item = Active> {
        self.counts.iter().map(move |counts| Active {
            nodes: counts.nodes[image],
            edges: counts.edges[image],
            sum_abs: counts.sum_abs[image],
        })
    }

    /// What is active in an image.
    pub fn total(&self, image: usize) -> Active {
        self.layers(image).fold(Active::default(), |sum, layer| Active {
            nodes: sum.nodes + layer.nodes,
            edges: sum.edges + layer.edges,
            sum_abs: sum.sum_abs + layer.sum_abs,
        })
    }

    /// The active nodes of an image: bit `i % 8` of byte `i / 8` is set if node `i` is active.
    pub fn nodes(&self, image: usize) -> Vec<u8> {
        let byte =
            |masks: &[u16]| masks.iter().enumerate().fold(0, |b, (i, mask)| b | ((mask >> image & 1) as u8) << i);
        self.alive.nodes.chunks(8).map(byte).collect()
    }

    /// Solves all images, from all `+1`: replica `first + k` is image `k`, and `first` a multiple of sixteen. Spins of nodes
    /// that are not active stay `+1`.
    ///
    /// # Errors
    /// If the graph cannot be read, or the search was stopped.
    pub fn solve(
        &self,
        scales: &Scales,
        first: u32,
        plan: &Plan,
        control: &dyn Control,
    ) -> Result<Vec<Replica>, spin::Error> {
        let replicas: Range<u32> = first..first + self.n_images() as u32;
        spin::solve_parts(self.stream, &self.edges(scales.factor), scales, replicas, plan, control)
    }
}

impl Wiring<'_> {
    /// The largest logit of a lane.
    fn answer(&self, states: &States, lane: usize) -> Answer {
        let shape = self.output_shape();
        let mut best = Answer { class: 0, logit: f32::NEG_INFINITY };
        for class in 0..shape.len() {
            let (pixels, channel) = (shape.h * shape.w, class / (shape.h * shape.w));
            let logit = states.logits()[class % pixels * shape.c + channel][lane];
            if logit > best.logit {
                best = Answer { class, logit };
            }
        }
        best
    }

    /// The nodes that the predicted classes are, each with the mask of its images.
    fn roots(&self, answers: &[Answer]) -> Vec<(NodeId, u16)> {
        let shape = self.output_shape();
        let pixels = shape.h * shape.w;
        let elements: Vec<_> = answers.iter().map(|a| a.class % pixels * shape.c + a.class / pixels).collect();
        let mut roots = Vec::new();
        for (layer, way) in self.graph.output() {
            self.graph.for_each_element(*layer, &way.place, |element, node| {
                let images = (0..answers.len()).filter(|&image| elements[image] == element);
                let mask = images.fold(0, |mask, image| mask | 1 << image);
                if mask != 0 {
                    roots.push((node, mask));
                }
            });
        }
        roots
    }

    /// The shape whose channels-last order the logits have.
    fn output_shape(&self) -> crate::net::Shape {
        self.graph.output()[0].1.place.shape()
    }
}
