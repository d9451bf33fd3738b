//! Networks that have no graph or too large a one, and large ones that are unrolled in little memory.

use super::super::{BatchNormRule, Error, Options, ResidualRule, Unrolled};
use super::{check, laws, unrolled};
use crate::graph::BlockStream;
use crate::net::{Dense, Op, PoolKind, Shape, Window};
use crate::testing::network::{NetworkBuilder, Round, window};

fn error(build: NetworkBuilder, options: Options) -> String {
    Unrolled::new(&build.net(), options).map(|_| ()).unwrap_err().to_string()
}

#[test]
fn addends_with_different_factors_are_an_error() {
    let mut build = NetworkBuilder::input(2, 1, 1);
    let [a, b] = [build.norm(0), build.scale(0)];
    let sum = build.add(&[a, b]);
    build.dense(sum, 1);
    let net = build.net();
    let fold = Options { batch_norm: BatchNormRule::Fold, ..Options::default() };
    assert!(matches!(Unrolled::new(&net, fold), Err(Error::MixedFactors { channel: 0, .. })));
    laws::check(&net, Options { residual: ResidualRule::Node, ..fold }).unwrap();
    laws::check(&net, Options::default()).unwrap();
}

#[test]
fn too_many_nodes_are_an_error() {
    let mut build = NetworkBuilder::input(1, 40_000, 50_000);
    for _ in 0..2 {
        let last = build.n_layers() - 1;
        build.pool(last, PoolKind::Max, Window { stride: [1, 2], ..window(2, 1, 0) }, Round::Up);
    }
    build.pool(0, PoolKind::Max, window(2, 1, 0), Round::Down);
    let text = error(build, Options::default());
    assert!(text.starts_with("layer `layer3` brings the graph to "), "{text}");
    assert!(text.ends_with(" nodes, expected fewer than 4294967295; use a smaller input image"), "{text}");
    let text = error(NetworkBuilder::input(3, 65536, 32768), Options::default());
    assert!(text.starts_with("layer `layer0` has shape 3×65536×32768, expected fewer than 4294967295"), "{text}");
}

#[test]
fn pixels_of_a_flattened_tensor_are_an_error() {
    let mut build = NetworkBuilder::input(2, 3, 3);
    let flat = build.flatten(0);
    build.conv(flat, 1, window(1, 1, 0), 1);
    let text = error(build, Options::default());
    assert!(text.starts_with("layer `layer2` (convolution) reads a tensor flattened from 2×3×3"), "{text}");
}

#[test]
fn wrong_shapes_and_lengths_are_errors() {
    let mut build = NetworkBuilder::input(2, 3, 3);
    build.push(Op::Add, &[0], Shape::new(2, 3, 4));
    assert_eq!(
        error(build, Options::default()),
        "layer `layer1` has shape 2×3×4, expected 2×3×3 from its inputs; check the reader's shapes"
    );
    let mut build = NetworkBuilder::input(2, 1, 1);
    build.push(Op::Dense(Dense { weight: vec![1.0; 5], bias: None }), &[0], Shape::new(3, 1, 1));
    assert_eq!(
        error(build, Options::default()),
        "layer `layer1` has 5 weights, expected 6; the model file is damaged or was misread"
    );
    let mut build = NetworkBuilder::input(3, 4, 4);
    build.conv_to(0, Shape::new(4, 4, 4), window(1, 1, 0), 2);
    assert!(error(build, Options::default()).contains("has 3 input channels, expected 4"));
    let mut build = NetworkBuilder::input(3, 4, 4);
    build.conv_to(0, Shape::new(4, 4, 4), Window { stride: [0, 1], ..window(1, 1, 0) }, 1);
    assert!(error(build, Options::default()).contains("has stride 0, expected 1 to 65536"));
    let mut build = NetworkBuilder::input(3, 4, 4);
    build.slice(0, [0, 1, 0], [1, 2, 1], Shape::new(3, 3, 4));
    assert!(error(build, Options::default()).contains("expected 3×2×4"));
}

/// Sums, each of the one before and what `also` makes of it.
fn doubled(n: usize, also: fn(&mut NetworkBuilder, usize) -> usize) -> NetworkBuilder {
    let mut build = NetworkBuilder::input(2, 4, 4);
    let mut last = 0;
    for _ in 0..n {
        let other = also(&mut build, last);
        last = build.add(&[last, other]);
    }
    build.conv(last, 1, window(3, 1, 0), 1);
    build
}

#[test]
fn addends_that_occur_again_are_counted() {
    let same = |_: &mut NetworkBuilder, last| last;
    check(&doubled(4, same).net());
    let graph = unrolled(&doubled(4, same).net());
    assert_eq!((graph.node_layers[1].connections.len(), graph.totals().n_edges), (16, 16 * 4 * 18));
    for n in [24, 60, 80] {
        assert!(error(doubled(n, same), Options::default()).contains("brings the graph to more than"), "{n}");
        let node = Options { residual: ResidualRule::Node, ..Options::default() };
        assert_eq!(Unrolled::new(&doubled(n, same).net(), node).unwrap().layers().len(), n + 2);
    }
    // Through an activation the routes differ, so there are 2ⁿ of them.
    check(&doubled(4, NetworkBuilder::relu).net());
    assert!(error(doubled(24, NetworkBuilder::relu), Options::default()).contains("parts of sums and concatenations"));
}

#[test]
fn concatenations_that_double_are_read_part_by_part() {
    let mut build = NetworkBuilder::input(1, 2, 2);
    let mut last = 0;
    for _ in 0..11 {
        last = build.concat(&[last, last]);
    }
    build.global_pool(last);
    let graph = unrolled(&build.net());
    assert_eq!((graph.node_layers[1].connections.len(), graph.totals().n_edges), (2048, 4 * 2048));
    let mut build = NetworkBuilder::input(1, 1, 1);
    for _ in 0..17 {
        let last = build.n_layers() - 1;
        build.concat(&[last, last]);
    }
    assert!(error(build, Options::default()).contains("`layer17` brings the graph to more than 65536 parts"));
}

#[test]
fn a_deep_chain_keeps_one_list_of_activations() {
    let mut build = NetworkBuilder::input(1, 2, 2);
    for last in 0..100_000 {
        build.relu(last);
    }
    let last = build.n_layers() - 1;
    build.global_pool(last);
    let graph = unrolled(&build.net());
    let (_, route) = graph.routes(1).next().unwrap();
    let layers: Vec<usize> = route.gates.iter().map(|gate| gate.layer).collect();
    assert!(layers.iter().copied().eq((1..=100_000).rev()));
    assert_eq!(route.clone().gates, graph.clone().routes(1).next().unwrap().1.gates);
}

#[test]
fn deep_sums_share_axes_panels_and_places() {
    let mut build = NetworkBuilder::input(2, 5, 5);
    let mut last = 0;
    for _ in 0..40 {
        let inner = build.conv(last, 2, window(3, 1, 1), 1);
        let sum = build.add(&[last, inner]);
        last = build.relu(sum);
    }
    build.conv(last, 1, window(3, 1, 1), 1);
    let graph = unrolled(&build.net());
    let connections = &graph.node_layers[41].connections;
    assert_eq!(connections.len(), 41);
    for connection in connections {
        assert!(std::sync::Arc::ptr_eq(&connection.pairs, &connections[0].pairs));
        assert!(std::sync::Arc::ptr_eq(&connection.axes[0], &graph.node_layers[1].connections[0].axes[0]));
        assert!(std::sync::Arc::ptr_eq(&connection.route.elements, &connections[0].route.elements));
    }
}

#[test]
fn windows_that_are_cut_off_differently_everywhere_are_an_error() {
    for (input, pool) in [
        (Shape::new(1, 1000, 1000), Window { kernel: [1000; 2], ..window(1, 1, 999) }),
        (Shape::new(1, 1, 65535), Window { kernel: [1, 65535], pad: [0, 65534], ..window(1, 1, 0) }),
        (Shape::new(1, 65535, 65535), Window { kernel: [65535; 2], ..window(1, 1, 0) }),
        (Shape::new(1, 1 << 30, 1), Window { kernel: [2, 1], ..window(1, 1, 0) }),
        (Shape::new(1 << 23, 1, 1), window(1, 1, 1)),
    ] {
        let mut build = NetworkBuilder::input(input.c, input.h, input.w);
        build.pool(0, PoolKind::Max, pool, Round::Down);
        assert!(error(build, Options::default()).contains("brings the graph to more than"), "{input}");
    }
}

#[test]
fn images_that_nothing_reads_are_an_error() {
    for side in [37_000, 65_000] {
        let mut build = NetworkBuilder::input(1, side, side);
        build.relu(0);
        assert!(error(build, Options::default()).contains("nodes and 0 edges"), "{side}");
    }
    let mut build = NetworkBuilder::input(3, 37_000, 37_000);
    build.pool(0, PoolKind::Max, Window { stride: [37_000; 2], ..window(2, 1, 0) }, Round::Down);
    assert!(error(build, Options::default()).contains("4107000003 nodes and 12 edges"));
    let mut build = NetworkBuilder::input(1, 100, 100);
    build.relu(0);
    assert_eq!(unrolled(&build.net()).totals().n_edges, 0);
}

#[test]
fn tensors_without_nodes_are_in_proportion_to_the_nodes() {
    let mut build = NetworkBuilder::input(2, 1, 1);
    for last in 0..3000 {
        let shape = build.shape(last);
        build.push(Op::Pad { before: [0, 1, 0] }, &[last], Shape { h: shape.h + 1, ..shape });
    }
    assert!(error(build, Options::default()).contains("elements of tensors that are no nodes"));
}

#[test]
fn lists_of_channels_groups_and_pixels_are_bounded() {
    let mut build = NetworkBuilder::input(1 << 18, 1, 1);
    build.conv(0, 1 << 19, window(1, 1, 0), 1 << 18);
    assert!(error(build, Options::default()).contains("more than 262144 groups of channels"));
    let mut build = NetworkBuilder::input(1 << 20, 1, 1);
    build.concat(&[0; 8]);
    assert!(error(build, Options::default()).contains("more than 4194304 channels"));
    let mut build = NetworkBuilder::input(2, 1000, 1000);
    let flat = build.flatten(0);
    build.shuffle(flat, 2);
    assert!(error(build, Options::default()).contains("more than 65536 parts"));
}
