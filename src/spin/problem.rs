//! What is solved: whose edges couple the spins of the sixteen lanes.

use super::error::Error;
use super::measure::Scales;
use crate::graph::{BlockStream, Frame, NodeId};
use crate::kernel::{Fields, LANES, Spins, bit_of_lane, lane_of_bit};

/// One graph in all lanes, graphs side by side, or a part of the edges in each lane: what the streaming methods know of it.
pub trait Problem: Sync {
    /// What a thread reuses from frame to frame.
    type Buffers: Default + Send;

    /// Do the edges of a replica make up a graph, so that it can go on by single flips on that ([`each_graph`](Self::each_graph))
    /// if it takes long to settle?
    const OF_WHOLE_GRAPHS: bool = true;

    /// The stream whose frames hold the edges.
    fn graph(&self) -> &dyn BlockStream;

    /// Adds `Σ_j Au_ij s_j`, over the edges that count, to the fields of the rows of a frame, which has been read: its index
    /// and its contents.
    ///
    /// Sums must depend on the row and on the spins of its own replica alone: not on frames, threads or other replicas.
    fn add_fields(&self, frame: (usize, &Frame), spins: &Spins, fields: &mut Fields, buffers: &mut Self::Buffers);

    /// By node: the mask of replicas (sixteen at most) that it has edges in. A node without does not flip. Nothing: every
    /// node may flip.
    fn members(&self) -> Option<&[u16]> {
        None
    }

    /// `Σ|w|` over the edges that count in a replica, in units of the fields; about.
    fn sum_abs(&self, replica: u32) -> f64;

    /// The field scales of a lane's graph.
    fn scales(&self, lane: usize) -> &Scales;

    /// `Σ_j |Au_ij|` of a row in a lane's graph, in units of the fields.
    fn row_sum(&self, lane: usize, node: NodeId) -> f32;

    /// Seed of the search that a lane belongs to.
    fn seed(&self, lane: usize) -> u64;

    /// By lane of a plane: the replica's number in that search.
    #[inline(always)]
    fn numbers(&self, plane: usize) -> [u32; LANES] {
        std::array::from_fn(|lane| (plane * LANES + bit_of_lane(lane)) as u32)
    }

    /// By lane: `f(lane)`, of which only the lane's graph matters. Computed once where all lanes are of one.
    #[inline(always)]
    fn by_graph<T: Copy>(&self, f: impl Fn(usize) -> T) -> [T; LANES] {
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

/// Seed of the search that a replica belongs to, and its number in that.
pub(super) fn origin(problem: &impl Problem, replica: u32) -> (u64, u32) {
    let (plane, lane) = (replica as usize / LANES, lane_of_bit(replica as usize % LANES));
    (problem.seed(lane), problem.numbers(plane)[lane])
}
