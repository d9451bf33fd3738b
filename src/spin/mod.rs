//! SOLVER: the ground state of a signed graph, approximately.
//!
//! # Problem
//! Spins `s_i = ±1`; energy `e(s) = ½ (1 − Σ_ij s_i Au_ij s_j / Σ_ij |Au_ij|)`, `Au = A + Aᵀ`; frustration
//! `ε = min_s e(s)` (paper, eqs. 1–3). The minimisation is NP-hard; every method here ends in a local minimum `ε̂ ≥ ε`:
//! no single flip lowers `e`. Replicas are independent runs from different initial states; the least `ε̂` is the
//! estimate.
//!
//! # Conventions
//! The **local field** in the current gauge is `r_i = s_i Σ_j Au_ij s_j` (dimension of a weight). Flipping `i` changes
//! `Σ_ij s_i Au_ij s_j` by `−4 r_i`: a flip with `r_i < 0` lowers the energy. Nodes of one layer are not adjacent, so
//! a whole layer is updated at once and it is still exact coordinate descent.
//!
//! # Methods
//! [`Method::Sweep`] and [`Method::Anneal`] stream: each pass over the frames advances sixteen replicas per vector and
//! needs only the spins in memory (one bit per replica and node); their descent ends by Algorithm 1 for replicas that take
//! long to settle. A one-way stream needs the fields as well, and only one pass for both directions.
//! [`Method::Steepest`] is Algorithm 1 to the letter, one replica per thread.
//!
//! # Determinism
//! A replica depends on (seed, replica) only: not on threads, frames, the other replicas, memory, or the instruction set.
//! (In a one-way stream with weights of many digits it does depend on where frames are cut, which its maker decides.)
//! Local fields are summed in one fixed order; energies accumulate as integers; random numbers are keyed by (seed,
//! replica, node, sweep).
//!
//! # Tolerance
//! Streaming methods recompute `r_i` in `f32` at every visit. Their final descent flips only where
//! `r_i < −10⁻⁶ Σ_j |Au_ij|`, so that rounding cannot make a flip that raises the energy; what is left above that counts
//! as not negative.
//! `steepest` is exact: see [`steepest`]. The energies of all methods are exact: see [`weigh`].

pub mod checkpoint;
mod control;
mod effort;
mod error;
pub mod exact;
mod fields;
mod initial;
mod measure;
pub mod memory;
mod one_graph;
mod one_way;
mod parts;
mod plan;
mod problem;
mod replica;
pub mod rules;
pub mod siblings;
pub mod steepest;
mod sweep;
mod visits;

use crate::graph::BlockStream;

pub use control::{Checkpoint, Control, Ensemble, Pulse, Walker};
pub use effort::Effort;
pub use error::Error;
pub use measure::weigh::{Edges, Term};
pub use measure::{Scales, frustrated, weigh};
pub use parts::solve_parts;
pub use plan::{Method, Plan};
pub use problem::Problem;
pub use replica::Replica;

/// Runs all replicas of a plan on the current rayon pool and returns them in order.
///
/// Memory: see [`memory`]; at most [`Plan::memory`].
///
/// Between sweeps (after replicas, for `steepest`) `control` may have the state saved or end the search; a later call
/// with the same plan whose `control` returns that state gives the same replicas as an unbroken run.
///
/// # Errors
/// [`Error`] if the graph cannot be read or has no weight, or the search was stopped.
pub fn solve(graph: &dyn BlockStream, plan: &Plan, control: &dyn Control) -> Result<Vec<Replica>, Error> {
    let mut replicas = match plan.method {
        Method::Steepest => steepest::solve(graph, plan, control)?,
        Method::Sweep | Method::Anneal { .. } => one_graph::solve(graph, plan, control)?,
    };
    control.begin("energies", 0);
    weigh::weigh(graph, plan.isa, &mut replicas)?;
    control.end();
    Ok(replicas)
}

#[cfg(test)]
mod tests;
