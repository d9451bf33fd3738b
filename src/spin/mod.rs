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
mod coupling;
mod effort;
mod error;
pub mod exact;
mod fields;
mod initial;
mod measure;
pub mod memory;
mod one_way;
mod plan;
mod replica;
pub mod rules;
pub mod siblings;
pub mod steepest;
mod sweep;
mod visits;

use std::ops::Range;

use crate::graph::{self, BlockStream};
use crate::kernel::{Isa, LANES, Spins};
use coupling::Whole;
use rules::relaxed;
use siblings::Company;
use sweep::ending::Ending;
use sweep::{Relax, Search};

pub use control::{Batch, Checkpoint, Control, Pulse, Run};
pub use coupling::Coupling;
pub use effort::Effort;
pub use error::Error;
pub use measure::weigh::{Edges, Term};
pub use measure::{Scales, frustrated, weigh};
pub use plan::{Method, Plan};
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
        Method::Sweep | Method::Anneal { .. } => stream(graph, plan, control)?,
    };
    control.begin("energies", 0);
    weigh::weigh(graph, plan.isa, &mut replicas)?;
    control.end();
    Ok(replicas)
}

/// The streaming methods: replicas advance together, as many at a time as memory allows.
fn stream(graph: &dyn BlockStream, plan: &Plan, control: &dyn Control) -> Result<Vec<Replica>, Error> {
    let at_once = memory::replicas_at_once(graph, plan)?;
    let scales = Scales::measure(graph)?;
    scales.check_weight()?;
    let coupling = Whole { graph, isa: plan.isa, scales: &scales };
    let Checkpoint { done, mut batch } = control.saved().unwrap_or_default();
    let mut done = done.into_owned();
    while done.len() < plan.replicas as usize {
        let search = Search {
            graph,
            coupling: &coupling,
            ending: Ending::OneByOne,
            company: Company::One(&scales),
            plan,
            control,
            done: &done,
        };
        let first = done.len() as u32;
        let relax = match batch.take() {
            Some(batch) => Relax::resume(search, batch.into_owned())?,
            None => Relax::new(search, first..plan.replicas.min(first.saturating_add(at_once)))?,
        };
        done.extend(relaxed(relax, plan.method)?);
    }
    Ok(done)
}

/// Runs some replicas, each over its own part of the graph's edges, by a streaming method ([`Method::Steepest`] counts as
/// [`Method::Sweep`]). All of them start from all `+1`; [`Plan::replicas`] and [`Plan::random_flips`] do not count.
///
/// `control` is asked between sweeps whether to stop; nothing is saved. Memory: `scales`, 2 bytes a node, the frames under way.
///
/// # Errors
/// [`Error`] if the graph cannot be read, or the search was stopped.
///
/// # Panics
/// Unless there are one to sixteen replicas, the first a multiple of sixteen, and the stream has both directions.
pub fn solve_parts(
    graph: &dyn BlockStream,
    coupling: &(impl Coupling + Edges),
    scales: &Scales,
    replicas: Range<u32>,
    plan: &Plan,
    control: &dyn Control,
) -> Result<Vec<Replica>, Error> {
    assert!((1..=LANES).contains(&replicas.len()) && replicas.start.is_multiple_of(LANES as u32));
    assert!(!graph.is_one_way(), "parts of a one-way stream cannot be solved");
    let plan = Plan { random_flips: 0, ..plan.clone() };
    let search = Search {
        graph,
        coupling,
        ending: Ending::Together,
        company: Company::One(scales),
        plan: &plan,
        control,
        done: &[],
    };
    let mut solved = relaxed(Relax::new(search, replicas)?, plan.method)?;
    weigh_parts(graph, coupling, plan.isa, &mut solved)?;
    Ok(solved)
}

/// Fills in the energies of replicas, sixteen at most, each over its own part of the edges.
fn weigh_parts(
    graph: &dyn BlockStream,
    edges: &impl Edges,
    isa: Isa,
    replicas: &mut [Replica],
) -> Result<(), graph::Error> {
    let states: Vec<_> = replicas.iter().map(|replica| &*replica.state).collect();
    let spins = Spins::of_states(graph.totals().n_nodes, &states);
    let up = Spins::for_replicas(graph.totals().n_nodes, replicas.len());
    let totals = weigh::totals(weigh::sums(graph, edges, (Term::Magnitude, isa), &up)?);
    let aligned = weigh::totals(weigh::sums(graph, edges, (Term::Aligned, isa), &spins)?);
    let sums = totals.iter().zip(&aligned);
    replicas.iter_mut().zip(sums).for_each(|(replica, (total, aligned))| replica.set_weights(total, aligned));
    Ok(())
}

#[cfg(test)]
mod tests;
