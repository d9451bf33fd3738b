//! Exact sizes of published geometries.

use super::super::frames::Limits;
use super::super::{Options, ResidualRule};
use super::{Build, Round, unroll, window};
use crate::graph::{BlockStream, Frame};
use crate::net::{Network, PoolKind};

/// Nodes and edges under a residual rule.
fn counts(net: &Network, residual: ResidualRule) -> (u32, u64) {
    let graph = unroll(net, Options { residual, ..Options::default() }, Limits::DEFAULT);
    let totals = graph.totals();
    let mut frame = Frame::default();
    for (index, info) in graph.frames().iter().enumerate() {
        graph.read(index, &mut frame).unwrap();
        for (blocks, n_edges) in [(&frame.inward, info.n_edges_in), (&frame.outward, info.n_edges_out)] {
            assert_eq!(blocks.blocks.iter().map(|block| blocks.n_edges(block)).sum::<u64>(), n_edges);
        }
    }
    let sums = graph.frames().iter().fold([0, 0], |[i, o], info| [i + info.n_edges_in, o + info.n_edges_out]);
    assert_eq!(sums, [totals.n_edges; 2]);
    (totals.n_nodes, totals.n_edges)
}

#[test]
fn squeezenet_has_its_published_size() {
    let mut build = Build::input(3, 227, 227);
    let mut at = build.conv(0, 64, window(3, 2, 0), 1);
    let pool = |build: &mut Build, at| build.pool(at, PoolKind::Max, window(3, 2, 0), Round::Up);
    at = pool(&mut build, at);
    for (index, (squeeze, expand)) in
        [(16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192), (64, 256), (64, 256)].into_iter().enumerate()
    {
        if index == 2 || index == 4 {
            at = pool(&mut build, at);
        }
        let squeezed = build.conv(at, squeeze, window(1, 1, 0), 1);
        let squeezed = build.relu(squeezed);
        let one = build.conv(squeezed, expand, window(1, 1, 0), 1);
        let three = build.conv(squeezed, expand, window(3, 1, 1), 1);
        at = build.concat(&[one, three]);
    }
    at = build.conv(at, 1000, window(1, 1, 0), 1);
    build.global_pool(at);
    assert_eq!(counts(&build.net(), ResidualRule::Expand), (3_269_923, 378_577_376));
}

fn alexnet_grouped() -> Network {
    let mut build = Build::input(3, 227, 227);
    let pool = |build: &mut Build, at| build.pool(at, PoolKind::Max, window(3, 2, 0), Round::Down);
    let mut at = build.conv(0, 96, window(11, 4, 0), 1);
    at = pool(&mut build, at);
    at = build.conv(at, 256, window(5, 1, 2), 2);
    at = pool(&mut build, at);
    at = build.conv(at, 384, window(3, 1, 1), 1);
    at = build.conv(at, 384, window(3, 1, 1), 2);
    at = build.conv(at, 256, window(3, 1, 1), 2);
    at = pool(&mut build, at);
    at = build.flatten(at);
    for n in [4096, 4096, 1000] {
        at = build.dense(at, n);
    }
    build.net()
}

#[test]
fn grouped_alexnet_has_its_published_size() {
    assert_eq!(counts(&alexnet_grouped(), ResidualRule::Expand), (936_323, 672_424_832));
}

fn resnet18() -> Network {
    let mut build = Build::input(3, 224, 224);
    let conv = |build: &mut Build, at, out, w| {
        let conv = build.conv(at, out, w, 1);
        build.norm(conv)
    };
    let mut at = conv(&mut build, 0, 64, window(7, 2, 3));
    at = build.pool(at, PoolKind::Max, window(3, 2, 1), Round::Down);
    for (stage, channels) in [64, 128, 256, 512].into_iter().enumerate() {
        for block in 0..2 {
            let stride = if stage > 0 && block == 0 { 2 } else { 1 };
            let short = match stride {
                1 => at,
                _ => conv(&mut build, at, channels, window(1, 2, 0)),
            };
            let first = conv(&mut build, at, channels, window(3, stride, 1));
            let first = build.relu(first);
            let second = conv(&mut build, first, channels, window(3, 1, 1));
            let sum = build.add(&[second, short]);
            at = build.relu(sum);
        }
    }
    at = build.global_pool(at);
    at = build.flatten(at);
    build.dense(at, 1000);
    build.net()
}

#[test]
fn resnet18_has_its_sizes_under_both_residual_rules() {
    let net = resnet18();
    assert_eq!(counts(&net, ResidualRule::Expand), (2_836_456, 2_471_206_208));
    assert_eq!(counts(&net, ResidualRule::Node), (3_589_096, 1_683_706_176));
}
