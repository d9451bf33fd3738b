//! Algorithm 1 to the letter (paper, section B): while some `r_k < 0` and fewer than M flips, flip the most negative
//! one; ties go to the lowest node.
//!
//! # Exactness
//! Weights are rounded to a multiple of a quantum `q = 2^−k`, the finest for which every local field is below `2⁵¹ q`:
//! all sums are then exact in `f64`, whatever their order, and the running fields are the fields. Weights above
//! `2⁻²⁸` of the largest row sum keep all their 24 bits. Where some do not, a state in which no rounded field is negative is
//! looked at once more: spins whose field is negative by less than the rounding, as exact sums tell, are flipped in order,
//! and the descent goes on until there are none. So it always ends in a local minimum.
//!
//! # How
//! The fields of all nodes are kept. A flip of node `i` negates its own and changes that of every neighbour by
//! `−2 w s_i s_j`; then the least field of all is asked for again. A flip touches the fields of many consecutive neighbours,
//! so their minima are kept in a winner tree over chunks of 64 nodes (`tournament`), which takes many changes between two
//! questions well:
//!
//! ```text
//!                    −7                     the least of all, known without looking
//!             ┌──────┴──────┐
//!            −3            −7               a flip changes fields in chunk 2: its minimum
//!          ┌──┴──┐       ┌──┴──┐            is found anew, and the path from there to the root
//!         −3     0      −7     2
//!       chunk 0  1       2     3            64 fields each
//! ```
//!
//! The edges of one node are asked for at random, so all frames are decoded once and indexed by rows (`adjacency`).
//!
//! Cost: per flip one read of the flipped node's edges (both directions) and one minimum per touched 64 nodes. Memory
//! per replica in flight: 9 bytes a node; shared: the decoded blocks, and the panels once more in transposed order.

mod adjacency;
mod descent;
mod tournament;

use std::borrow::Cow;
use std::sync::Mutex;
use std::time::Instant;

use rayon::prelude::*;

pub(super) use self::adjacency::Adjacency;
pub(super) use self::descent::Descent;
use super::{Checkpoint, Control, Error, Plan, Pulse, Replica, initial, memory};
use crate::graph::BlockStream;

/// Runs the plan's replicas, one per thread at a time.
pub(super) fn solve(graph: &dyn BlockStream, plan: &Plan, control: &dyn Control) -> Result<Vec<Replica>, Error> {
    let at_once = memory::descents_at_once(graph, plan)?;
    let adjacency = Adjacency::new(graph)?;
    if adjacency.sum_abs() == 0.0 {
        return Err(Error::NoWeight);
    }
    control.begin("steepest", u64::from(plan.replicas));
    let done = control.saved().unwrap_or_default().done.into_owned();
    control.advance(done.len() as u64);
    let missing: Vec<_> = (0..plan.replicas).filter(|&index| done.iter().all(|r| r.index != index)).collect();
    let done = Mutex::new(done);
    let each = |&index: &u32| {
        let replica = replica(&adjacency, plan, index);
        control.advance(1);
        control.note(&format!("replica {index}: ε {:.6}, {} flips", replica.energy, replica.flips));
        let mut done = done.lock().expect("no thread panics while it holds the lock");
        done.push(replica);
        let pulse = control.pulse();
        if pulse != Pulse::Continue {
            control.save(&Checkpoint { done: Cow::Borrowed(&done), ensemble: None }).map_err(Error::Save)?;
        }
        if pulse == Pulse::Stop { Err(Error::Interrupted) } else { Ok(()) }
    };
    match at_once < rayon::current_num_threads() {
        true => missing.chunks(at_once).try_for_each(|wave| wave.par_iter().with_max_len(1).try_for_each(each))?,
        false => missing.par_iter().with_max_len(1).try_for_each(each)?,
    }
    control.end();
    let mut done = done.into_inner().expect("no thread panics while it holds the lock");
    done.sort_by_key(|replica| replica.index);
    Ok(done)
}

/// One replica from its initial state to the minimum; its energy is that of the rounded weights.
fn replica(adjacency: &Adjacency<'_>, plan: &Plan, index: u32) -> Replica {
    let start = Instant::now();
    let mut descent = Descent::new(adjacency, &initial::state(adjacency.n_nodes(), plan, index));
    let (flips, local_minimum) = descent.run(plan.max_flips);
    Replica {
        index,
        energy: 0.5 * (1.0 - descent.alignment() / adjacency.sum_abs()),
        flips,
        secs: start.elapsed().as_secs_f64(),
        local_minimum,
        state: descent.bits(),
        ..Replica::default()
    }
}
