//! The forward pass against the obvious loops, on networks that meet every operator.

mod plain;

use proptest::prelude::*;

use super::schedule::Computation;
use super::{Error, Forward};
use crate::kernel::{Isa, LANES};
use crate::net::{Activation, BatchNorm, Lrn, Network, Op, PoolKind, Scale, Shape, Window};
use crate::testing::network::{NetworkBuilder, Round, window};
use crate::testing::random_network;

/// A number between −1 and 1 that looks random.
fn noise(i: usize) -> f32 {
    (i as u32 + 1).wrapping_mul(2_654_435_761).wrapping_mul(2_246_822_519) as f32 / u32::MAX as f32 * 2.0 - 1.0
}

/// Gives the layers weights that keep values near 1, and biases.
fn tame(mut net: Network) -> Network {
    for (index, layer) in net.layers.iter_mut().enumerate() {
        let (weight, bias) = match &mut layer.op {
            Op::Conv(conv) => (&mut conv.weight, &mut conv.bias),
            Op::Dense(dense) => (&mut dense.weight, &mut dense.bias),
            _ => continue,
        };
        let scale = (3.0 * layer.shape.c as f32 / weight.len() as f32).sqrt();
        weight.iter_mut().enumerate().for_each(|(i, w)| *w = scale * noise(31 * index + i));
        *bias = (index % 3 > 0).then(|| (0..layer.shape.c).map(|c| 0.3 * noise(c + index)).collect());
    }
    net
}

fn images(shape: Shape) -> Vec<[f32; LANES]> {
    (0..shape.len()).map(|e| std::array::from_fn(|lane| noise(e * LANES + lane))).collect()
}

/// The first lanes.
fn part<const L: usize>(vectors: &[[f32; LANES]]) -> Vec<[f32; L]> {
    vectors.iter().map(|x| std::array::from_fn(|lane| x[lane])).collect()
}

fn bits<const L: usize>(vectors: &[[f32; L]]) -> Vec<u32> {
    vectors.iter().flatten().map(|x| x.to_bits()).collect()
}

/// Positions of the elements in channel-major order.
fn channel_major(order: Shape) -> impl Iterator<Item = usize> {
    (0..order.c).flat_map(move |c| (0..order.h * order.w).map(move |pixel| pixel * order.c + c))
}

/// Every layer against the definition; instruction sets and thread counts against each other.
fn check(net: &Network) {
    let forward = Forward::new(net).unwrap();
    let images = images(forward.input_shape());
    let states = forward.states(&images);
    for lane in [0, 5, LANES - 1] {
        let image: Vec<f32> = channel_major(forward.input_shape()).map(|element| images[element][lane]).collect();
        for (layer, expected) in plain::tensors(net, &image).iter().enumerate() {
            let tensor = states.tensor(layer);
            assert_eq!(tensor.len(), expected.len());
            let largest = expected.iter().fold(1e-3f32, |most, x| most.max(x.abs()));
            if !largest.is_finite() || expected.iter().any(|x| x.is_nan()) {
                return; // a window that holds no element of the image
            }
            for (element, x) in channel_major(forward.order(layer)).zip(expected) {
                let (found, name) = (tensor[element][lane], &net.layers[layer].name);
                assert!((found - x).abs() <= 1e-4 * largest, "{name}: {found}, expected {x} of {largest}");
            }
        }
    }
    let logits = bits(&forward.logits(&images));
    assert_eq!(logits, bits(states.logits()), "fused and whole");
    assert_eq!(logits, bits(&forward.logits(&images)), "used buffers");
    for isa in Isa::available() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        let forward = Forward::with_isa(net, isa).unwrap();
        let other = pool.install(|| forward.logits(&images));
        assert_eq!(bits(&other), logits, "{isa:?}, two threads");
        let half = pool.install(|| forward.logits(&part::<8>(&images)));
        assert_eq!(bits(&half), bits(&part::<8>(&other)), "{isa:?}, eight lanes");
        let quarter = pool.install(|| forward.logits(&part::<4>(&images)));
        assert_eq!(bits(&quarter), bits(&part::<4>(&other)), "{isa:?}, four lanes");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn random_networks_are_evaluated_by_the_definitions(
        size in (1usize..5, 1usize..8, 1usize..8),
        script in prop::collection::vec(any::<[u8; 8]>(), 1..9),
        dense in any::<bool>(),
    ) {
        check(&tame(random_network::network(size, &script, dense)));
    }
}

#[test]
fn a_wide_convolution_is_cut_into_bands_and_tiles() {
    let mut build = NetworkBuilder::input(24, 9, 40);
    let a = build.conv(0, 23, window(3, 1, 1), 1);
    let a = build.relu(a);
    let b = build.conv(a, 40, window(5, 2, 2), 1);
    let b = build.norm(b);
    let c = build.conv(b, 40, window(3, 1, 1), 1);
    let c = build.norm(c);
    let sum = build.add(&[b, c]);
    let sum = build.relu(sum);
    let flat = build.flatten(sum);
    build.dense(flat, 133);
    check(&tame(build.net()));
}

#[test]
fn convolutions_that_are_only_pooled_are_pooled_as_they_are_computed() {
    let mut build = NetworkBuilder::input(24, 17, 100);
    let wide = build.conv(0, 9, window(3, 1, 1), 1);
    let wide = build.relu(wide);
    let wide = build.pool(wide, PoolKind::Max, window(3, 2, 1), Round::Up);
    let deep = build.conv(wide, 12, window(5, 1, 2), 3);
    let deep = build.pool(deep, PoolKind::Max, window(2, 2, 0), Round::Down);
    let depthwise = build.conv(deep, 12, window(3, 1, 1), 12);
    let size = Window { kernel: [2, 3], stride: [2, 1], pad: [1, 1], dilation: [1, 2] };
    let pooled = build.pool(depthwise, PoolKind::Max, size, Round::Up);
    let kept = build.conv(pooled, 5, window(1, 1, 0), 1);
    let again = build.pool(kept, PoolKind::Max, window(3, 1, 1), Round::Down);
    build.concat(&[kept, again]);
    let net = tame(build.net());
    let stages = Forward::new(&net).unwrap().fused.stages;
    assert_eq!(stages.iter().filter(|stage| matches!(stage.computation, Computation::Pooled { .. })).count(), 3);
    check(&net);
}

#[test]
fn branches_are_written_into_their_concatenation() {
    let mut build = NetworkBuilder::input(3, 8, 8);
    let stem = build.conv(0, 8, window(3, 1, 1), 1);
    let stem = build.relu(stem);
    let mut branches = Vec::new();
    for kernel in [1, 3, 5] {
        let branch = build.conv(stem, 2 + kernel, window(kernel, 1, kernel / 2), 1);
        branches.push(build.relu(branch));
    }
    let pooled = build.pool(stem, PoolKind::Max, window(3, 1, 1), Round::Down);
    branches.push(build.same(Op::Activation(Activation::Tanh), pooled));
    let first = build.concat(&branches);
    let again = build.concat(&[first, stem]);
    let depthwise = build.conv(again, build.shape(again).c, window(3, 2, 1), build.shape(again).c);
    build.global_pool(depthwise);
    check(&tame(build.net()));
}

#[test]
fn flattened_tensors_keep_their_order_until_someone_needs_another() {
    let mut build = NetworkBuilder::input(2, 3, 4);
    let conv = build.conv(0, 5, window(2, 1, 0), 1);
    let flat = build.flatten(conv);
    let n = build.shape(flat).c;
    let slopes = (0..n).map(|i| 0.5 + 0.5 * noise(i)).collect();
    let flat = build.same(Op::Activation(Activation::PRelu(slopes)), flat);
    let normed = build.norm(flat);
    let other = build.conv(0, 1, window(1, 1, 0), 1);
    let other = build.flatten(other);
    let joined = build.concat(&[normed, other]);
    let twice = build.add(&[joined, joined]);
    let half = build.slice(twice, [1, 0, 0], [2, 1, 1], Shape::new(build.shape(twice).c / 2, 1, 1));
    let local = build.same(Op::Lrn(Lrn { size: 4, alpha: 2.0, beta: 0.6, bias: 1.5 }), normed);
    let local = build.dense(local, 3);
    let half = build.dense(half, 3);
    let sum = build.add(&[local, half]);
    build.same(Op::Softmax, sum);
    let net = tame(build.net());
    let forward = Forward::new(&net).unwrap();
    assert_eq!((forward.order(flat), forward.order(joined)), (Shape::new(5, 2, 3), Shape::new(n + 12, 1, 1)));
    assert_eq!((forward.logits_layer(), forward.n_outputs()), (sum, 3));
    check(&net);
}

#[test]
fn elementwise_layers_of_every_kind() {
    let activations = [
        Activation::LeakyRelu(0.1),
        Activation::PRelu(vec![0.25, 0.0, 0.75]),
        Activation::Clip(-0.8, 0.9),
        Activation::Sigmoid,
        Activation::Tanh,
        Activation::HardSigmoid(0.4, 0.3),
        Activation::Elu(0.7),
        Activation::Selu(1.1, 0.6),
        Activation::Softplus,
        Activation::Softsign,
    ];
    let mut build = NetworkBuilder::input(3, 4, 5);
    let add = (0..60).map(noise).collect();
    let mean = build.same(Op::Scale(Scale { mul: vec![1.0, 2.0, -1.0], add }), 0);
    let local = build.same(Op::Lrn(Lrn { size: 3, alpha: 1.0, beta: 0.75, bias: 1.0 }), mean);
    let mut last = build.conv(local, 3, window(1, 1, 0), 1);
    for activation in activations {
        let scaled = Scale { mul: vec![1.5, 2.0, 2.5], add: vec![-0.4, 0.3, -0.2] };
        last = build.same(Op::Scale(scaled), last);
        last = build.same(Op::Activation(activation), last);
        let norm = BatchNorm {
            gamma: vec![1.5, -2.0, 1.0],
            beta: vec![0.1, 0.2, 0.3],
            mean: vec![0.3, 0.2, -0.1],
            var: vec![0.5, 1.0, 2.0],
            epsilon: 1e-3,
        };
        last = build.same(Op::BatchNorm(norm), last);
    }
    build.same(Op::Softmax, last);
    check(&tame(build.net()));
}

#[test]
fn averages_count_what_they_should() {
    for computation in [PoolKind::Average, PoolKind::AverageWithPad { after: [0, 1] }, PoolKind::Max] {
        let mut build = NetworkBuilder::input(70, 5, 6);
        let window = Window { kernel: [3, 2], stride: [2, 2], pad: [1, 0], dilation: [1, 2] };
        build.pool(0, computation, window, Round::Up);
        check(&build.net());
    }
}

#[test]
fn fewer_images_give_what_more_do() {
    let mut build = NetworkBuilder::input(2, 4, 4);
    let conv = build.conv(0, 3, window(3, 1, 1), 1);
    build.flatten(conv);
    let forward = Forward::new(&tame(build.net())).unwrap();
    let all = images(forward.input_shape());
    let first: Vec<[f32; LANES]> = all.iter().map(|x| [x[0]; LANES].map(|x| x * 0.5 + x * 0.5)).collect();
    let [all, first] = [forward.logits(&all), forward.logits(&first)];
    assert!(all.iter().zip(&first).all(|(all, first)| all[0].to_bits() == first[3].to_bits()));
}

#[test]
fn layers_that_do_not_fit_are_named() {
    let build = || {
        let mut build = NetworkBuilder::input(2, 3, 3);
        let conv = build.conv(0, 4, window(3, 1, 1), 1);
        build.same(Op::Activation(Activation::PRelu(vec![0.5; 4])), conv);
        build.net()
    };
    assert!(Forward::new(&build()).is_ok());
    let text = |net: &Network| Forward::new(net).unwrap_err().to_string();
    let mut net = build();
    let Op::Conv(conv) = &mut net.layers[1].op else { panic!() };
    conv.bias = Some(vec![0.0; 3]);
    assert!(text(&net).contains("layer `layer1` has 3 biases, expected 4"), "{}", text(&net));
    let mut net = build();
    net.layers[2].op = Op::Activation(Activation::PRelu(vec![0.5; 2]));
    assert!(text(&net).contains("layer `layer2` has 2 slopes, expected 4"), "{}", text(&net));
    let mut net = build();
    net.layers[2].op = Op::Add;
    net.layers[2].inputs = vec![0, 1];
    assert!(text(&net).contains("layer `layer2`"), "{}", text(&net));
    let mut net = build();
    net.layers.remove(0);
    net.layers.iter_mut().for_each(|layer| layer.inputs.clear());
    assert!(matches!(Forward::new(&net), Err(Error::NoInput)));
}
