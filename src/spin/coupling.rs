//! Which edges couple the spins of which replicas: what the streaming solver adds up as local fields.

use super::fields::add_blocks;
use super::measure::Scales;
use crate::graph::reading::Reading;
use crate::graph::{BlockStream, Frame};
use crate::kernel::{Fields, Isa, Local, Scratch, Spins};

/// The edges that count, by replica. The streaming methods know the graph's frames, and their edges through this alone.
pub trait Coupling: Sync {
    /// What a thread reuses from frame to frame.
    type Buffers: Default + Send;

    /// Adds `Σ_j Au_ij s_j`, over the edges that count, to the fields of the rows of frame `index`, which has been read.
    ///
    /// Sums must depend on the row and on the spins of its own replica alone: not on frames, threads or other replicas.
    fn add(&self, index: usize, frame: &Frame, spins: &Spins, fields: &mut Fields, buffers: &mut Self::Buffers);

    /// `Σ|w|` over the edges that count in a replica, in units of the fields; about.
    fn sum_abs(&self, replica: u32) -> f64;

    /// By node: the mask of replicas (sixteen at most) that it has edges in. A node without does not flip. Nothing: every
    /// node may flip.
    fn members(&self) -> Option<&[u16]> {
        None
    }
}

/// All edges, in all replicas.
#[derive(Clone, Copy)]
pub(super) struct Whole<'a> {
    pub graph: &'a dyn BlockStream,
    pub isa: Isa,
    pub scales: &'a Scales,
}

impl Coupling for Whole<'_> {
    type Buffers = (Scratch, Local);

    fn add(
        &self,
        _: usize,
        frame: &Frame,
        spins: &Spins,
        fields: &mut Fields,
        (scratch, local): &mut (Scratch, Local),
    ) {
        let reading = Reading::scaled(self.scales.factor);
        for blocks in [&frame.inward, &frame.outward] {
            add_blocks(self.isa, (blocks, self.graph.values()), reading, spins, fields, (scratch, local));
        }
    }

    fn sum_abs(&self, _: u32) -> f64 {
        self.scales.factor * self.graph.totals().sum_abs
    }
}
