use std::borrow::Cow;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{Signed, ToPrimitive};
use proptest::prelude::*;

use super::siblings::Siblings;
use super::*;
use crate::graph::csr::Csr;
use crate::graph::{NodeId, Revalued};
use crate::progress::{Progress, Silent};

/// Edges of a layered graph with small integer weights (so that all arithmetic is exact), and its class sizes.
fn layered(n_layers: usize, size: u32) -> impl Strategy<Value = (Vec<u32>, Vec<(NodeId, NodeId, f32)>)> {
    let sizes = prop::collection::vec(1..=size, 2..=n_layers);
    sizes.prop_flat_map(|sizes| {
        let n: u32 = sizes.iter().sum();
        let edge = (0..n, 0..n, prop::sample::select(vec![-3.0f32, -2.0, -1.0, 1.0, 2.0, 3.0]));
        let class = |sizes: &[u32], node: u32| {
            let mut end = 0;
            sizes.iter().position(|s| {
                end += s;
                node < end
            })
        };
        prop::collection::vec(edge, 1..60).prop_map(move |edges| {
            let mut edges: Vec<_> =
                edges.into_iter().filter(|&(a, b, _)| class(&sizes, a) < class(&sizes, b)).collect();
            if edges.is_empty() {
                edges.push((0, n - 1, 1.0));
            }
            (sizes.clone(), edges)
        })
    })
}

fn graph((sizes, edges): &(Vec<u32>, Vec<(NodeId, NodeId, f32)>)) -> Csr {
    Csr::from_edges(sizes.iter().sum(), edges, sizes)
}

fn plan(method: Method, replicas: u32, seed: u64) -> Plan {
    Plan { method, replicas, random_flips: 100, seed, max_flips: u64::MAX, isa: Isa::detect(), memory: None }
}

const METHODS: [Method; 3] = [Method::Sweep, Method::Steepest, Method::Anneal { sweeps: 20 }];

fn spin(state: &[u8], node: NodeId) -> f64 {
    if state[node as usize / 8] >> (node % 8) & 1 == 1 { 1.0 } else { -1.0 }
}

fn energy(edges: &[(NodeId, NodeId, f32)], state: &[u8]) -> f64 {
    let alignment: f64 = edges.iter().map(|&(a, b, w)| spin(state, a) * f64::from(w) * spin(state, b)).sum();
    let total: f64 = edges.iter().map(|e| f64::from(e.2).abs()).sum();
    0.5 * (1.0 - alignment / total)
}

fn fields(edges: &[(NodeId, NodeId, f32)], state: &[u8], n: u32) -> Vec<f64> {
    let mut fields = vec![0.0; n as usize];
    for &(a, b, w) in edges {
        let term = spin(state, a) * f64::from(w) * spin(state, b);
        fields[a as usize] += term;
        fields[b as usize] += term;
    }
    fields
}

/// Algorithm 1, written plainly: recompute all row sums after every flip.
fn algorithm_1(edges: &[(NodeId, NodeId, f32)], n: u32) -> (Vec<u8>, u64) {
    let mut state = vec![0xffu8; (n as usize).div_ceil(8)];
    let mut flips = 0;
    loop {
        let rows = fields(edges, &state, n);
        let k = (0..n as usize).min_by(|&a, &b| rows[a].total_cmp(&rows[b]).then(a.cmp(&b))).unwrap();
        if rows[k] >= 0.0 {
            return (state, flips);
        }
        state[k / 8] ^= 1 << (k % 8);
        flips += 1;
    }
}

proptest! {
    #[test]
    fn every_method_ends_in_a_local_minimum_with_the_energy_it_states(g in layered(5, 6), seed in any::<u64>()) {
        let csr = graph(&g);
        let ground = exact::ground_state_if_small(&csr);
        for method in METHODS {
            for replica in solve(&csr, &plan(method, 3, seed), &Silent).unwrap() {
                prop_assert!((replica.energy - energy(&g.1, &replica.state)).abs() < 1e-9);
                let least = fields(&g.1, &replica.state, csr.totals().n_nodes).into_iter().fold(f64::MAX, f64::min);
                prop_assert!(least >= 0.0, "{method:?} left a field of {least}");
                prop_assert!(replica.local_minimum);
                if let Some((ground, _)) = ground {
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
    fn frames_threads_batch_and_instruction_set_do_not_change_the_answer(
        g in layered(5, 9), seed in any::<u64>(), rows in 1u32..5,
    ) {
        for method in METHODS {
            let strip = |mut replicas: Vec<Replica>| {
                replicas.iter_mut().for_each(|r| r.secs = 0.0);
                replicas
            };
            let expected = strip(solve(&graph(&g), &plan(method, 20, seed), &Silent).unwrap());
            let cut = graph(&g).with_frame_rows(rows);
            let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
            for isa in Isa::available() {
                let plan = Plan { isa, ..plan(method, 20, seed) };
                let found = strip(pool.install(|| solve(&cut, &plan, &Silent)).unwrap());
                prop_assert_eq!(&found, &expected);
            }
            let fewer = strip(solve(&cut, &plan(method, 5, seed), &Silent).unwrap());
            prop_assert_eq!(&fewer[..], &expected[..5]);
        }
    }

    #[test]
    fn a_gauge_flip_changes_no_energy(g in layered(5, 6), node in any::<prop::sample::Index>()) {
        let node = node.index(graph(&g).totals().n_nodes as usize) as NodeId;
        let flip = |&(a, b, w): &(NodeId, NodeId, f32)| (a, b, if (a == node) != (b == node) { -w } else { w });
        let gauged = (g.0.clone(), g.1.iter().map(flip).collect::<Vec<_>>());
        if let (Some(a), Some(b)) = (exact::ground_state_if_small(&graph(&g)), exact::ground_state_if_small(&graph(&gauged))) {
            prop_assert_eq!(a.0, b.0);
        }
    }

    #[test]
    fn blocks_hold_all_of_the_frustrated_weight(g in layered(5, 6), seed in any::<u64>()) {
        let csr = graph(&g);
        let replica = solve(&csr, &plan(Method::Sweep, 1, seed), &Silent).unwrap().remove(0);
        let blocks = frustrated::by_block(&csr, &replica.state, replica.sum_abs).unwrap();
        let sum = |f: fn(&frustrated::BlockFrustration) -> f64| blocks.iter().map(f).sum::<f64>();
        prop_assert_eq!(sum(|b| b.weight), csr.totals().sum_abs);
        prop_assert!((sum(|b| b.frustrated_weight) / sum(|b| b.weight) - replica.energy).abs() < 1e-9);
        prop_assert_eq!(blocks.iter().map(|b| b.n_edges).sum::<u64>(), csr.totals().n_edges);
    }
}

fn bytes(checkpoint: &Checkpoint<'_>, plan: &Plan) -> Vec<u8> {
    let mut bytes = Vec::new();
    checkpoint::encode(checkpoint, "graph", plan, &mut bytes).unwrap();
    bytes
}

proptest! {
    /// Weights are small whole numbers: sums are exact, so that their order does not matter.
    #[test]
    fn a_one_way_stream_gives_the_answer_of_both_ways(g in layered(6, 9), seed in any::<u64>(), rows in 1u32..5) {
        for method in METHODS {
            let strip = |replicas: Vec<Replica>| replicas.into_iter().map(|r| Replica { secs: 0.0, ..r }).collect::<Vec<_>>();
            let both = strip(solve(&graph(&g), &plan(method, 40, seed), &Silent).unwrap());
            let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
            let one = graph(&g).with_frame_rows(rows).one_way();
            prop_assert_eq!(&strip(pool.install(|| solve(&one, &plan(method, 40, seed), &Silent)).unwrap()), &both);
        }
    }
}

/// Stops a search after some pulses and keeps its state as bytes, as a file would.
struct Stopper {
    plan: Plan,
    n_nodes: u32,
    pulses_left: AtomicU32,
    kept: Mutex<Option<Vec<u8>>>,
}

impl Progress for Stopper {
    fn begin(&self, _: &str, _: u64) {}
    fn advance(&self, _: u64) {}
    fn note(&self, _: &str) {}
    fn end(&self) {}
}

impl Control for Stopper {
    fn saved(&self) -> Option<Checkpoint<'static>> {
        let kept = self.kept.lock().unwrap();
        kept.as_ref().map(|bytes| checkpoint::decode(bytes, "graph", &self.plan, self.n_nodes).unwrap())
    }
    fn pulse(&self) -> Pulse {
        let left = self.pulses_left.load(Ordering::Relaxed);
        self.pulses_left.store(left.saturating_sub(1), Ordering::Relaxed);
        if left == 0 { Pulse::Stop } else { Pulse::Continue }
    }
    fn save(&self, checkpoint: &Checkpoint<'_>) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        *self.kept.lock().unwrap() = Some(bytes(checkpoint, &self.plan));
        Ok(())
    }
}

proptest! {
    #[test]
    fn a_search_stopped_again_and_again_finds_the_same(g in layered(5, 9), seed in any::<u64>(), pulses in 0u32..7) {
        let csr = graph(&g);
        for method in METHODS {
            let plan = plan(method, 18, seed);
            let strip = |mut replicas: Vec<Replica>| {
                replicas.iter_mut().for_each(|r| r.secs = 0.0);
                replicas
            };
            let expected = strip(solve(&csr, &plan, &Silent).unwrap());
            let n_nodes = csr.totals().n_nodes;
            let (pulses_left, kept) = (AtomicU32::new(pulses), Mutex::new(None));
            let stopper = Stopper { plan: plan.clone(), n_nodes, pulses_left, kept };
            let found = loop {
                match solve(&csr, &plan, &stopper) {
                    Ok(replicas) => break strip(replicas),
                    // A longer life each time, so that a descent, which begins anew, comes to its end.
                    Err(Error::Interrupted) => stopper.pulses_left.store(pulses + 3, Ordering::Relaxed),
                    Err(error) => panic!("{error}"),
                }
            };
            prop_assert_eq!(found, expected);
        }
    }
}

#[test]
fn a_checkpoint_is_of_one_search_and_intact() {
    let plan = plan(Method::Sweep, 3, 7);
    let spins = Spins::for_replicas(5, 3);
    let batch = Batch { steps: 2, runs: vec![Run::default(); 3], secs: 0.5, spins };
    let done = solve(&avalanche(5), &Plan { replicas: 2, ..plan.clone() }, &Silent).unwrap();
    let checkpoint = Checkpoint { done: Cow::Owned(done), batch: Some(Cow::Owned(batch)) };
    let bytes = bytes(&checkpoint, &plan);
    let decode = |bytes: &[u8], graph: &str, plan: &Plan| checkpoint::decode(bytes, graph, plan, 5);
    assert_eq!(decode(&bytes, "graph", &plan).unwrap(), checkpoint);
    assert!(decode(&bytes, "another", &plan).unwrap_err().to_string().contains("another search"));
    assert!(decode(&bytes, "graph", &Plan { seed: 8, ..plan.clone() }).is_err());
    for end in 0..bytes.len() {
        assert!(decode(&bytes[..end], "graph", &plan).is_err());
    }
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        assert!(decode(&damaged, "graph", &plan).is_err());
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
    fn company_does_not_change_a_replica(
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
fn a_long_avalanche_ends_in_company_as_it_does_alone() {
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

/// A chain of `n` layers of one node, its weights rising from a heavy first edge on, closed by a negative edge: from all
/// +1 a sweep can flip only the last node, and then the next one towards the beginning.
fn avalanche(n: u32) -> Csr {
    let mut edges: Vec<_> = (2..n).map(|i| (i - 1, i, 1.0 + i as f32 / 64.0)).collect();
    edges.push((0, 1, 5000.0));
    edges.push((0, n - 1, -1000.0));
    Csr::from_edges(n, &edges, &vec![1; n as usize])
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
fn a_limit_on_memory_changes_nothing_but_the_order_of_work() {
    let graph = avalanche(200);
    for method in METHODS {
        let free = Plan { random_flips: 1000, ..plan(method, 40, 3) };
        let limit = |bytes| Plan { memory: Some(bytes), ..free.clone() };
        let strip =
            |replicas: Vec<Replica>| replicas.into_iter().map(|r| Replica { secs: 0.0, ..r }).collect::<Vec<_>>();
        let expected = strip(solve(&graph, &free, &Silent).unwrap());
        let Error::Memory { least, .. } = solve(&graph, &limit(1), &Silent).unwrap_err() else {
            panic!("1 byte is enough")
        };
        assert_eq!(strip(solve(&graph, &limit(least), &Silent).unwrap()), expected, "{method:?}");
        assert!(solve(&graph, &limit(least - 1), &Silent).is_err());
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

/// `r_i` of every node, and the frustrated and the whole weight: exactly.
fn exactly(edges: &[(NodeId, NodeId, f32)], state: &[u8], n: u32) -> (Vec<BigRational>, BigRational, BigRational) {
    let zero = || BigRational::from_integer(0.into());
    let (mut fields, mut frustrated, mut total) = (vec![zero(); n as usize], zero(), zero());
    for &(a, b, w) in edges {
        let term = BigRational::from_float(spin(state, a) * f64::from(w) * spin(state, b)).unwrap();
        fields[a as usize] += &term;
        fields[b as usize] += &term;
        total += term.abs();
        frustrated -= if term.is_negative() { term } else { zero() };
    }
    (fields, frustrated, total)
}

/// The least energy of all states of a graph of a few nodes.
fn least_exactly(edges: &[(NodeId, NodeId, f32)], n: u32) -> BigRational {
    let energy = |state: u32| {
        let (_, frustrated, total) = exactly(edges, &state.to_le_bytes(), n);
        frustrated / total
    };
    (0..1u32 << (n - 1)).map(energy).min().unwrap()
}

/// Edges of small graphs of every structure, with weights of every size that `f32` has.
fn of_any_scale() -> impl Strategy<Value = (u32, Vec<(NodeId, NodeId, f32)>)> {
    let weights = (-45.0..38.0f64, prop::sample::select(vec![0.0, 3.0, 40.0, 83.0]), any::<u64>());
    (3u32..8, 0..4, weights).prop_map(|(n, structure, (scale, spread, seed))| {
        let ends: Vec<(NodeId, NodeId)> = match structure {
            0 => (1..n).map(|i| (0, i)).collect(),
            1 => (1..n).map(|i| (i - 1, i)).chain([(0, n - 1)]).filter(|(a, b)| a != b).collect(),
            2 => (0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j))).collect(),
            _ => (0..n / 2).flat_map(|i| (n / 2..n).map(move |j| (i, j))).collect(),
        };
        let mut state = seed;
        let mut uniform = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / 2f64.powi(53)
        };
        let mut weight = || {
            let size = 10f64.powf((scale + spread * (uniform() - 0.5)).clamp(-44.5, 38.4));
            let w = (size * (1.0 + uniform())).min(f64::from(f32::MAX)) as f32;
            if uniform() < 0.5 { -w } else { w }
        };
        (n, ends.into_iter().map(|(a, b)| (a, b, weight())).collect())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn energies_of_weights_of_any_size_are_exact((n, edges) in of_any_scale(), seed in any::<u64>()) {
        let csr = Csr::from_edges_unclassed(n, &edges);
        let least = least_exactly(&edges, n);
        for method in METHODS {
            for replica in solve(&csr, &plan(method, 3, seed), &Silent).unwrap() {
                let (fields, frustrated, total) = exactly(&edges, &replica.state, n);
                let energy = &frustrated / &total;
                prop_assert!(energy >= least);
                prop_assert_eq!(replica.energy, energy.to_f64().unwrap(), "{:?}", method);
                prop_assert_eq!(replica.frustrated_weight, frustrated.to_f64().unwrap());
                prop_assert_eq!(replica.sum_abs, total.to_f64().unwrap());
                prop_assert!(replica.local_minimum);
                if method == Method::Steepest {
                    prop_assert!(fields.iter().all(|r| !r.is_negative()), "{:?}", fields);
                }
            }
        }
    }
}

/// A sum of weights, exactly: mantissas by exponent.
#[derive(Clone, Default)]
struct Exact(std::collections::BTreeMap<i32, i128>);

impl Exact {
    fn add(&mut self, w: f32, sign: i128) {
        let (mantissa, exponent, negative) = num_traits::float::FloatCore::integer_decode(w);
        *self.0.entry(i32::from(exponent)).or_default() += sign * i128::from(negative) * i128::from(mantissa);
    }

    /// In multiples of 2⁻¹⁶⁰.
    fn value(&self) -> BigInt {
        self.0.iter().map(|(&exponent, &n)| BigInt::from(n) << (exponent + 160)).sum()
    }
}

/// Class sizes and edges of a large graph: a star, a chain, a complete graph, two dense layers.
fn large_of_any_scale() -> impl Strategy<Value = (Vec<u32>, Vec<(NodeId, NodeId, f32)>)> {
    let size = prop::sample::select(vec![1_000u32, 10_000, 65_536]);
    (0..4, size, -44.0..37.5f64, prop::sample::select(vec![0.0, 0.0, 2.0, 20.0]), any::<u32>()).prop_map(
        |(structure, n_edges, scale, spread, seed)| {
            let (wide, side, half) = (n_edges / 3, f64::from(n_edges).sqrt() as u32, n_edges / 2 + 1);
            let link = |i: u32| i / 2 + i % 2 * half;
            let (sizes, ends): (Vec<u32>, Vec<(NodeId, NodeId)>) = match structure {
                0 => (vec![1, n_edges], (1..=n_edges).map(|leaf| (0, leaf)).collect()),
                1 => (vec![half, half], (0..n_edges).map(|i| (link(i), link(i + 1))).collect()),
                2 => (vec![1; side as usize], (0..side).flat_map(|a| (a + 1..side).map(move |b| (a, b))).collect()),
                _ => (vec![wide, 3], (0..wide).flat_map(|a| (0..3).map(move |b| (a, wide + b))).collect()),
            };
            let weight = |edge: usize| {
                let drawn = crate::random::mix64(u64::from(seed) << 32 | edge as u64);
                let uniform = (drawn >> 11) as f64 / 2f64.powi(53);
                let w = 10f64.powf((scale + spread * (uniform - 0.5)).clamp(-44.5, 38.4)) as f32;
                if drawn & 7 == 0 { -w } else { w }
            };
            (sizes, ends.into_iter().enumerate().map(|(edge, (a, b))| (a, b, weight(edge))).collect())
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 0, ..ProptestConfig::with_cases(10) })]

    #[test]
    fn energies_of_large_graphs_of_any_scale_are_exact((sizes, edges) in large_of_any_scale(), seed in any::<u64>()) {
        METHODS.iter().for_each(|&method| check_one_replica(&sizes, &edges, &plan(method, 1, seed)));
    }
}

/// Solves a large graph, and weighs what comes out edge by edge.
fn check_one_replica(sizes: &[u32], edges: &[(NodeId, NodeId, f32)], plan: &Plan) {
    let replica = solve(&Csr::from_edges(sizes.iter().sum(), edges, sizes), plan, &Silent).unwrap().remove(0);
    let (mut frustrated, mut total) = (Exact::default(), Exact::default());
    for &(a, b, w) in edges {
        let is_satisfied = (spin(&replica.state, a) == spin(&replica.state, b)) == (w > 0.0);
        total.add(w.abs(), 1);
        frustrated.add(w.abs(), if is_satisfied { 0 } else { 1 });
    }
    let energy = BigRational::new(frustrated.value(), total.value());
    assert_eq!(replica.energy, energy.to_f64().unwrap(), "{plan:?}");
    assert!(replica.local_minimum);
}

#[test]
fn energies_at_a_degree_of_a_million_are_exact() {
    for scale in [1e-42f32, 0.1, 3e38] {
        let star: Vec<_> = (1..=1_000_000).map(|leaf| (0, leaf, if leaf % 7 == 0 { -scale } else { scale })).collect();
        for method in [Method::Sweep, Method::Steepest] {
            check_one_replica(&[1, 1_000_000], &star, &plan(method, 1, 3));
        }
    }
}

#[test]
fn many_equal_weights_well_satisfied_are_no_reason_to_give_up() {
    // Sums of tenths in `f32` are off by a tenth at a degree like that.
    let star: Vec<_> = (1..100_000).map(|leaf| (leaf, 0, if leaf % 3 == 0 { -0.1 } else { 0.1 })).collect();
    let complete: Vec<_> = (0..60).flat_map(|a| (a + 1..60).map(move |b| (a, b, 0.1))).collect();
    for (n, edges) in [(100_000, star), (60, complete)] {
        let csr = Csr::from_edges_unclassed(n, &edges);
        for method in METHODS {
            for replica in solve(&csr, &plan(method, 2, 5), &Silent).unwrap() {
                assert_eq!(replica.energy, 0.0, "{method:?}");
            }
        }
    }
}

#[test]
fn no_number_of_sweeps_leads_to_a_refusal() {
    let edges = [(0, 1, -0.717_382_7f32), (0, 2, 1.324_171), (1, 2, 0.491_827_3)];
    let csr = Csr::from_edges_unclassed(3, &edges);
    for sweeps in [1, 100, 20_000] {
        let replicas = solve(&csr, &plan(Method::Anneal { sweeps }, 16, 1), &Silent).unwrap();
        let least = least_exactly(&edges, 3).to_f64().unwrap();
        assert!(replicas.iter().all(|replica| replica.energy >= least));
        assert!(replicas.iter().any(|replica| replica.energy == least));
    }
}
