//! What is solved: whose edges couple the spins of the sixteen lanes.
//!
//! The streaming methods advance sixteen replicas at once, one in each lane. They do not ask what the lanes have to do with
//! each other. There are three answers:
//!
//! ```text
//!  one graph              lane   0   1   2   3   4   5   6   7  …     all edges, in all lanes;
//!  (`one_graph`)          graph  G   G   G   G   G   G   G   G        lanes differ in where they start
//!
//!  siblings               lane   0   1   2   3   4   5   6   7  …     the same edges with weights of the lane's graph:
//!  (`siblings`)           graph  A   A   B   B   C   C   D   D        null models, two replicas of each
//!
//!  active subnetworks     lane   0   1   2   3   4   5   6   7  …     the same weights, but in each lane only the edges
//!  (`active`)             image  a   b   c   d   e   f   g   h        that are active in the lane's image
//! ```
//!
//! A [`Problem`] knows what follows from that: which terms make up a field, in what units thresholds and temperatures are
//! measured in each lane, with which seed and as which number a replica starts and draws, and on which graph it can go on
//! alone. The [rules](super::rules) and the sweeps are generic over it and are compiled once for each of the three, so that
//! one graph does not pay for what only siblings need ([`Problem::by_graph`]).

use super::{Error, Scales};
use crate::graph::{BlockStream, Frame, NodeId};
use crate::kernel::{Fields, LANES, Spins, bit_of_lane};

/// One graph in all lanes, graphs side by side, or a part of the edges in each lane: all that the streaming methods know.
pub trait Problem: Sync {
    /// What a thread reuses from frame to frame.
    type Buffers: Default + Send;

    /// Do the edges of a replica make up a graph, so that it can go on by single flips on that ([`each_graph`](Self::each_graph))
    /// if it takes long to settle?
    const OF_WHOLE_GRAPHS: bool = true;

    /// The stream whose frames hold the edges.
    fn graph(&self) -> &dyn BlockStream;

    /// Adds `Σ_j Au_ij s_j`, over the edges that couple the lane's spins, to the fields of the rows of a frame, given by its
    /// index and its contents as they were read. The row's own spin is no factor: the sweep multiplies by it.
    ///
    /// A sum must depend on its row and on the spins of its own replica alone: not on the other rows of the frame, on threads,
    /// or on what is in the other lanes. The edges are the streaming methods' business nowhere else.
    fn add_fields(&self, frame: (usize, &Frame), spins: &Spins, fields: &mut Fields, buffers: &mut Self::Buffers);

    /// By node: the mask of replicas (sixteen at most) that it has edges in. A node without does not flip. Nothing: every
    /// node may flip.
    fn members(&self) -> Option<&[u16]> {
        None
    }

    /// `Σ|w|` over the edges of a replica, in units of the fields; about, for it serves watching only.
    fn sum_abs(&self, replica: u32) -> f64;

    /// The field scales of a lane's graph.
    fn scales(&self, lane: usize) -> &Scales;

    /// `Σ_j |Au_ij|` of a row in a lane's graph, in units of the fields.
    #[inline(always)]
    fn row_sum(&self, lane: usize, node: NodeId) -> f32 {
        self.scales(lane).rows[node as usize]
    }

    /// Seed of the search that a lane belongs to.
    fn seed(&self, lane: usize) -> u64;

    /// By lane of a plane: the replica's number in that search.
    #[inline(always)]
    fn numbers(&self, plane: usize) -> [u32; LANES] {
        let mut numbers = [0; LANES];
        for (lane, number) in numbers.iter_mut().enumerate() {
            *number = (plane * LANES + bit_of_lane(lane)) as u32;
        }
        numbers
    }

    /// By lane: `f(lane)`, of which only the lane's graph matters. Computed once where all lanes are of one.
    #[inline(always)]
    fn by_graph<T: Copy + Default>(&self, f: impl Fn(usize) -> T) -> [T; LANES] {
        [f(0); LANES]
    }

    /// Calls `f` for every graph that some of the replicas `slots` (ascending) are on, and with those.
    ///
    /// # Errors
    /// Those of `f`.
    fn each_graph(&self, slots: &[usize], f: &mut OnGraph<'_>) -> Result<(), Error> {
        f(self.graph(), slots)
    }
}

/// What is done for a graph and some replicas on it.
pub type OnGraph<'a> = dyn FnMut(&dyn BlockStream, &[usize]) -> Result<(), Error> + 'a;
