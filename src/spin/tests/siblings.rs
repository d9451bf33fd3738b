//! Graphs side by side in the lanes are solved as each is alone.

use proptest::prelude::*;

use super::*;
use crate::graph::Revalued;
use crate::spin::siblings::{self, Siblings};

/// The graph with other weights, each a function of the one that it replaces.
fn sibling(graph: &Csr, k: usize) -> Revalued<'_> {
    let factors = [1.0, 0.3, -0.7, 2.5, -1.9];
    let other = |&w: &f32| w * factors[(w.abs() as usize * 7 + k) % factors.len()];
    Revalued::new(graph, graph.values().iter().map(other).collect()).unwrap()
}

/// Solves siblings side by side and one by one; seeds count from the plan's.
fn together_and_alone(graph: &Csr, n_graphs: usize, plan: &Plan) -> [Vec<Vec<Replica>>; 2] {
    let seed = |k: usize| plan.seed.wrapping_add(k as u64);
    let mut siblings = Siblings::new(graph, plan, n_graphs);
    (0..n_graphs).for_each(|k| siblings.push(sibling(graph, k), seed(k)).unwrap());
    let alone = |k| solve(&sibling(graph, k), &Plan { seed: seed(k), ..plan.clone() }, &Silent).unwrap();
    let mut found = [siblings.solve(&Silent).unwrap(), (0..n_graphs).map(alone).collect()];
    found.iter_mut().flatten().flatten().for_each(|replica| replica.secs = 0.0);
    found
}

proptest! {
    #[test]
    fn graphs_in_other_lanes_do_not_change_a_replica(
        g in layered(5, 9), seed in any::<u64>(), n_graphs in 1usize..=5, replicas in 1u32..=3, limited: bool,
    ) {
        for method in [Method::Sweep, Method::Anneal { sweeps: 20 }] {
            for isa in Isa::available() {
                let max_flips = if limited { 5 } else { u64::MAX };
                let plan = Plan { max_flips, isa, ..plan(method, replicas, seed) };
                let [together, alone] = together_and_alone(&graph(&g), n_graphs, &plan);
                prop_assert_eq!(together, alone);
            }
        }
    }
}

#[test]
fn a_long_avalanche_ends_side_by_side_as_it_does_alone() {
    let [together, alone] = together_and_alone(&avalanche(300), 8, &plan(Method::Sweep, 2, 0));
    assert_eq!(together, alone);
    assert!(alone.iter().flatten().any(|replica| replica.flips > replica.sweeps), "none had to end by single flips");
}

#[test]
fn as_many_siblings_as_lanes_and_memory_allow() {
    let graph = avalanche(200);
    let at_once =
        |replicas, memory| siblings::at_once(&graph, &Plan { memory, ..plan(Method::Sweep, replicas, 0) }, 80);
    assert_eq!([1, 2, 3, 4, 5, 40].map(|replicas| at_once(replicas, None)), [16, 8, 5, 4, 1, 1]);
    assert_eq!(siblings::at_once(&graph, &plan(Method::Steepest, 2, 0), 80), 1);
    assert_eq!([2, 6].map(|wanted| siblings::at_once(&graph, &plan(Method::Sweep, 2, 0), wanted)), [1, 6]);
    let Error::Memory { least, .. } =
        solve(&graph, &Plan { memory: Some(1), ..plan(Method::Sweep, 2, 0) }, &Silent).unwrap_err()
    else {
        panic!("1 byte is enough")
    };
    assert_eq!([least, 2 * least].map(|bytes| at_once(2, Some(bytes))), [1, 8]);
}
