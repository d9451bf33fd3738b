use proptest::prelude::*;

use super::*;
use crate::graph::edges::for_each_edge;
use crate::graph::{BlockStream, Direction, Frame, Layer, NodeId};
use crate::net::arch::{self, WeightSource};
use crate::net::{Conv, Dense, Network, Op, Pool, PoolKind, Shape, Window};
use crate::testing::blocks;
use crate::unroll::{Options, Unrolled};

/// A padded convolution in two groups, a pool and a dense layer. No two parameters are equal.
fn graph(channels: usize, side: usize) -> Unrolled {
    let window =
        |side: usize, pad: usize| Window { kernel: [side; 2], stride: [1; 2], pad: [pad; 2], dilation: [1; 2] };
    let layer = |name: &str, op, inputs, shape| crate::net::Layer { name: name.into(), op, inputs, shape };
    let numbers = |n: usize| (1..=n).map(|i| if i % 3 == 0 { -(i as f32) } else { i as f32 }).collect::<Vec<_>>();
    let (conv, pool) = (Shape::new(2 * channels, side, side), Shape::new(2 * channels, side - 1, side - 1));
    let layers = vec![
        layer("input", Op::Input, vec![], Shape::new(2, side, side)),
        layer(
            "conv",
            Op::Conv(Conv { weight: numbers(conv.c * 9), bias: None, window: window(3, 1), groups: 2 }),
            vec![0],
            conv,
        ),
        layer("pool", Op::Pool(Pool { kind: PoolKind::Max, window: window(2, 0) }), vec![1], pool),
        layer("dense", Op::Dense(Dense { weight: numbers(3 * pool.len()), bias: None }), vec![2], Shape::new(3, 1, 1)),
    ];
    let net = Network { name: "tiny".into(), layers, warnings: vec![] };
    Unrolled::new(&net, Options::default()).unwrap()
}

fn digits() -> (Network, Unrolled) {
    let net = arch::build("digits", WeightSource::Init { scheme: Init::He, seed: 3 }, None).unwrap();
    let graph = Unrolled::new(&net, Options::default()).unwrap();
    (net, graph)
}

/// All edges of one direction, in stored order.
fn edges(graph: &dyn BlockStream, direction: Direction) -> Vec<(NodeId, NodeId, f32)> {
    let (mut edges, mut frame) = (Vec::new(), Frame::default());
    for index in 0..graph.frames().len() {
        graph.read(index, &mut frame).unwrap();
        for_each_edge(frame.direction(direction), graph.values(), |row, col, w| edges.push((row, col, w)));
    }
    edges
}

fn sorted(values: &[f32]) -> Vec<u32> {
    let mut bits: Vec<_> = values.iter().map(|value| value.to_bits()).collect();
    bits.sort_unstable();
    bits
}

/// Which offsets of the store are some layer's parameters.
fn is_parameter(graph: &dyn BlockStream) -> Vec<bool> {
    let inside = |offset: u64| graph.layers().iter().any(|layer| layer.params.contains(&offset));
    (0..graph.values().len() as u64).map(inside).collect()
}

fn kinds() -> impl Strategy<Value = Kind> {
    prop::sample::select(vec![Kind::N1, Kind::N3(Init::He), Kind::N3(Init::Xavier)])
}

fn values(graph: &dyn BlockStream, kind: Kind, seed: u64, index: u32) -> Vec<f32> {
    match kind {
        Kind::N1 => n1(graph, seed, index).unwrap(),
        Kind::N3(init) => n3(graph, init, seed, index).unwrap(),
        Kind::N2 => unreachable!("not a strategy of these tests"),
    }
}

proptest! {
    #[test]
    fn n1_keeps_the_parameters_of_every_layer(channels in 1usize..4, side in 2usize..6, seed: u64, index: u32) {
        let graph = graph(channels, side);
        let values = n1(&graph, seed, index).unwrap();
        for layer in graph.layers() {
            let params = layer.params.start as usize..layer.params.end as usize;
            prop_assert_eq!(sorted(&values[params.clone()]), sorted(&graph.values()[params]));
        }
    }

    #[test]
    fn what_is_no_parameter_stays(channels in 1usize..4, side in 2usize..6, kind in kinds(), seed: u64, index: u32) {
        let graph = graph(channels, side);
        let model = Revalued::new(&graph, values(&graph, kind, seed, index)).unwrap();
        let stays = is_parameter(&graph).into_iter().zip(graph.values().iter().zip(model.values()));
        prop_assert!(stays.filter(|(is_parameter, _)| !is_parameter).all(|(_, (a, b))| a.to_bits() == b.to_bits()));
        prop_assert_eq!(model.frames(), graph.frames());
        for (layer, parent) in model.layers().iter().zip(graph.layers()) {
            prop_assert_eq!(&crate::graph::Layer { sum_abs: parent.sum_abs, ..layer.clone() }, parent);
        }
        for direction in [Direction::In, Direction::Out] {
            let ends = |graph| edges(graph, direction).into_iter().map(|(row, col, _)| (row, col)).collect::<Vec<_>>();
            prop_assert_eq!(ends(&model), ends(&graph));
        }
    }

    #[test]
    fn edges_that_shared_a_parameter_share_one(
        channels in 1usize..4, side in 2usize..6, kind in kinds(), seed: u64, index: u32,
    ) {
        let graph = graph(channels, side);
        let model = Revalued::new(&graph, values(&graph, kind, seed, index)).unwrap();
        let mut of_parameter = std::collections::HashMap::new();
        for (before, after) in edges(&graph, Direction::In).into_iter().zip(edges(&model, Direction::In)) {
            let layer = graph.layers().iter().position(|layer| layer.nodes.contains(&before.0));
            let weight = *of_parameter.entry((layer, before.2.to_bits())).or_insert(after.2);
            prop_assert_eq!(weight.to_bits(), after.2.to_bits());
        }
    }

    #[test]
    fn sums_are_those_of_the_edges(channels in 1usize..4, side in 2usize..6, kind in kinds(), seed: u64) {
        let graph = graph(channels, side);
        let model = Revalued::new(&graph, values(&graph, kind, seed, 0)).unwrap();
        let mut sums = vec![0.0; graph.layers().len()];
        for (row, _, w) in edges(&model, Direction::In) {
            sums[graph.layers().iter().position(|layer| layer.nodes.contains(&row)).unwrap()] += f64::from(w).abs();
        }
        for (sum, layer) in sums.iter().zip(model.layers()) {
            prop_assert!((sum - layer.sum_abs).abs() <= 1e-12 * sum);
        }
        prop_assert!((sums.iter().sum::<f64>() - model.totals().sum_abs).abs() <= 1e-12 * model.totals().sum_abs);
    }

    #[test]
    fn models_depend_on_seed_kind_and_index(kind in kinds(), seed: u64, index in 0u32..1000) {
        let graph = graph(2, 4);
        let first = values(&graph, kind, seed, index);
        prop_assert_eq!(&first, &values(&graph, kind, seed, index));
        prop_assert_ne!(&first, &values(&graph, kind, seed, index + 1));
        prop_assert_ne!(&first, &values(&graph, kind, seed ^ 1, index));
        prop_assert_ne!(&first, &graph.values());
        let solver = |kind, index| Model { kind, index }.solver_seed(seed);
        prop_assert_eq!(solver(kind, index), solver(kind, index));
        prop_assert_ne!(solver(kind, index), solver(kind, index + 1));
        prop_assert_ne!(solver(kind, index), solver(Kind::N2, index));
    }
}

#[test]
fn the_parents_own_values_give_the_parents_sums() {
    let (_, graph) = digits();
    let same = Revalued::new(&graph, graph.values().to_vec()).unwrap();
    for (found, expected) in same.layers().iter().zip(graph.layers()) {
        assert!((found.sum_abs - expected.sum_abs).abs() <= 1e-12 * expected.sum_abs, "{}", expected.name);
    }
}

#[test]
fn sums_do_not_depend_on_threads() {
    let (_, graph) = digits();
    let sum = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| Revalued::new(&graph, n1(&graph, 1, 2).unwrap()).unwrap().totals().sum_abs.to_bits())
    };
    assert_eq!(sum(1), sum(3));
}

/// Mean and variance of every layer, each within five standard errors; `kurtosis` is the distribution's.
fn check_moments(graph: &dyn BlockStream, values: &[f32], kurtosis: f64, variance: impl Fn(&Layer) -> f64) {
    for layer in graph.layers().iter().filter(|layer| !layer.params.is_empty()) {
        let params = &values[layer.params.start as usize..layer.params.end as usize];
        let (n, expected) = (params.len() as f64, variance(layer));
        let mean = params.iter().copied().map(f64::from).sum::<f64>() / n;
        let square = params.iter().map(|&w| f64::from(w).powi(2)).sum::<f64>() / n;
        assert!(mean.abs() < 5.0 * (expected / n).sqrt(), "{}: mean {mean}", layer.name);
        let error = 5.0 * ((kurtosis - 1.0) / n).sqrt();
        assert!((square / expected - 1.0).abs() < error, "{}: variance {square}, not {expected}", layer.name);
    }
}

#[test]
fn he_has_the_fan_in_of_every_layer() {
    let (_, graph) = digits();
    let values = n3(&graph, Init::He, 5, 0).unwrap();
    check_moments(&graph, &values, 3.0, |layer| 2.0 / f64::from(layer.fan_in));
}

#[test]
fn xavier_has_the_bounds_of_every_layer_of_the_network() {
    let (net, graph) = digits();
    let values = n3(&graph, Init::Xavier, 5, 0).unwrap();
    let bound = |name: &str| {
        let layer = net.layers.iter().find(|layer| layer.name == name).unwrap();
        let (fan_in, fan_out) = arch::fans(layer).unwrap();
        (6.0 / (fan_in + fan_out) as f64).sqrt()
    };
    for layer in graph.layers().iter().filter(|layer| !layer.params.is_empty()) {
        let params = &values[layer.params.start as usize..layer.params.end as usize];
        assert!(params.iter().all(|w| f64::from(w.abs()) <= bound(&layer.name) && *w != 0.0), "{}", layer.name);
    }
    check_moments(&graph, &values, 1.8, |layer| bound(&layer.name).powi(2) / 3.0);
}

/// The bytes are a promise: a published seed must give the same null model in every later version.
#[test]
fn the_bytes_of_a_seed_never_change() {
    let graph = graph(3, 5);
    let digest = |kind| {
        let bytes: Vec<u8> = values(&graph, kind, 7, 3).iter().flat_map(|value| value.to_le_bytes()).collect();
        crc32fast::hash(&bytes)
    };
    let kinds = [Kind::N1, Kind::N3(Init::He), Kind::N3(Init::Xavier)];
    assert_eq!(kinds.map(digest), [888_411_995, 3_704_546_952, 1_568_937_981]);
    assert_eq!(Model { kind: Kind::N1, index: 3 }.solver_seed(7), 4_318_991_687_293_595_656);
}

#[test]
fn graphs_without_parameters_or_sizes_are_refused() {
    let mut graph = blocks::fixture();
    assert_eq!(graph.layers[1].taps, 0);
    assert!(n3(&graph, Init::He, 0, 0).is_ok());
    assert!(matches!(n3(&graph, Init::Xavier, 0, 0), Err(Error::Taps { .. })));
    for fan_in in [0, 3] {
        graph.layers[1].fan_in = fan_in;
        assert!(matches!(n3(&graph, Init::He, 0, 0), Err(Error::FanIn { .. })));
    }
    graph.layers[1].params = 0..0;
    assert!(matches!(n1(&graph, 0, 0), Err(Error::NoParameters)));
}

#[test]
fn names_are_those_of_tables() {
    let name = |kind, index| Model { kind, index }.to_string();
    assert_eq!([name(Kind::N1, 0), name(Kind::N2, 7)], ["n1-0", "n2-7"]);
    assert_eq!([name(Kind::N3(Init::He), 1), name(Kind::N3(Init::Xavier), 2)], ["n3-he-1", "n3-xavier-2"]);
}
