//! Graphs of the first format version must open for ever, and mean the same.

use std::path::Path;

use frustration::graph::edges::for_each_edge;
use frustration::graph::{BlockStream as _, Direction, Frame};
use frustration::progress::Silent;
use frustration::shard::{self, Depth, Shards};

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/format-v1");

/// `(source, target, bits of the weight)`, sorted.
type Edges = Vec<(u32, u32, u32)>;

fn expected() -> Edges {
    let text = std::fs::read_to_string(Path::new(FIXTURE).join("edges.txt")).unwrap();
    let edge = |line: &str| {
        let fields: Vec<&str> = line.split(' ').collect();
        let weight: f32 = fields[2].parse().unwrap();
        (fields[0].parse().unwrap(), fields[1].parse().unwrap(), weight.to_bits())
    };
    let mut edges: Edges = text.lines().filter(|line| !line.starts_with('#')).map(edge).collect();
    edges.sort_unstable();
    edges
}

fn stored(graph: &Shards, direction: Direction) -> Edges {
    let graph = graph.verified(&Silent).unwrap();
    let (mut edges, mut frame) = (Vec::new(), Frame::default());
    for index in 0..graph.frames().len() {
        graph.read(index, &mut frame).unwrap();
        for_each_edge(frame.direction(direction), graph.values(), |row, col, weight| {
            edges.push(match direction {
                Direction::In => (col, row, weight.to_bits()),
                Direction::Out => (row, col, weight.to_bits()),
            });
        });
    }
    edges.sort_unstable();
    edges
}

#[test]
fn a_graph_of_the_first_version_has_its_edges() {
    let dir = Path::new(FIXTURE).join("graph");
    let graph = Shards::open(&dir).unwrap();
    let edges = expected();
    assert_eq!((graph.totals().n_nodes, graph.totals().n_edges), (23, edges.len() as u64));
    assert_eq!(stored(&graph, Direction::In), edges);
    assert_eq!(stored(&graph, Direction::Out), edges);
    assert_eq!(graph.description().0["network"], "a block of every sort");
    let report = shard::verify(&dir, Depth::Deep, &Silent).unwrap();
    assert_eq!(report.fingerprint, graph.fingerprint());
}
