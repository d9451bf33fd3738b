//! Networks made by hand, each for one rule.

use super::super::{BatchNormRule, Error, Options, ResidualRule, Unrolled};
use super::{Build, Round, all_options, laws, unroll, window};
use crate::graph::{BlockStream, Frame, LayerKind, PanelKind};
use crate::net::{Dense, Network, Op, PoolKind, Shape, Window};

use super::super::frames::Limits;

fn check(net: &Network) {
    all_options().for_each(|options| laws::check(net, options).unwrap());
}

fn unrolled(net: &Network) -> Unrolled {
    unroll(net, Options::default(), Limits::DEFAULT)
}

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
    let mut build = Build::input(3, 8, 8);
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
    let mut build = Build::input(4, 9, 7);
    let odd = Window { kernel: [3, 2], stride: [2, 3], pad: [1, 2], dilation: [2, 1] };
    let conv = build.conv(0, 6, odd, 2);
    let pool = build.pool(conv, PoolKind::Max, window(2, 2, 0), Round::Up);
    let deep = build.conv(pool, 6, window(3, 1, 1), 6);
    build.conv(deep, 12, window(3, 1, 1), 6);
    check(&build.net());
}

#[test]
fn a_depthwise_convolution_is_diagonal() {
    let mut build = Build::input(5, 4, 4);
    build.conv(0, 5, window(3, 1, 1), 5);
    let net = build.net();
    check(&net);
    let blocks = read_layer(&unrolled(&net), 1).inward;
    assert!(blocks.blocks.iter().all(|block| block.kind == PanelKind::Diagonal && block.row_stride == 9));
    assert_eq!(blocks.blocks.len(), 9);
}

#[test]
fn a_dense_layer_is_one_block_with_one_interval_each_way() {
    let mut build = Build::input(3, 4, 5);
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
    let mut build = Build::input(2, 4, 3);
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
    let mut build = Build::input(2, 3, 3);
    let conv = build.conv(0, 2, window(1, 1, 0), 1);
    let [a, b] = [0, conv].map(|layer| build.flatten(layer));
    let sum = build.add(&[a, b]);
    build.dense(sum, 2);
    check(&build.net());
}

#[test]
fn nested_joins_give_one_block_row_per_branch() {
    let mut build = Build::input(2, 5, 5);
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
    let columns: Vec<_> = graph.linears[4].sources.iter().map(|source| source.layer).collect();
    assert_eq!(columns, [2, 3]);
}

#[test]
fn option_a_shortcuts_are_slices_and_pads() {
    let mut build = Build::input(2, 8, 8);
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
    let mut build = Build::input(4, 4, 4);
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
    let mut build = Build::input(6, 3, 3);
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
    let mut build = Build::input(2, 3, 3);
    let pool = build.pool(0, PoolKind::Average, window(1, 1, 0), Round::Down);
    build.conv(pool, 2, window(1, 1, 0), 1);
    let net = build.net();
    check(&net);
    assert_eq!(unrolled(&net).layers().len(), 2);
}

#[test]
fn strided_pools_of_one_element_are_slices() {
    let mut build = Build::input(2, 5, 4);
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
    let mut build = Build::input(2, 4, 4);
    let pool = build.pool(0, PoolKind::Max, window(2, 2, 0), Round::Down);
    build.global_pool(pool);
    let graph = unrolled(&build.net());
    assert_eq!(graph.values(), [0.005, 0.005]);
    let kinds: Vec<_> = graph.layers().iter().map(|layer| layer.kind).collect();
    assert_eq!(kinds, [LayerKind::Input, LayerKind::MaxPool, LayerKind::AveragePool]);
}

#[test]
fn additions_can_be_layers() {
    let mut build = Build::input(2, 3, 3);
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
    let mut build = Build::input(2, 3, 3);
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
    let mut build = Build::input(2, 1, 1);
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

fn error(build: Build, options: Options) -> String {
    Unrolled::new(&build.net(), options).map(|_| ()).unwrap_err().to_string()
}

#[test]
fn addends_with_different_factors_are_an_error() {
    let mut build = Build::input(2, 1, 1);
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
    let mut build = Build::input(1, 40_000, 50_000);
    for _ in 0..2 {
        let last = build.n_layers() - 1;
        build.pool(last, PoolKind::Max, Window { stride: [1, 2], ..window(2, 1, 0) }, Round::Up);
    }
    build.pool(0, PoolKind::Max, window(2, 1, 0), Round::Down);
    let text = error(build, Options::default());
    assert!(text.starts_with("layer `layer3` brings the graph to "), "{text}");
    assert!(text.ends_with(" nodes, expected fewer than 4294967295; use a smaller input image"), "{text}");
    let text = error(Build::input(3, 65536, 32768), Options::default());
    assert!(text.starts_with("layer `layer0` has shape 3×65536×32768, expected fewer than 4294967295"), "{text}");
}

#[test]
fn pixels_of_a_flattened_tensor_are_an_error() {
    let mut build = Build::input(2, 3, 3);
    let flat = build.flatten(0);
    build.conv(flat, 1, window(1, 1, 0), 1);
    let text = error(build, Options::default());
    assert!(text.starts_with("layer `layer2` (convolution) reads a tensor flattened from 2×3×3"), "{text}");
}

#[test]
fn wrong_shapes_and_lengths_are_errors() {
    let mut build = Build::input(2, 3, 3);
    build.push(Op::Add, &[0], Shape::new(2, 3, 4));
    assert_eq!(
        error(build, Options::default()),
        "layer `layer1` has shape 2×3×4, expected 2×3×3 from its inputs; check the reader's shapes"
    );
    let mut build = Build::input(2, 1, 1);
    build.push(Op::Dense(Dense { weight: vec![1.0; 5], bias: None }), &[0], Shape::new(3, 1, 1));
    assert_eq!(
        error(build, Options::default()),
        "layer `layer1` has 5 weights, expected 6; the model file is damaged or was misread"
    );
    let mut build = Build::input(3, 4, 4);
    build.conv_to(0, Shape::new(4, 4, 4), window(1, 1, 0), 2);
    assert!(error(build, Options::default()).contains("has 3 input channels, expected 4"));
    let mut build = Build::input(3, 4, 4);
    build.conv_to(0, Shape::new(4, 4, 4), Window { stride: [0, 1], ..window(1, 1, 0) }, 1);
    assert!(error(build, Options::default()).contains("has stride 0, expected 1 to 65536"));
    let mut build = Build::input(3, 4, 4);
    build.slice(0, [0, 1, 0], [1, 2, 1], Shape::new(3, 3, 4));
    assert!(error(build, Options::default()).contains("expected 3×2×4"));
}

/// Sums, each of the one before and what `also` makes of it.
fn doubled(n: usize, also: fn(&mut Build, usize) -> usize) -> Build {
    let mut build = Build::input(2, 4, 4);
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
    let same = |_: &mut Build, last| last;
    check(&doubled(4, same).net());
    let graph = unrolled(&doubled(4, same).net());
    assert_eq!((graph.linears[1].sources.len(), graph.totals().n_edges), (16, 16 * 4 * 18));
    for n in [24, 60, 80] {
        assert!(error(doubled(n, same), Options::default()).contains("brings the graph to more than"), "{n}");
        let node = Options { residual: ResidualRule::Node, ..Options::default() };
        assert_eq!(Unrolled::new(&doubled(n, same).net(), node).unwrap().layers().len(), n + 2);
    }
    // Through an activation the ways differ, so there are 2ⁿ of them.
    check(&doubled(4, Build::relu).net());
    assert!(error(doubled(24, Build::relu), Options::default()).contains("parts of sums and concatenations"));
}

#[test]
fn concatenations_that_double_are_read_part_by_part() {
    let mut build = Build::input(1, 2, 2);
    let mut last = 0;
    for _ in 0..11 {
        last = build.concat(&[last, last]);
    }
    build.global_pool(last);
    let graph = unrolled(&build.net());
    assert_eq!((graph.linears[1].sources.len(), graph.totals().n_edges), (2048, 4 * 2048));
    let mut build = Build::input(1, 1, 1);
    for _ in 0..17 {
        let last = build.n_layers() - 1;
        build.concat(&[last, last]);
    }
    assert!(error(build, Options::default()).contains("`layer17` brings the graph to more than 65536 parts"));
}

#[test]
fn a_deep_chain_keeps_one_list_of_activations() {
    let mut build = Build::input(1, 2, 2);
    for last in 0..100_000 {
        build.relu(last);
    }
    let last = build.n_layers() - 1;
    build.global_pool(last);
    let graph = unrolled(&build.net());
    let (_, way) = graph.ways(1).next().unwrap();
    let layers: Vec<usize> = way.gates.iter().map(|gate| gate.layer).collect();
    assert!(layers.iter().copied().eq((1..=100_000).rev()));
    assert_eq!(way.clone().gates, graph.clone().ways(1).next().unwrap().1.gates);
}

#[test]
fn deep_sums_share_axes_panels_and_places() {
    let mut build = Build::input(2, 5, 5);
    let mut last = 0;
    for _ in 0..40 {
        let inner = build.conv(last, 2, window(3, 1, 1), 1);
        let sum = build.add(&[last, inner]);
        last = build.relu(sum);
    }
    build.conv(last, 1, window(3, 1, 1), 1);
    let graph = unrolled(&build.net());
    let sources = &graph.linears[41].sources;
    assert_eq!(sources.len(), 41);
    for source in sources {
        assert!(std::sync::Arc::ptr_eq(&source.panels, &sources[0].panels));
        assert!(std::sync::Arc::ptr_eq(&source.axes[0], &graph.linears[1].sources[0].axes[0]));
        assert!(std::sync::Arc::ptr_eq(&source.way.place, &sources[0].way.place));
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
        let mut build = Build::input(input.c, input.h, input.w);
        build.pool(0, PoolKind::Max, pool, Round::Down);
        assert!(error(build, Options::default()).contains("brings the graph to more than"), "{input}");
    }
}

#[test]
fn images_that_nothing_reads_are_an_error() {
    for side in [37_000, 65_000] {
        let mut build = Build::input(1, side, side);
        build.relu(0);
        assert!(error(build, Options::default()).contains("nodes and 0 edges"), "{side}");
    }
    let mut build = Build::input(3, 37_000, 37_000);
    build.pool(0, PoolKind::Max, Window { stride: [37_000; 2], ..window(2, 1, 0) }, Round::Down);
    assert!(error(build, Options::default()).contains("4107000003 nodes and 12 edges"));
    let mut build = Build::input(1, 100, 100);
    build.relu(0);
    assert_eq!(unrolled(&build.net()).totals().n_edges, 0);
}

#[test]
fn tensors_without_nodes_are_in_proportion_to_the_nodes() {
    let mut build = Build::input(2, 1, 1);
    for last in 0..3000 {
        let shape = build.shape(last);
        build.push(Op::Pad { before: [0, 1, 0] }, &[last], Shape { h: shape.h + 1, ..shape });
    }
    assert!(error(build, Options::default()).contains("elements of tensors that are no nodes"));
}

#[test]
fn lists_of_channels_groups_and_pixels_are_bounded() {
    let mut build = Build::input(1 << 18, 1, 1);
    build.conv(0, 1 << 19, window(1, 1, 0), 1 << 18);
    assert!(error(build, Options::default()).contains("more than 262144 groups of channels"));
    let mut build = Build::input(1 << 20, 1, 1);
    build.concat(&[0; 8]);
    assert!(error(build, Options::default()).contains("more than 4194304 channels"));
    let mut build = Build::input(2, 1000, 1000);
    let flat = build.flatten(0);
    build.shuffle(flat, 2);
    assert!(error(build, Options::default()).contains("more than 65536 parts"));
}
