//! Where searches end: in states that no single flip betters.

use proptest::prelude::*;

use super::*;

/// Algorithm 1, written plainly: recompute all row sums after every flip.
fn algorithm_1(edges: &EdgeList, n: u32) -> (Vec<u8>, u64) {
    let mut state = vec![0xffu8; state::n_bytes(n)];
    let mut flips = 0;
    loop {
        let rows = fields(edges, &state, n);
        let k = (0..n as usize).min_by(|&a, &b| rows[a].total_cmp(&rows[b]).then(a.cmp(&b))).unwrap();
        if rows[k] >= 0.0 {
            return (state, flips);
        }
        state::flip(&mut state, k as NodeId);
        flips += 1;
    }
}

proptest! {
    #[test]
    fn every_method_ends_in_a_local_minimum_with_the_energy_it_states(g in layered(5, 6), seed in any::<u64>()) {
        let csr = graph(&g);
        let ground = ground_energy(&csr);
        for method in METHODS {
            for replica in solve(&csr, &plan(method, 3, seed), &Silent).unwrap() {
                prop_assert!((replica.energy - energy(&g.1, &replica.state)).abs() < 1e-9);
                let least = fields(&g.1, &replica.state, csr.totals().n_nodes).into_iter().fold(f64::MAX, f64::min);
                prop_assert!(least >= 0.0, "{method:?} left a field of {least}");
                prop_assert!(replica.local_minimum);
                if let Some(ground) = ground {
                    prop_assert!(replica.energy >= ground - 1e-12);
                }
            }
        }
    }

    #[test]
    fn steepest_is_algorithm_1(g in layered(6, 8)) {
        let csr = graph(&g);
        let replica = solve(&csr, &plan(Method::Steepest, 1, 0), &Silent).unwrap().remove(0);
        let n = csr.totals().n_nodes;
        let (state, flips) = algorithm_1(&g.1, n);
        prop_assert_eq!(replica.flips, flips);
        for node in 0..n {
            prop_assert_eq!(spin(&replica.state, node), spin(&state, node));
        }
    }

    #[test]
    fn a_gauge_flip_changes_no_energy(g in layered(5, 6), node in any::<prop::sample::Index>()) {
        let node = node.index(graph(&g).totals().n_nodes as usize) as NodeId;
        let flip = |&(a, b, w): &(NodeId, NodeId, f32)| (a, b, if (a == node) != (b == node) { -w } else { w });
        let gauged = (g.0.clone(), g.1.iter().map(flip).collect::<Vec<_>>());
        if let (Some(a), Some(b)) = (ground_energy(&graph(&g)), ground_energy(&graph(&gauged))) {
            prop_assert_eq!(a, b);
        }
    }

    #[test]
    fn layer_pairs_hold_all_of_the_frustrated_weight(g in layered(5, 6), seed in any::<u64>()) {
        let csr = graph(&g);
        let replica = solve(&csr, &plan(Method::Sweep, 1, seed), &Silent).unwrap().remove(0);
        let pairs = frustrated::by_layer_pair(&csr, &replica.state, replica.sum_abs).unwrap();
        let sum = |f: fn(&frustrated::LayerPairFrustration) -> f64| pairs.iter().map(f).sum::<f64>();
        prop_assert_eq!(sum(|pair| pair.weight), csr.totals().sum_abs);
        prop_assert!((sum(|pair| pair.frustrated_weight) / sum(|b| b.weight) - replica.energy).abs() < 1e-9);
        prop_assert_eq!(pairs.iter().map(|pair| pair.n_edges).sum::<u64>(), csr.totals().n_edges);
    }
}

/// A graph balanced by construction: signs are products of planted spins.
#[test]
fn annealing_finds_a_planted_balanced_state() {
    let n = 60;
    let planted = |i: u32| if i.wrapping_mul(2654435761) >> 16 & 1 == 1 { 1.0 } else { -1.0 };
    let edges: Vec<_> = (0..n)
        .flat_map(|i| [1, 3, 7].map(|d| (i, i + d)))
        .filter(|&(_, j)| j < n)
        .map(|(i, j)| (i, j, planted(i) * planted(j)))
        .collect();
    let graph = Csr::from_edges_unclassed(n, &edges);
    let replicas = solve(&graph, &plan(Method::Anneal { sweeps: 100 }, 16, 1), &Silent).unwrap();
    assert!(replicas.iter().any(|r| r.energy == 0.0));
}

#[test]
fn a_long_avalanche_ends_where_single_flips_would() {
    let graph = avalanche(300);
    let plan = Plan { random_flips: 0, ..plan(Method::Sweep, 2, 0) };
    let replicas = solve(&graph, &plan, &Silent).unwrap();
    let single = solve(&graph, &Plan { method: Method::Steepest, ..plan }, &Silent).unwrap();
    for (swept, single) in replicas.iter().zip(&single) {
        assert!(swept.sweeps < 100 && swept.flips == 298, "{} sweeps, {} flips", swept.sweeps, swept.flips);
        assert_eq!(swept.state, single.state);
        assert!((swept.energy - single.energy).abs() < 1e-9 && swept.local_minimum);
    }
}

#[test]
fn a_graph_without_weight_is_an_error() {
    let graph = Csr::from_edges(2, &[(0, 1, 0.0)], &[1, 1]);
    assert!(matches!(solve(&graph, &plan(Method::Sweep, 1, 0), &Silent), Err(Error::NoWeight)));
}

#[test]
fn max_flips_is_a_limit() {
    let edges: Vec<_> = (0..20).map(|i| (i, 20, if i % 2 == 0 { 1.0 } else { -1.0 })).collect();
    let graph = Csr::from_edges(21, &edges, &[20, 1]);
    for method in METHODS {
        let plan = Plan { max_flips: 3, ..plan(method, 2, 0) };
        for replica in solve(&graph, &plan, &Silent).unwrap() {
            assert!(replica.flips <= 3);
            assert!(!replica.local_minimum || replica.energy == 0.0);
        }
    }
}
