//! What every unrolled network must hold.

use std::collections::BTreeMap;

use super::super::frames::Limits;
use super::super::{Options, Unrolled};
use super::TINY;
use crate::graph::edges::for_each_edge;
use crate::graph::{Block, BlockStream, Blocks, Direction, Frame, NodeId, PanelKind};
use crate::net::Network;
use crate::testing::oracle;

/// Checks that the edges of both directions are those of the definitions, that counts and ranges are right, and that rows
/// do not depend on how frames are cut.
pub(super) fn check(net: &Network, options: Options) -> Result<(), super::super::Error> {
    let graph = Unrolled::with_limits(net, options, Limits::DEFAULT)?;
    let expected = oracle::edges(net, options, &graph);
    let structure = rows(&graph);
    for blocks in structure.values() {
        let layers = blocks.iter().map(|intervals| layer_of(&graph, intervals[0].0));
        assert!(layers.is_sorted(), "blocks come by column layer");
    }
    for limits in [Limits::DEFAULT, TINY, Limits { n_edges: 200, n_rows: 30, long_row: 5 }] {
        let graph = Unrolled::with_limits(net, options, limits)?;
        check_ranges(&graph);
        let [inward, outward] = edges(&graph);
        assert_eq!(inward, expected, "edges in, {options:?}");
        assert_eq!(outward, expected, "edges out, {options:?}");
        check_totals(&graph, &expected);
        assert!(rows(&graph) == structure, "rows depend on frames, {options:?}, {limits:?}");
    }
    Ok(())
}

fn frames(graph: &Unrolled) -> impl Iterator<Item = (usize, Frame)> {
    (0..graph.frames().len()).map(|index| {
        let mut frame = Frame::default();
        graph.read(index, &mut frame).unwrap();
        (index, frame)
    })
}

fn edges(graph: &Unrolled) -> [Vec<oracle::Edge>; 2] {
    let mut both = [Vec::new(), Vec::new()];
    for (_, frame) in frames(graph) {
        for_each_edge(&frame.inward, graph.values(), |row, col, w| both[0].push((row, col, w)));
        for_each_edge(&frame.outward, graph.values(), |row, col, w| both[1].push((col, row, w)));
    }
    both.iter_mut().for_each(|edges| oracle::sort(edges));
    both
}

fn check_ranges(graph: &Unrolled) {
    let mut next = 0;
    for (index, frame) in frames(graph) {
        let info = &graph.frames()[index];
        let layer = &graph.layers()[info.layer as usize];
        assert_eq!(info.rows.start, next, "frames are consecutive");
        assert!(!info.rows.is_empty());
        assert!(layer.nodes.start <= info.rows.start && info.rows.end <= layer.nodes.end);
        next = info.rows.end;
        let counts = [(&frame.inward, info.n_edges_in), (&frame.outward, info.n_edges_out)];
        for (blocks, n_edges) in counts {
            assert_eq!(blocks.blocks.iter().map(|block| blocks.n_edges(block)).sum::<u64>(), n_edges);
            blocks.blocks.iter().for_each(|block| check_block(graph, blocks, block));
            for_each_edge(blocks, graph.values(), |row, _, _| assert!(info.rows.contains(&row)));
        }
    }
    assert_eq!(next, graph.totals().n_nodes);
}

fn check_block(graph: &Unrolled, blocks: &Blocks, block: &Block) {
    assert!(block.n_rows > 0 && block.row_step > 0 && block.n_intervals > 0);
    assert!(block.repeats.iter().all(|run| run.count > 0));
    let mut layers = Vec::new();
    for group in [block.group(0, 0), block.last_group()] {
        for interval in blocks.intervals(block) {
            assert!(interval.len > 0);
            let columns = group.shifted(interval).columns();
            layers.extend([columns.start, columns.end - 1].map(|column| layer_of(graph, column)));
            if block.kind == PanelKind::Diagonal {
                assert_eq!((interval.len, block.col_stride), (block.n_rows, 0));
            }
        }
    }
    layers.dedup();
    assert_eq!(layers.len(), 1, "columns of a block lie in one layer");
}

fn layer_of(graph: &Unrolled, node: NodeId) -> usize {
    graph.layers().iter().position(|layer| layer.nodes.contains(&node)).expect("a column is a node")
}

fn check_totals(graph: &Unrolled, edges: &[oracle::Edge]) {
    let totals = graph.totals();
    assert_eq!(totals.n_edges, edges.len() as u64);
    let close =
        |found: f64, expected: f64| assert!((found - expected).abs() <= 1e-12 * expected, "{found}, {expected}");
    close(totals.sum_abs, edges.iter().map(|edge| f64::from(edge.2.abs())).sum());
    for layer in graph.layers() {
        let own: Vec<_> = edges.iter().filter(|edge| layer.nodes.contains(&edge.0)).collect();
        assert_eq!(layer.n_edges, own.len() as u64);
        close(layer.sum_abs, own.iter().map(|edge| f64::from(edge.2.abs())).sum());
        assert!(layer.params.end <= graph.values().len() as u64);
    }
}

/// One interval as one row sees it: first column, length, offset of the first value, stride.
type Seen = (NodeId, u32, u64, u32);

/// The blocks that meet each row, in order, as that row sees them.
fn rows(graph: &Unrolled) -> BTreeMap<(NodeId, bool), Vec<Vec<Seen>>> {
    let mut rows = BTreeMap::<_, Vec<_>>::new();
    for (_, frame) in frames(graph) {
        for direction in [Direction::In, Direction::Out] {
            let blocks = frame.direction(direction);
            for block in &blocks.blocks {
                for_each_row(blocks, block, |row, seen| {
                    rows.entry((row, direction == Direction::Out)).or_default().push(seen);
                });
            }
        }
    }
    rows
}

fn for_each_row(blocks: &Blocks, block: &Block, mut f: impl FnMut(NodeId, Vec<Seen>)) {
    for group in block.groups() {
        for (r, row) in block.rows(group) {
            let seen = blocks.intervals(block).iter().map(|interval| {
                let stretch = block.stretch(group, r, interval);
                (stretch.first_col, stretch.len, stretch.first_value, stretch.stride)
            });
            f(row, seen.collect());
        }
    }
}
