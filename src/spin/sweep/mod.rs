//! Sweeps: layer by layer, recompute the local fields from the blocks and let a rule choose which spins to flip.
//!
//! Frames of a layer are independent and run in parallel; their flips are applied when the whole layer is done. Cost
//! of a sweep: one read of the edges in both directions for all replicas; in a descent only of the frames and
//! planes with a neighbour that flipped since they were last read ([`stale`]), and of the replicas that have not
//! settled ([`last_flips`]).

mod fixed_point;
mod last_flips;
mod relaxation;
pub(super) mod rule;
mod stale;
mod visitor;

pub(super) use relaxation::Relaxation;
