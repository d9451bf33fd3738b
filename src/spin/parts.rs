//! Replicas that are each over a part of a graph's edges.

use std::ops::Range;

use super::control::{Control, Request};
use super::measure::weigh::{self, Edges, Term};
use super::rules;
use super::sweep::Relaxation;
use super::{Error, Plan, Problem, Replica};
use crate::graph::{self, BlockStream};
use crate::kernel::{Isa, LANES, Spins};

/// Runs some replicas, each over its own part of the edges of a graph (those of the problem and those that are weighed are the
/// same), by a streaming method ([`Method::Steepest`] counts as
/// [`Method::Sweep`]). All of them start from all `+1`; [`Plan::replicas`] and [`Plan::random_flips`] do not count.
///
/// `control` is asked between sweeps whether to stop; nothing is saved. Memory: the scales, 2 bytes a node, the frames under
/// way.
///
/// # Errors
/// [`Error`] if the graph cannot be read, or the search was stopped.
///
/// # Panics
/// Unless there are one to sixteen replicas, the first a multiple of sixteen, and the stream has both directions.
///
/// [`Method::Steepest`]: super::Method::Steepest
/// [`Method::Sweep`]: super::Method::Sweep
pub fn solve_parts(
    (problem, edges): (&impl Problem, &impl Edges),
    replicas: Range<u32>,
    plan: &Plan,
    control: &dyn Control,
) -> Result<Vec<Replica>, Error> {
    assert!((1..=LANES).contains(&replicas.len()) && replicas.start.is_multiple_of(LANES as u32));
    assert!(!problem.graph().is_one_way(), "parts of a one-way stream cannot be solved");
    let plan = Plan { random_flips: 0, ..plan.clone() };
    let mut solved = rules::run(Relaxation::new(problem, Request { plan: &plan, control, done: &[] }, replicas)?)?;
    weigh_parts((problem.graph(), edges), plan.isa, &mut solved)?;
    Ok(solved)
}

/// Fills in the energies of replicas, sixteen at most, each over its own part of the edges.
fn weigh_parts(
    (graph, edges): (&dyn BlockStream, &impl Edges),
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
