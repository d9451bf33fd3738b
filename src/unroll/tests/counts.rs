//! Exact sizes of published networks.

use super::super::frames::Limits;
use super::super::{Options, ResidualRule};
use super::{laws, unroll};
use crate::graph::{BlockStream, Frame};
use crate::net::arch::{self, Init};
use crate::net::{Network, arch::WeightSource};

fn network(name: &str, side: Option<usize>) -> Network {
    let weights = WeightSource::Init { scheme: Init::Xavier, seed: 1 };
    arch::build(name, weights, side.map(|side| [side; 2])).unwrap()
}

/// Checks nodes and edges, and that the frames of both directions add up to them.
fn check(net: &Network, residual: ResidualRule, expected: (u32, u64)) {
    let graph = unroll(net, Options { residual, ..Options::default() }, Limits::DEFAULT);
    let totals = graph.totals();
    assert_eq!((totals.n_nodes, totals.n_edges), expected, "{}, {residual:?}", net.name);
    let mut frame = Frame::default();
    let mut sums = [0, 0];
    for (index, info) in graph.frames().iter().enumerate() {
        graph.read(index, &mut frame).unwrap();
        let counts = [(&frame.inward, info.n_edges_in), (&frame.outward, info.n_edges_out)];
        for (sum, (blocks, n_edges)) in sums.iter_mut().zip(counts) {
            assert_eq!(blocks.blocks.iter().map(|block| blocks.n_edges(block)).sum::<u64>(), n_edges);
            *sum += n_edges;
        }
    }
    assert_eq!(sums, [totals.n_edges; 2]);
}

#[test]
fn published_networks_have_their_exact_sizes() {
    let sizes = [
        ("squeezenet1_1", (3_269_923, 378_577_376)),
        ("alexnet_caffe", (936_323, 672_424_832)),
        ("alexnet", (733_032, 658_713_600)),
        ("googlenet_caffe", (4_796_184, 1_516_599_136)),
        ("googlenet", (4_796_184, 1_446_338_656)),
    ];
    for (name, size) in sizes {
        check(&network(name, None), ResidualRule::Expand, size);
    }
}

#[test]
fn residual_networks_have_their_exact_sizes_under_both_rules() {
    let sizes = [
        ("resnet18", (2_836_456, 2_471_206_208), (3_589_096, 1_683_706_176)),
        ("shufflenet_v1_g4", (3_673_016, 260_855_952), (4_446_040, 126_741_592)),
    ];
    for (name, expand, node) in sizes {
        let net = network(name, None);
        check(&net, ResidualRule::Expand, expand);
        check(&net, ResidualRule::Node, node);
    }
}

#[test]
fn a_residual_network_with_option_a_shortcuts_has_the_edges_of_the_definitions() {
    laws::check(&network("resnet20_cifar10", Some(4)), Options::default()).unwrap();
}
