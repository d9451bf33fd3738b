//! The known answer: networks that are monotone up to signs of inputs and outputs.

use super::*;
use crate::forward::Forward;
use crate::graph::BlockStream as _;
use crate::kernel::Isa;
use crate::net::{Activation, Conv, Dense, Layer, Network, Op, Pool, PoolKind, Shape, Window};
use crate::spin::{self, Method, Plan};
use crate::unroll::{Options, Unrolled};

const CHANNELS: usize = 5;
const OUTPUTS: usize = 7;
const SIDE: usize = 4;

/// Signs of the input's channels, most of them +1, and of the outputs.
type Gauge = ([f32; CHANNELS], [f32; OUTPUTS]);
const PLAIN: Gauge = ([1.0; CHANNELS], [1.0; OUTPUTS]);
const FLIPPED: Gauge = ([1.0, -1.0, 1.0, -1.0, 1.0], [-1.0, 1.0, 1.0, -1.0, -1.0, 1.0, -1.0]);

/// Positive weights, the same for all gauges; zeros would be edges of no sign.
fn weights(purpose: u64, n: usize) -> Vec<f32> {
    let stream = crate::random::Stream::new(&[purpose]);
    (0..n as u64).map(|index| 0.1 + stream.uniform(index) as f32).collect()
}

/// Convolution, ReLU, maximum, dense, ReLU, dense. A flipped input changes the sign of what its channel is multiplied by, a
/// flipped output that of its row and its bias: the same function but for these signs.
fn network((inputs, outputs): Gauge) -> Network {
    let window =
        |kernel, stride, pad| Window { kernel: [kernel; 2], stride: [stride; 2], pad: [pad; 2], dilation: [1; 2] };
    let mut kernel = weights(1, 6 * CHANNELS * 9);
    kernel.chunks_mut(9).enumerate().for_each(|(at, taps)| taps.iter_mut().for_each(|w| *w *= inputs[at % CHANNELS]));
    let (mut last, mut bias) = (weights(2, OUTPUTS * 8), weights(3, OUTPUTS));
    for (output, sign) in outputs.into_iter().enumerate() {
        last[output * 8..][..8].iter_mut().chain(&mut bias[output..=output]).for_each(|weight| *weight *= sign);
    }
    let conv = Conv { weight: kernel, bias: Some(vec![-2.0; 6]), window: window(3, 1, 1), groups: 1 };
    let middle = Dense { weight: weights(4, 8 * 24), bias: Some(vec![-9.0; 8]) };
    let ops = [
        ("x", Op::Input, Shape::new(CHANNELS, SIDE, SIDE)),
        ("conv", Op::Conv(conv), Shape::new(6, SIDE, SIDE)),
        ("relu1", Op::Activation(Activation::Relu), Shape::new(6, SIDE, SIDE)),
        ("pool", Op::Pool(Pool { kind: PoolKind::Max, window: window(2, 2, 0) }), Shape::new(6, 2, 2)),
        ("flat", Op::Flatten, Shape::new(24, 1, 1)),
        ("middle", Op::Dense(middle), Shape::new(8, 1, 1)),
        ("relu2", Op::Activation(Activation::Relu), Shape::new(8, 1, 1)),
        ("y", Op::Dense(Dense { weight: last, bias: Some(bias) }), Shape::new(OUTPUTS, 1, 1)),
        ("softmax", Op::Softmax, Shape::new(OUTPUTS, 1, 1)),
    ];
    let layer = |(at, (name, op, shape)): (usize, (&str, Op, Shape))| Layer {
        name: name.into(),
        op,
        inputs: at.checked_sub(1).into_iter().collect(),
        shape,
    };
    Network { name: "monotone".into(), layers: ops.into_iter().enumerate().map(layer).collect(), warnings: vec![] }
}

fn best_state(graph: &Unrolled) -> spin::Replica {
    let plan = Plan {
        method: Method::Anneal { sweeps: 100 },
        replicas: 16,
        random_flips: 1000,
        seed: 1,
        max_flips: u64::MAX,
        isa: Isa::detect(),
        memory: None,
    };
    let replicas = spin::solve(graph, &plan, &crate::progress::Silent).unwrap();
    replicas.into_iter().min_by(|a, b| a.energy.total_cmp(&b.energy)).unwrap()
}

fn images(n: usize) -> Vec<(usize, Vec<f32>)> {
    let image = |image: usize| weights(100 + image as u64, CHANNELS * SIDE * SIDE);
    (0..n).map(|index| (index, image(index).iter().map(|value| 10.0 * (value - 0.6)).collect())).collect()
}

fn experiment(net: &Network, graph: &Unrolled, cases: &[Case]) -> Experiment {
    let mut experiment = Experiment::new(net, Forward::new(net).unwrap(), graph).unwrap();
    let signs = Signs::of_state(graph.layers(), &best_state(graph).state).unwrap();
    let signs = |case| if case == Case::RandomDirection { None } else { Some(signs.clone()) };
    experiment.arms = cases.iter().map(|&case| Arm { case, signs: signs(case) }).collect();
    (experiment.norms, experiment.seed) = (norms([0.01, 100.0], 25), 3);
    experiment
}

fn omegas(outcomes: &[Vec<Outcome>], arm: usize) -> Vec<f64> {
    outcomes.iter().flatten().filter(|outcome| outcome.arm == arm).map(|outcome| outcome.omega).collect()
}

#[test]
fn a_monotone_network_has_no_frustration_and_lambda_one_half() {
    for gauge in [PLAIN, FLIPPED] {
        let net = network(gauge);
        let graph = Unrolled::new(&net, Options::default()).unwrap();
        let best = best_state(&graph);
        let pairs = spin::frustrated::by_layer_pair(&graph, &best.state, best.sum_abs).unwrap();
        assert_eq!(pairs.iter().map(|pair| pair.frustrated_edges).sum::<u64>(), 0, "{}", best.energy);

        // The solver finds the signs that the weights were given, on every pixel.
        let signs = Signs::of_state(graph.layers(), &best.state).unwrap();
        let expected: Vec<_> = (0..SIDE * SIDE).flat_map(|_| gauge.0.map(|sign| sign as i8)).collect();
        assert_eq!((signs.input, signs.output), (expected, gauge.1.map(|sign| sign as i8).to_vec()));

        let experiment = experiment(&net, &graph, &[Case::Real, Case::RandomDirection]);
        let outcomes = experiment.run(&images(5), &|| false).unwrap();
        let real = omegas(&outcomes, 0);
        assert_eq!(real, vec![1.0; 5 * 25]);
        assert_eq!(lambda(&real).unwrap(), 0.5);
        assert!(outcomes.iter().flatten().any(|outcome| outcome.greatest_change > 0.0));
        let random = omegas(&outcomes, 1);
        assert!(lambda(&random).unwrap() < 0.3 && random.iter().any(|&omega| omega < 0.5), "{random:?}");
    }
}

#[test]
fn the_wrong_order_is_told_apart() {
    // The directions of the other gauge: half of the outputs, more or less, go the other way.
    let net = network(FLIPPED);
    let graph = Unrolled::new(&net, Options::default()).unwrap();
    let mut experiment = experiment(&net, &graph, &[Case::Real]);
    let plain = Signs { input: vec![1; CHANNELS * SIDE * SIDE], output: vec![1; OUTPUTS] };
    experiment.arms[0].signs = Some(plain);
    let outcomes = experiment.run(&images(5), &|| false).unwrap();
    assert!(lambda(&omegas(&outcomes, 0)).unwrap() < 0.3);
}

#[test]
fn outcomes_do_not_depend_on_the_other_images_and_cases() {
    let net = network(FLIPPED);
    let graph = Unrolled::new(&net, Options::default()).unwrap();
    let both = experiment(&net, &graph, &[Case::Real, Case::RandomDirection]);
    let together = both.run(&images(4), &|| false).unwrap();
    for (image, outcomes) in images(4).iter().zip(&together) {
        assert_eq!(both.run(std::slice::from_ref(image), &|| false).unwrap(), std::slice::from_ref(outcomes));
    }
    let only = experiment(&net, &graph, &[Case::RandomDirection]).run(&images(4), &|| false).unwrap();
    assert_eq!(omegas(&only, 0), omegas(&together, 1));
    assert!(matches!(both.run(&images(1), &|| true), Err(Error::Interrupted)));
}

#[test]
fn a_perturbation_has_its_norm_and_the_signs_of_its_direction() {
    let net = network(PLAIN);
    let graph = Unrolled::new(&net, Options::default()).unwrap();
    let experiment = experiment(&net, &graph, &[Case::Real, Case::RandomDirection]);
    for (arm, positive) in [(0, 80), (1, 0)] {
        let mut pushes = Vec::new();
        experiment.push(7, (arm, 12), |element, push| {
            assert_eq!(element, pushes.len());
            pushes.push(push);
        });
        let norm = pushes.iter().map(|push| push * push).sum::<f64>().sqrt();
        assert!((norm / experiment.norms[12] - 1.0).abs() < 1e-12, "{norm}");
        let n = pushes.iter().filter(|push| **push > 0.0).count();
        assert!(n == positive || positive == 0 && (20..60).contains(&n), "{n}");
    }
}

#[test]
fn logits_that_are_no_layer_of_the_graph_are_refused() {
    let mut net = network(PLAIN);
    net.layers[7].op = Op::Activation(Activation::Tanh);
    net.layers[7].shape = net.layers[6].shape;
    net.layers[8].shape = net.layers[6].shape;
    let graph = Unrolled::new(&net, Options::default()).unwrap();
    assert!(Experiment::new(&net, Forward::new(&net).unwrap(), &graph).is_ok(), "activations keep the order");
    net.layers[7].op = Op::Add;
    net.layers[7].inputs = vec![6, 6];
    let graph = Unrolled::new(&net, Options::default()).unwrap();
    let error = Experiment::new(&net, Forward::new(&net).unwrap(), &graph).unwrap_err();
    assert!(
        matches!(error, Error::Output { ref layer, ref between, .. } if layer == "middle" && between == "y"),
        "{error}"
    );
    assert!(matches!(Signs::of_state(graph.layers(), &[0; 3]), Err(Error::State { found: 3, .. })));
}
