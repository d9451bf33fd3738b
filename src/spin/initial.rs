//! The states that replicas start from: all spins `+1`, and some flips.

use std::ops::Range;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Plan, Problem};
use crate::graph::NodeId;
use crate::kernel::{LANES, Spins, lane_of_bit, state};

/// Initial states of some replicas.
pub(super) fn spins(problem: &impl Problem, plan: &Plan, replicas: Range<u32>) -> Spins {
    let n_nodes = problem.graph().totals().n_nodes;
    let mut spins = Spins::for_replicas(n_nodes, replicas.len());
    for (slot, replica) in replicas.enumerate() {
        let (plane, lane) = (replica as usize / LANES, lane_of_bit(replica as usize % LANES));
        let plan = Plan { seed: problem.seed(lane), ..plan.clone() };
        for node in flips(&plan, problem.numbers(plane)[lane], n_nodes) {
            spins.flip(slot, node);
        }
    }
    spins
}

/// Initial state of one replica, as a [state](mod@state).
pub(super) fn state(n_nodes: usize, plan: &Plan, replica: u32) -> Vec<u8> {
    let mut state = vec![0xff; state::n_bytes(n_nodes as u32)];
    for node in flips(plan, replica, n_nodes as u32) {
        state::flip(&mut state, node);
    }
    state
}

/// The nodes whose flips make a replica's initial state, with repetitions.
fn flips(plan: &Plan, replica: u32, n_nodes: u32) -> impl Iterator<Item = NodeId> {
    let mut rng = ChaCha8Rng::seed_from_u64(plan.seed);
    rng.set_stream(u64::from(replica));
    let draw = move |_| ((u64::from(rng.random::<u32>()) * u64::from(n_nodes)) >> 32) as NodeId;
    (0..plan.initial_flips(replica)).map(draw)
}
