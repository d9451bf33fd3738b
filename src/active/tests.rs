//! Active subnetworks of random networks, against a plain construction edge by edge.

use proptest::prelude::*;

use super::{Active, Activity, Error, Wiring};
use crate::forward::{Forward, States};
use crate::graph::csr::Csr;
use crate::graph::{BlockStream, NodeId};
use crate::kernel::{Isa, LANES, lane_of_bit, state};
use crate::net::{Network, Op, Pool, PoolKind, Shape};
use crate::progress::Silent;
use crate::spin::{Method, Plan, Replica, Scales, exact};
use crate::testing::network::{NetworkBuilder, Round, all_options, window};
use crate::testing::oracle::{self, Element};
use crate::testing::random_network;
use crate::unroll::{Options, ResidualRule, Unrolled};

/// Small whole numbers of both signs: all values of the network are exact.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        [-2.0, -1.0, 1.0, 2.0, 3.0][(self.0 >> 33) as usize % 5]
    }
}

/// Gives a network small weights, and biases.
fn with_weights(mut net: Network, numbers: &mut Numbers) -> Network {
    for layer in &mut net.layers {
        let (weight, bias) = match &mut layer.op {
            Op::Conv(conv) => (&mut conv.weight, &mut conv.bias),
            Op::Dense(dense) => (&mut dense.weight, &mut dense.bias),
            _ => continue,
        };
        weight.iter_mut().for_each(|w| *w = numbers.next());
        *bias = Some((0..layer.shape.c).map(|_| numbers.next()).collect());
    }
    net
}

fn images(net: &Network, numbers: &mut Numbers) -> Vec<[f32; LANES]> {
    (0..net.layers[0].shape.len()).map(|_| std::array::from_fn(|_| numbers.next())).collect()
}

fn plan(method: Method, isa: Isa) -> Plan {
    Plan { method, replicas: 1, random_flips: 0, seed: 5, max_flips: u64::MAX, isa, memory: None }
}

/// The active subnetwork of one image, as a list of edges.
struct Plain {
    nodes: Vec<bool>,
    edges: Vec<oracle::Edge>,
}

struct Case<'a> {
    net: &'a Network,
    options: Options,
    graph: &'a Unrolled,
    forward: &'a Forward,
    states: &'a States,
}

impl Case<'_> {
    fn value(&self, (layer, [c, y, x]): (usize, Element), lane: usize) -> f32 {
        let (shape, order) = (self.net.layers[layer].shape, self.forward.order(layer));
        let [c, y, x] = match shape == order {
            true => [c, y, x],
            false => [c / (order.h * order.w), c / order.w % order.h, c % order.w],
        };
        self.states.tensor(layer)[(y * order.w + x) * order.c + c][lane]
    }

    fn class(&self, lane: usize) -> usize {
        let last = self.net.layers.len() - 1;
        let shape = self.net.layers[last].shape;
        let logit = |class: usize| self.value((last, place(shape, class)), lane);
        // A pool whose window lies in the padding has no value.
        let worst = |x: f32| if x.is_nan() { f32::NEG_INFINITY } else { x };
        (1..shape.len()).fold(0, |best, class| if worst(logit(class)) > worst(logit(best)) { class } else { best })
    }

    fn plain(&self, lane: usize) -> Plain {
        let passes = |passed: &[(usize, Element)]| passed.iter().all(|&element| self.value(element, lane) != 0.0);
        let mut edges = oracle::traced(self.net, self.options, self.graph);
        edges.retain(|traced| {
            let (layer, _) = traced.output;
            let is_max = matches!(self.net.layers[layer].op, Op::Pool(Pool { kind: PoolKind::Max, .. }));
            passes(&traced.passed) && !(is_max && self.value(traced.input, lane) != self.value(traced.output, lane))
        });
        let last = self.net.layers.len() - 1;
        let element = (last, place(self.net.layers[last].shape, self.class(lane)));
        let mut nodes = vec![false; self.graph.totals().n_nodes as usize];
        for (node, _) in oracle::nodes_of(self.net, self.options, self.graph, element) {
            nodes[node as usize] = true;
        }
        loop {
            let before = nodes.clone();
            for traced in edges.iter().filter(|traced| before[traced.edge.0 as usize]) {
                nodes[traced.edge.1 as usize] = true;
            }
            if before == nodes {
                break;
            }
        }
        let edges = edges.into_iter().map(|traced| traced.edge).filter(|edge| nodes[edge.0 as usize]).collect();
        Plain { nodes, edges }
    }
}

fn place(shape: Shape, class: usize) -> Element {
    [class / (shape.h * shape.w), class / shape.w % shape.h, class % shape.w]
}

impl Plain {
    fn energy(&self, state: &[u8]) -> f64 {
        let spin = |node: NodeId| if state::is_up(state, node) { 1.0 } else { -1.0 };
        let (mut aligned, mut all) = (0.0, 0.0);
        for &(i, j, w) in &self.edges {
            aligned += spin(i) * f64::from(w) * spin(j);
            all += f64::from(w).abs();
        }
        if all == 0.0 { 0.0 } else { 0.5 * (1.0 - aligned / all) }
    }

    fn least_field(&self, state: &[u8]) -> f64 {
        let spin = |node: NodeId| if state::is_up(state, node) { 1.0 } else { -1.0 };
        let mut fields = vec![0.0; self.nodes.len()];
        for &(i, j, w) in &self.edges {
            fields[i as usize] += spin(i) * f64::from(w) * spin(j);
            fields[j as usize] += spin(i) * f64::from(w) * spin(j);
        }
        fields.into_iter().fold(0.0, f64::min)
    }

    /// The least energy, if there are few nodes.
    fn ground_state(&self) -> Option<f64> {
        let nodes: Vec<_> = (0..self.nodes.len() as u32).filter(|&node| self.nodes[node as usize]).collect();
        let index = |node: NodeId| nodes.binary_search(&node).unwrap() as u32;
        let edges: Vec<_> = self.edges.iter().map(|&(i, j, w)| (index(i), index(j), w)).collect();
        let is_small = nodes.len() <= exact::MAX_NODES as usize && !edges.is_empty();
        is_small.then(|| exact::ground_state(&Csr::from_edges_unclassed(nodes.len() as u32, &edges)).0)
    }
}

/// Compares everything for the images of a batch. Returns the share of edges that are active.
fn check(net: &Network, options: Options, numbers: &mut Numbers, method: Method) -> Result<f64, Error> {
    let (graph, forward) = (Unrolled::new(net, options).unwrap(), Forward::new(net).unwrap());
    let states = forward.states(&images(net, numbers));
    let wiring = Wiring::new(&graph, &forward)?;
    let scales = Scales::measure(&graph).unwrap();
    let case = Case { net, options, graph: &graph, forward: &forward, states: &states };
    let n_images = 5;
    let mut solved: Vec<(Vec<Vec<Active>>, Vec<Replica>)> = Vec::new();
    for (isa, threads) in Isa::available().into_iter().flat_map(|isa| [(isa, 1), (isa, 2)]) {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        solved.push(pool.install(|| {
            let activity = Activity::new(&wiring, &graph, &states, n_images, isa).unwrap();
            let layers = (0..n_images).map(|image| activity.layers(image).collect()).collect();
            let mut replicas = activity.solve(&scales, 32, &plan(method, isa), &Silent).unwrap();
            replicas.iter_mut().for_each(|replica| replica.secs = 0.0);
            (layers, replicas)
        }));
    }
    assert!(solved.iter().all(|other| *other == solved[0]), "threads and instruction sets");
    let activity = Activity::new(&wiring, &graph, &states, n_images, Isa::detect()).unwrap();
    let mut active = 0;
    for (image, replica) in solved[0].1.iter().enumerate() {
        let lane = lane_of_bit(image);
        let plain = case.plain(lane);
        assert_eq!(activity.answer(image).class, case.class(lane));
        let bits = activity.nodes(image);
        let nodes: Vec<_> = (0..plain.nodes.len()).map(|node| state::is_up(&bits, node as NodeId)).collect();
        assert_eq!(nodes, plain.nodes, "{net:?} {options:?}");
        let total = activity.total(image);
        active += total.edges;
        assert_eq!(total.nodes as usize, plain.nodes.iter().filter(|alive| **alive).count());
        assert_eq!(total.edges as usize, plain.edges.len(), "{net:?} {options:?}");
        let sum_abs: f64 = plain.edges.iter().map(|edge| f64::from(edge.2.abs())).sum();
        assert!((total.sum_abs - sum_abs).abs() <= 1e-6 * sum_abs, "{} {sum_abs}", total.sum_abs);
        for (layer, found) in graph.layers().iter().zip(activity.layers(image)) {
            let into = plain.edges.iter().filter(|edge| layer.nodes.contains(&edge.0)).count();
            assert_eq!(found.edges as usize, into);
        }
        assert_eq!(replica.index, 32 + image as u32);
        // Fields are means of sums over all edges, and rounded like those.
        let rounding = 1e-6 * graph.totals().sum_abs.max(sum_abs) / sum_abs.max(f64::MIN_POSITIVE);
        let energy = plain.energy(&replica.state);
        assert!((replica.energy - energy).abs() <= rounding, "{} {energy}, {sum_abs}", replica.energy);
        assert!(replica.local_minimum && plain.least_field(&replica.state) >= -1e-4 * (1.0 + graph.totals().sum_abs));
        if let Some(least) = plain.ground_state() {
            assert!(replica.energy >= least - rounding, "{} is below the ground state {least}", replica.energy);
        }
        let is_up = |node: usize| state::is_up(&replica.state, node as NodeId);
        assert!((0..nodes.len()).all(|node| nodes[node] || is_up(node)), "spins of other nodes stay");
    }
    Ok(active as f64 / (n_images as f64 * graph.totals().n_edges.max(1) as f64))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn random_networks_have_the_subnetworks_of_the_definition(
        size in (1usize..4, 1usize..6, 1usize..6),
        script in prop::collection::vec(any::<[u8; 8]>(), 1..9),
        dense in any::<bool>(),
        rule in 0usize..2,
        seed in any::<u64>(),
        anneal in any::<bool>(),
    ) {
        let numbers = &mut Numbers(seed);
        let net = with_weights(random_network::network(size, &script, dense), numbers);
        let options = all_options().nth(rule).unwrap();
        let method = if anneal { Method::Anneal { sweeps: 5 } } else { Method::Sweep };
        match check(&net, options, numbers, method) {
            Ok(_) | Err(Error::TwoWays { .. } | Error::NoOutput) => {}
            Err(error) => prop_assert!(false, "{}", error),
        }
    }
}

const EXPAND: Options = Options { batch_norm: crate::unroll::BatchNormRule::Ignore, residual: ResidualRule::Expand };
const NODE: Options = Options { batch_norm: crate::unroll::BatchNormRule::Ignore, residual: ResidualRule::Node };

/// Two residual blocks with a shortcut by slices and pads, then pooling and a dense layer.
fn residual() -> Network {
    let mut build = NetworkBuilder::input(2, 6, 6);
    let mut at = build.conv(0, 3, window(3, 1, 1), 1);
    at = build.relu(at);
    for stride in [1, 2] {
        let c = 3 * stride;
        let conv = build.conv(at, c, window(3, stride, 1), 1);
        let relu = build.relu(conv);
        let conv = build.conv(relu, c, window(3, 1, 1), 1);
        let short = match stride {
            1 => at,
            _ => {
                let short = build.slice(at, [0; 3], [1, 2, 2], Shape::new(3, 3, 3));
                build.pad(short, [1, 0, 0], Shape::new(6, 3, 3))
            }
        };
        let sum = build.add(&[conv, short]);
        at = build.relu(sum);
    }
    let pool = build.pool(at, PoolKind::Max, window(2, 1, 0), Round::Down);
    let flat = build.flatten(pool);
    build.dense(flat, 4);
    build.net()
}

#[test]
fn residual_networks_have_the_subnetworks_of_the_definition() {
    let numbers = &mut Numbers(1);
    for options in [EXPAND, NODE] {
        for _ in 0..4 {
            let share = check(&with_weights(residual(), numbers), options, numbers, Method::Sweep).unwrap();
            assert!((0.01..0.8).contains(&share), "{share}");
        }
    }
}

#[test]
fn fire_modules_and_pools_have_the_subnetworks_of_the_definition() {
    let numbers = &mut Numbers(2);
    let mut build = NetworkBuilder::input(2, 9, 9);
    let mut at = build.conv(0, 4, window(3, 2, 0), 1);
    at = build.relu(at);
    at = build.pool(at, PoolKind::Max, window(3, 1, 1), Round::Up);
    let squeeze = build.conv(at, 2, window(1, 1, 0), 1);
    let squeeze = build.relu(squeeze);
    let branches = [1, 3].map(|kernel| {
        let conv = build.conv(squeeze, 3, window(kernel, 1, kernel / 2), 1);
        build.relu(conv)
    });
    at = build.concat(&branches);
    at = build.pool(at, PoolKind::Max, window(3, 2, 0), Round::Up);
    at = build.conv(at, 5, window(1, 1, 0), 1);
    at = build.relu(at);
    build.global_pool(at);
    let net = build.net();
    for _ in 0..4 {
        check(&with_weights(net.clone(), numbers), EXPAND, numbers, Method::Sweep).unwrap();
    }
}

#[test]
fn a_value_beside_its_own_activation_is_an_error() {
    let mut build = NetworkBuilder::input(2, 2, 2);
    let conv = build.conv(0, 2, window(1, 1, 0), 1);
    let relu = build.relu(conv);
    let sum = build.add(&[conv, relu]);
    build.conv(sum, 2, window(1, 1, 0), 1);
    let net = build.net();
    for options in [EXPAND, NODE] {
        let error = check(&net, options, &mut Numbers(3), Method::Sweep).unwrap_err().to_string();
        assert!(error.contains("reads `layer1` in two routes"), "{error}");
    }
}
