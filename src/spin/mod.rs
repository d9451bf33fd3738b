//! SOLVER: the ground state of a signed graph, approximately.
//!
//! # The problem
//! Give every node a spin, `+1` or `−1`. An edge of positive weight is satisfied if the spins at its ends are equal, one of
//! negative weight if they differ. In a triangle with one negative edge no choice satisfies all three: it is
//! **frustrated**, and the best that can be done is to give up the edge of least weight.
//!
//! ```text
//!             0              ↑ ↑ ↑   edge 0 – 2 is frustrated: −1, and the spins are equal
//!        +1 /   \ −1         ↑ ↑ ↓   edge 1 – 2 is frustrated: +1, and the spins differ
//!          1 ─── 2           ↑ ↓ ↓   edge 0 – 1 is frustrated: +1, and the spins differ
//!            +1              ↑ ↓ ↑   all three are; the other four states are these with all spins turned
//! ```
//!
//! The **energy** of a state is the share of the weight that is frustrated. With the spins `s_i`, the matrix of edges `A`
//! and `Au = A + Aᵀ` it is `e(s) = ½ (1 − Σ_ij s_i Au_ij s_j / Σ_ij |Au_ij|)`, and the **frustration** of the graph is its
//! least value, `ε = min_s e(s)` (paper, eqs. 1–3): the energy of the ground state of a spin glass. To find it is NP-hard.
//! Every method here ends in a local minimum `ε̂ ≥ ε`, where no single flip lowers the energy. **Replicas** are independent
//! searches from different initial states; the least of their `ε̂` is the estimate.
//!
//! ```
//! use frustration::graph::csr::Csr;
//! use frustration::kernel::Isa;
//! use frustration::progress::Silent;
//! use frustration::spin::{self, Method, Plan};
//!
//! let triangle = Csr::from_edges_unclassed(3, &[(0, 1, 1.0), (1, 2, 1.0), (0, 2, -1.0)]);
//! let plan = Plan {
//!     method: Method::Anneal { sweeps: 20 },
//!     replicas: 4,
//!     random_flips: 10,
//!     seed: 0,
//!     max_flips: u64::MAX,
//!     isa: Isa::detect(),
//!     memory: None,
//! };
//! let replicas = spin::solve(&triangle, &plan, &Silent)?;
//! assert!(replicas.iter().all(|replica| replica.energy == 1.0 / 3.0));
//! assert_eq!((replicas[0].frustrated_weight, replicas[0].sum_abs), (1.0, 3.0));
//! # Ok::<(), spin::Error>(())
//! ```
//!
//! # The local field
//! Everything turns on `r_i = s_i Σ_j Au_ij s_j`, the **local field** of node `i`. The sum alone, its *field*, is what
//! its neighbours ask of it; counted along the node's own spin, it is the weight of its satisfied edges less that of its
//! frustrated ones. A flip of `i` exchanges the two, and changes `Σ_ij s_i Au_ij s_j` by
//! `−4 r_i`. So a flip with `r_i < 0` lowers the energy, and a state is a local minimum when no field is negative.
//!
//! Nodes of one layer are not adjacent. Their fields do not depend on each other's spins, so a whole layer is decided at
//! once, on all threads, and that is the same as one node after the other.
//!
//! # Methods
//! | [`Method`]                     | what it does                                                  | good for |
//! |--------------------------------|---------------------------------------------------------------|----------|
//! | [`Sweep`](Method::Sweep)       | sweeps that flip `r_i < −τ`, with `τ` falling ([`rules::threshold`]) | speed |
//! | [`Anneal`](Method::Anneal)     | sweeps of Metropolis, with the temperature falling ([`rules::anneal`]) | the lowest energies |
//! | [`Steepest`](Method::Steepest) | always the most negative field, Algorithm 1 of the paper ([`steepest`]) | comparison with the paper |
//!
//! The first two **stream**. They keep spins only, one bit per node and replica, and compute a field anew from the edges
//! whenever they need it; the edges are read frame by frame, from files if need be. How a sweep goes is told in
//! `src/spin/sweep/mod.rs`, and for graphs in which every edge has a weight of its own in `src/spin/one_way/mod.rs`. Steepest
//! descent keeps the fields of all nodes and changes those of a flipped node's neighbours, one replica on each thread.
//!
//! # Why sixteen replicas travel together
//! Reading an edge costs far more than using it. So an edge that has been read is used for sixteen replicas at once, one in
//! each lane of a vector, and these sixteen make a **plane**: one bit of a `u16` mask for every node. A plane's pass over the
//! edges takes about as long with one replica as with sixteen. More planes share the reading of a frame, too, and the
//! tables that the [kernel](crate::kernel) makes of its weights.
//!
//! What is in the lanes is a [`Problem`]: replicas of one graph ([`solve`]), graphs that differ in their weights
//! ([`siblings`]), or parts of a graph ([`solve_parts`]). The methods are written once for all three.
//!
//! # Determinism
//! A replica depends on the seed and its number only: not on threads, frames, the other replicas, memory, or the instruction
//! set. (In a one-way stream with weights of many digits it does depend on where frames are cut, which its maker decides.)
//! Fields are summed in one fixed order, in `f32`; what flips change the energy by, which is for watching only, adds up as
//! integers (`sweep/fixed_point.rs`), so that the order of threads does not matter; random numbers are keyed by seed, replica,
//! node, and sweep.
//!
//! # Rounding
//! Streaming methods add up fields in `f32`. Their final descent flips only where `r_i < −10⁻⁶ Σ_j |Au_ij|`, so that rounding
//! cannot make a flip that raises the energy; what is left above that counts as not negative. [`steepest`] is exact. The
//! energies of all methods are exact: they are added up anew from the final states, see [`weigh`].
//!
//! # Where to read on
//! [`Plan`], [`Replica`], [`Control`]: what is asked, what is found, how it is watched and saved. [`Problem`]: what is solved.
//! [`rules`]: which spins flip. `src/spin/sweep/` and `src/spin/one_way/`, which have no pages: the engine under the rules.
//! [`steepest`]: single flips. [`Scales`] and [`weigh`]: field scales before a search, exact energies after it. [`exact`]: the true ground state of a tiny graph, for tests.

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
