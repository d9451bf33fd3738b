//! Networks made by hand, each for one rule.

use super::super::{BatchNormRule, Options, ResidualRule, Unrolled};
use super::{check, unroll, unrolled};
use crate::graph::{BlockStream, Frame, LayerKind, PanelKind};
use crate::net::{Op, PoolKind, Shape, Window};
use crate::testing::network::{NetworkBuilder, Round, window};

use super::super::frames::Limits;

/// All blocks of all frames of a layer.
fn read_layer(graph: &Unrolled, layer: u32) -> Frame {
    let mut all = Frame::default();
    for index in (0..graph.frames().len()).filter(|&index| graph.frames()[index].layer == layer) {
        let mut frame = Frame::default();
        graph.read(index, &mut frame).unwrap();
        for (all, one) in [(&mut all.inward, &frame.inward), (&mut all.outward, &frame.outward)] {
            one.blocks.iter().for_each(|block| all.push(*block, one.intervals(block)));
        }
    }
    all
}

#[test]
fn a_padded_convolution_is_nine_blocks_with_an_interval_per_kernel_row() {
    let mut build = NetworkBuilder::input(3, 8, 8);
    build.conv(0, 4, window(3, 1, 1), 1);
    let net = build.net();
    check(&net);
    let graph = unrolled(&net);
    let blocks = read_layer(&graph, 1).inward;
    assert_eq!(blocks.blocks.len(), 9);
    assert_eq!(blocks.blocks.iter().map(|block| block.n_intervals).collect::<Vec<_>>(), [2, 2, 2, 3, 3, 3, 2, 2, 2]);
    assert_eq!(blocks.blocks[4].n_groups(), 36);
    assert_eq!(read_layer(&graph, 0).outward.blocks.len(), 9);
    let layer = &graph.layers()[1];
    assert_eq!((layer.params.clone(), layer.fan_in, layer.taps), (0..108, 27, 9));
}

#[test]
fn strided_dilated_grouped_and_hanging_windows_have_the_right_edges() {
    let mut build = NetworkBuilder::input(4, 9, 7);
    let odd = Window { kernel: [3, 2], stride: [2, 3], pad: [1, 2], dilation: [2, 1] };
    let conv = build.conv(0, 6, odd, 2);
    let pool = build.pool(conv, PoolKind::Max, window(2, 2, 0), Round::Up);
    let deep = build.conv(pool, 6, window(3, 1, 1), 6);
    build.conv(deep, 12, window(3, 1, 1), 6);
    check(&build.net());
}

#[test]
fn a_depthwise_convolution_is_diagonal() {
    let mut build = NetworkBuilder::input(5, 4, 4);
    build.conv(0, 5, window(3, 1, 1), 5);
    let net = build.net();
    check(&net);
    let blocks = read_layer(&unrolled(&net), 1).inward;
    assert!(blocks.blocks.iter().all(|block| block.kind == PanelKind::Diagonal && block.row_stride == 9));
    assert_eq!(blocks.blocks.len(), 9);
}

#[test]
fn a_dense_layer_is_one_block_with_one_interval_each_way() {
    let mut build = NetworkBuilder::input(3, 4, 5);
    let flat = build.flatten(0);
    build.dense(flat, 7);
    let net = build.net();
    check(&net);
    let frame = read_layer(&unrolled(&net), 1);
    assert_eq!((frame.inward.blocks.len(), frame.inward.intervals.len(), frame.inward.intervals[0].len), (1, 1, 60));
    let frame = read_layer(&unrolled(&net), 0);
    assert_eq!((frame.outward.blocks.len(), frame.outward.intervals.len()), (1, 1));
}

#[test]
fn flattened_concatenations_sums_and_paddings_feed_dense_layers() {
    let mut build = NetworkBuilder::input(2, 4, 3);
    let a = build.conv(0, 3, window(1, 1, 0), 1);
    let b = build.conv(0, 3, window(3, 1, 1), 1);
    let sum = build.add(&[a, b, a]);
    let both = build.concat(&[sum, b, 0]);
    let padded = build.pad(both, [1, 1, 0], Shape::new(10, 5, 4));
    let flat = build.flatten(padded);
    let norm = build.dense(flat, 4);
    build.dense(norm, 3);
    check(&build.net());
}

#[test]
fn sums_of_flattened_tensors_are_layers_in_pixel_order() {
    let mut build = NetworkBuilder::input(2, 3, 3);
    let conv = build.conv(0, 2, window(1, 1, 0), 1);
    let [a, b] = [0, conv].map(|layer| build.flatten(layer));
    let sum = build.add(&[a, b]);
    build.dense(sum, 2);
    check(&build.net());
}

#[test]
fn nested_joins_give_one_block_row_per_branch() {
    let mut build = NetworkBuilder::input(2, 5, 5);
    let squeeze = build.conv(0, 3, window(1, 1, 0), 1);
    let one = build.conv(squeeze, 4, window(1, 1, 0), 1);
    let three = build.conv(squeeze, 4, window(3, 1, 1), 1);
    let fire = build.concat(&[one, three]);
    let same = build.conv(fire, 8, window(3, 1, 1), 1);
    let sum = build.add(&[fire, same]);
    let again = build.add(&[sum, sum]);
    let wide = build.concat(&[again, sum]);
    let pool = build.pool(wide, PoolKind::Max, window(3, 2, 0), Round::Up);
    build.global_pool(pool);
    let net = build.net();
    check(&net);
    let graph = unrolled(&net);
    assert_eq!(graph.layers().len(), 7);
    let columns: Vec<_> = graph.node_layers[4].connections.iter().map(|connection| connection.layer).collect();
    assert_eq!(columns, [2, 3]);
}

#[test]
fn option_a_shortcuts_are_slices_and_pads() {
    let mut build = NetworkBuilder::input(2, 8, 8);
    let conv = build.conv(0, 4, window(3, 2, 1), 1);
    let short = build.slice(0, [0, 0, 0], [1, 2, 2], Shape::new(2, 4, 4));
    let short = build.pad(short, [1, 0, 0], Shape::new(4, 4, 4));
    let sum = build.add(&[conv, short]);
    build.conv(sum, 3, window(3, 1, 1), 1);
    let net = build.net();
    check(&net);
    let graph = unrolled(&net);
    assert_eq!(graph.layers()[2].n_edges, (10 * 10) * (4 + 2) * 3);
}

#[test]
fn a_shuffle_that_a_layer_feeds_alone_renumbers_its_channels() {
    let mut build = NetworkBuilder::input(4, 4, 4);
    let conv = build.conv(0, 6, window(1, 1, 0), 2);
    let norm = build.norm(conv);
    let relu = build.relu(norm);
    let shuffle = build.shuffle(relu, 2);
    let deep = build.conv(shuffle, 6, window(3, 1, 1), 6);
    build.conv(deep, 4, window(1, 1, 0), 2);
    let net = build.net();
    check(&net);
    let graph = unrolled(&net);
    assert!(read_layer(&graph, 1).inward.blocks.iter().all(|block| block.row_step == 2 && block.n_rows == 3));
    let deep = read_layer(&graph, 2).inward;
    assert!(deep.blocks.iter().all(|block| block.row_step == 1 && block.n_rows == 6));
}

#[test]
fn other_shuffles_map_channels() {
    let mut build = NetworkBuilder::input(6, 3, 3);
    let conv = build.conv(0, 6, window(1, 1, 0), 1);
    let shuffle = build.shuffle(conv, 3);
    let sum = build.add(&[conv, shuffle]);
    let twice = build.shuffle(sum, 2);
    let deep = build.conv(twice, 6, window(3, 1, 1), 6);
    let more = build.conv(twice, 9, window(1, 1, 0), 3);
    let both = build.concat(&[deep, more]);
    let last = build.shuffle(both, 5);
    build.global_pool(last);
    let net = build.net();
    check(&net);
    assert!(read_layer(&unrolled(&net), 1).inward.blocks.iter().all(|block| block.row_step == 1));
}

#[test]
fn identity_pools_are_dropped() {
    let mut build = NetworkBuilder::input(2, 3, 3);
    let pool = build.pool(0, PoolKind::Average, window(1, 1, 0), Round::Down);
    build.conv(pool, 2, window(1, 1, 0), 1);
    let net = build.net();
    check(&net);
    assert_eq!(unrolled(&net).layers().len(), 2);
}

#[test]
fn strided_pools_of_one_element_are_slices() {
    let mut build = NetworkBuilder::input(2, 5, 4);
    let conv = build.conv(0, 2, window(3, 1, 1), 1);
    let pool = build.pool(conv, PoolKind::Max, window(1, 2, 0), Round::Down);
    build.conv(pool, 2, window(2, 1, 0), 1);
    let net = build.net();
    check(&net);
    let graph = unrolled(&net);
    assert_eq!(graph.layers().len(), 3);
    assert_eq!(graph.layers()[2].n_edges, 2 * 2 * 2 * 4);
}

#[test]
fn pools_weigh_a_hundredth_over_the_side() {
    let mut build = NetworkBuilder::input(2, 4, 4);
    let pool = build.pool(0, PoolKind::Max, window(2, 2, 0), Round::Down);
    build.global_pool(pool);
    let graph = unrolled(&build.net());
    assert_eq!(graph.values(), [0.005, 0.005]);
    let kinds: Vec<_> = graph.layers().iter().map(|layer| layer.kind).collect();
    assert_eq!(kinds, [LayerKind::Input, LayerKind::MaxPool, LayerKind::AveragePool]);
}

#[test]
fn additions_can_be_layers() {
    let mut build = NetworkBuilder::input(2, 3, 3);
    let conv = build.conv(0, 2, window(3, 1, 1), 1);
    let sum = build.add(&[0, conv]);
    build.conv(sum, 2, window(1, 1, 0), 1);
    let net = build.net();
    let options = Options { residual: ResidualRule::Node, ..Options::default() };
    let graph = unroll(&net, options, Limits::DEFAULT);
    assert_eq!(graph.layers()[2].kind, LayerKind::Add);
    assert_eq!((graph.layers()[2].n_edges, graph.layers()[2].sum_abs), (36, 36.0));
}

#[test]
fn normalisation_goes_into_rows_or_columns() {
    let mut build = NetworkBuilder::input(2, 3, 3);
    let conv = build.conv(0, 3, window(1, 1, 0), 1);
    let norm = build.norm(conv);
    let scale = build.scale(norm);
    let pool = build.pool(scale, PoolKind::Max, window(2, 1, 0), Round::Down);
    let norm = build.norm(pool);
    let more = build.conv(norm, 3, window(1, 1, 0), 1);
    let sum = build.add(&[norm, more]);
    let pre = build.norm(sum);
    let relu = build.relu(pre);
    let last = build.conv(relu, 2, window(2, 1, 0), 1);
    build.global_pool(last);
    let net = build.net();
    check(&net);
    let graph = unrolled(&net);
    assert_eq!(graph.values()[..6], [1.0, 2.0, -3.0, 4.0, 5.0, -6.0].map(|w: f32| w), "kernel as it was");
    let rows =
        |batch_norm| unroll(&net, Options { batch_norm, ..Options::default() }, Limits::DEFAULT).values()[..2].to_vec();
    let norm = match &net.layers[2].op {
        Op::BatchNorm(norm) => norm.clone(),
        op => panic!("{op:?}"),
    };
    let factor = norm.gamma[0] / norm.var[0].sqrt() * 2.0;
    assert_eq!(rows(BatchNormRule::Fold), [factor, 2.0 * factor]);
    assert_eq!(rows(BatchNormRule::Sign), [factor.signum(), 2.0 * factor.signum()]);
}

#[test]
fn ignored_signs_are_warned_of() {
    let mut build = NetworkBuilder::input(2, 1, 1);
    let norm = build.norm(0);
    build.scale(norm);
    let net = build.net();
    let text = unrolled(&net).warnings().join("\n");
    assert_eq!(
        text,
        "batch normalisation: 1 of 2 scales are negative; their signs are ignored, see --batch-norm sign\n\
         constant scaling: 1 of 2 scales are negative; their signs are ignored, see --batch-norm sign"
    );
    let sign = Options { batch_norm: BatchNormRule::Sign, ..Options::default() };
    assert!(unroll(&net, sign, Limits::DEFAULT).warnings().is_empty());
}
