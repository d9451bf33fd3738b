//! The active subnetworks of a batch of images: what is active, and its frustration.

use std::ops::Range;

use super::alive::{Alive, Pass};
use super::count::{self, Counts};
use super::fields::{ActiveEdges, Subnetworks};
use super::{Answer, Error, Wiring};
use crate::forward::States;
use crate::graph::BlockStream;
use crate::kernel::{Isa, LANES, lane_of_bit, state};
use crate::spin::{self, Control, Plan, Replica, Scales};

/// The active subnetworks of up to sixteen images.
pub struct Activity<'a> {
    wiring: &'a Wiring<'a>,
    stream: &'a dyn BlockStream,
    isa: Isa,
    /// By gates of the wiring and node: the images in which they are open.
    open: Vec<Vec<u16>>,
    alive: Alive,
    /// By layer.
    counts: Vec<Counts>,
    answers: Vec<Answer>,
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
        let open = wiring.open(states);
        let answers: Vec<_> = (0..n_images).map(|image| wiring.answer(states, lane_of_bit(image))).collect();
        let roots: Vec<_> = wiring.roots(&answers);
        let alive = Pass { wiring, stream, states, open: &open }.run(&roots)?;
        let mut activity = Self { wiring, stream, isa, open, alive, counts: Vec::new(), answers };
        activity.counts = count::by_layer(&activity.edges())?;
        Ok(activity)
    }

    fn edges(&self) -> ActiveEdges<'_> {
        let Self { wiring, stream, isa, open, alive, .. } = self;
        ActiveEdges { wiring, stream: *stream, isa: *isa, open, alive }
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

    /// The active nodes of an image, in the form of a [state].
    pub fn nodes(&self, image: usize) -> Vec<u8> {
        state::of(self.alive.nodes.iter().map(|mask| mask >> image & 1 == 1))
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
        let sum_abs = std::array::from_fn(|image| self.counts.iter().map(|counts| counts.sum_abs[image]).sum());
        let subnetworks = Subnetworks { edges: self.edges(), scales, seed: plan.seed, sum_abs };
        spin::solve_parts((&subnetworks, &subnetworks.edges), replicas, plan, control)
    }
}
