//! The end of a descent: replicas that take long to settle go on alone, flip by flip.
//!
//! # Why
//! Most replicas settle within a few sweeps of a descent. Some do not: a flip makes its neighbour's field negative, that
//! flip the next one's, and so on along a chain, one spin a sweep in each direction. A sweep then reads large parts of the
//! graph for a handful of flips, hundreds of times.
//!
//! Algorithm 1 ([`Descent`]) has fields for all nodes at hand and reads, for a flip, the edges of one node only. What it costs is
//! its beginning, the fields of the first state: about as much as [`PATIENCE`] sweeps beside the others. So those replicas
//! that need more sweeps than this end by Algorithm 1, and none costs more than twice the better of the two ways.

use std::sync::Mutex;
use std::time::Instant;

use rayon::prelude::*;

use crate::graph::BlockStream;
use crate::spin::control::{Ensemble, Request};
use crate::spin::steepest::{Adjacency, Descent};
use crate::spin::{Error, Problem};

/// Sweeps of a descent before the replicas that still flip go on one by one.
pub(super) const PATIENCE: u32 = 24;

/// Ends every replica of an ensemble that still flips by Algorithm 1 on its graph, graph after graph; `started` is when this
/// run began.
pub(super) fn one_by_one(
    problem: &impl Problem,
    request: Request<'_>,
    ensemble: &mut Ensemble,
    started: Instant,
) -> Result<(), Error> {
    let live = ensemble.live();
    request.control.begin("last flips", live.len() as u64);
    problem.each_graph(&live, &mut |graph, slots| on_graph(graph, slots, request, (&mut *ensemble, started)))?;
    request.control.end();
    Ok(())
}

/// Ends replicas of one graph.
fn on_graph(
    graph: &dyn BlockStream,
    slots: &[usize],
    request: Request<'_>,
    (ensemble, started): (&mut Ensemble, Instant),
) -> Result<(), Error> {
    let adjacency = Adjacency::new(graph)?;
    let ensemble = Mutex::new(ensemble);
    let lock = || ensemble.lock().expect("no thread panics while it holds the lock");
    slots.par_iter().with_max_len(1).try_for_each(|&slot| {
        let (state, left) = {
            let ensemble = lock();
            (ensemble.spins.state(slot), request.plan.max_flips - ensemble.walkers[slot].flips)
        };
        let mut descent = Descent::new(&adjacency, &state);
        let (flips, settled) = descent.run(left);
        request.control.advance(1);
        let mut ensemble = lock();
        ensemble.spins.set_state(slot, &descent.bits());
        let walker = &mut ensemble.walkers[slot];
        (walker.alignment, walker.flips) = (descent.alignment(), walker.flips + flips);
        (walker.settled, walker.exhausted) = (settled, !settled);
        request.pulse(&mut ensemble, started)
    })
}
