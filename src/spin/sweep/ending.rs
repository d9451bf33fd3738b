//! The end of a descent: replicas that take long to settle go on alone.
//!
//! Most replicas settle within a few sweeps, and those that have leave the lanes. Others go on flipping a few spins per
//! sweep for hundreds of sweeps. What one replica would cost by single flips ([`Descent`]) is about as much as
//! [`PATIENCE`] sweeps in company, most of it for its first fields: so those that need more sweeps than this end by
//! Algorithm 1, and no replica costs more than twice the better of the two ways.

use std::sync::Mutex;
use std::time::Instant;

use rayon::prelude::*;

use super::Search;
use crate::graph::BlockStream;
use crate::spin::control::{self, Batch};
use crate::spin::error::Error;
use crate::spin::siblings::Company;
use crate::spin::steepest::{Adjacency, Descent};

/// Sweeps of a descent before the replicas that still flip go on one by one.
pub(in crate::spin) const PATIENCE: u32 = 24;

/// What happens to replicas that have not settled after [`PATIENCE`] sweeps of a descent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::spin) enum Ending {
    /// Each goes on by Algorithm 1, over all edges of the graph.
    OneByOne,
    /// They go on sweeping together, in the lanes where they are.
    Together,
}

/// Ends every replica of a batch that still flips by Algorithm 1 on its graph, graph after graph; `started` is when this
/// run began.
pub(in crate::spin) fn one_by_one<C>(search: &Search<'_, C>, batch: &mut Batch, started: Instant) -> Result<(), Error> {
    let live = batch.live();
    search.control.begin("last flips", live.len() as u64);
    match search.company {
        Company::One(_) => on_graph(search.graph, &live, (search, batch, started))?,
        Company::Siblings(siblings) => {
            for live in live.chunk_by(|&a, &b| siblings.graph_of(a) == siblings.graph_of(b)) {
                on_graph(&siblings.graph(siblings.graph_of(live[0])), live, (search, &mut *batch, started))?;
            }
        }
    }
    search.control.end();
    Ok(())
}

/// Ends replicas of one graph.
fn on_graph<C>(
    graph: &dyn BlockStream,
    slots: &[usize],
    (search, batch, started): (&Search<'_, C>, &mut Batch, Instant),
) -> Result<(), Error> {
    let Search { plan, control, done, .. } = *search;
    let adjacency = Adjacency::new(graph)?;
    let batch = Mutex::new(batch);
    let lock = || batch.lock().expect("no thread panics while it holds the lock");
    slots.par_iter().with_max_len(1).try_for_each(|&slot| {
        let (state, left) = {
            let batch = lock();
            (batch.spins.state(slot), plan.max_flips - batch.runs[slot].flips)
        };
        let mut descent = Descent::new(&adjacency, &state);
        let (flips, settled) = descent.run(left);
        control.advance(1);
        let mut batch = lock();
        batch.spins.set_state(slot, &descent.bits());
        let run = &mut batch.runs[slot];
        (run.alignment, run.flips) = (descent.alignment(), run.flips + flips);
        (run.settled, run.exhausted) = (settled, !settled);
        control::pulse(control, done, &mut batch, started)
    })
}
