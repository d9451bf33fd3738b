//! A small signed graph in memory: the block stream of imported graphs and of tests.
//!
//! Good for anything that fits in memory at 32 bytes an edge; not for networks, whose edges are never listed.

use std::ops::Range;

use super::{
    Block, BlockStream, Blocks, Direction, Error, Frame, FrameInfo, Interval, Layer, NodeId, Totals, layer_of,
};

/// Rows of a frame unless [`Csr::with_frame_rows`] says otherwise.
const FRAME_ROWS: u32 = 4096;
/// A frame that has this many edges, in and out together, is complete: rows differ in length by orders of magnitude.
const FRAME_EDGES: u64 = 1 << 20;

/// A signed graph as compressed sparse rows, both directions.
#[derive(Clone, Debug)]
pub struct Csr {
    layers: Vec<Layer>,
    frames: Vec<FrameInfo>,
    inward: SparseRows,
    outward: SparseRows,
    /// Weights of the In rows, then those of the Out rows.
    values: Vec<f32>,
    one_way: bool,
}

/// Rows of one direction: `columns[starts[i]..starts[i + 1]]`, ascending.
#[derive(Clone, Debug)]
struct SparseRows {
    starts: Vec<u64>,
    columns: Vec<NodeId>,
    first_value: u64,
}

impl Csr {
    /// The graph with these `(source, target, weight)` edges. Nodes `0..n_nodes` are cut into consecutive classes of
    /// the given sizes; edges are kept as given, duplicates included.
    ///
    /// # Panics
    /// If the sizes do not add up to `n_nodes`, or an edge has an end out of range or both ends in one class.
    pub fn from_edges(n_nodes: u32, edges: &[(NodeId, NodeId, f32)], class_sizes: &[u32]) -> Self {
        let mut layers = classes(class_sizes);
        assert_eq!(layers.last().map_or(0, |l| l.nodes.end), n_nodes, "class sizes must add up to the nodes");
        for &(source, target, weight) in edges {
            let class = class_of(&layers, target);
            assert_ne!(class, class_of(&layers, source), "edge {source} -> {target} lies inside one class");
            layers[class].n_edges += 1;
            layers[class].sum_abs += f64::from(weight).abs();
        }
        let mut values = Vec::with_capacity(2 * edges.len());
        let inward = SparseRows::collect(n_nodes, edges.iter().map(|&(s, t, w)| (t, s, w)), &mut values);
        let outward = SparseRows::collect(n_nodes, edges.iter().copied(), &mut values);
        let graph = Self { layers, frames: Vec::new(), inward, outward, values, one_way: false };
        graph.with_frame_rows(FRAME_ROWS)
    }

    /// The same graph with every node a class of its own: right for any edges, slow to relax.
    pub fn from_edges_unclassed(n_nodes: u32, edges: &[(NodeId, NodeId, f32)]) -> Self {
        Self::from_edges(n_nodes, edges, &vec![1; n_nodes as usize])
    }

    /// The same graph cut into frames of at most `n_rows` rows, and fewer where rows are long.
    pub fn with_frame_rows(self, n_rows: u32) -> Self {
        self.cut(n_rows, FRAME_EDGES)
    }

    /// The same graph with In blocks only.
    pub fn one_way(mut self) -> Self {
        self.frames.iter_mut().for_each(|info| info.n_edges_out = 0);
        Self { one_way: true, ..self }
    }

    /// Ends a frame at the end of its layer, after `n_rows` rows, or after the row with which it reaches `n_edges`.
    fn cut(mut self, n_rows: u32, n_edges: u64) -> Self {
        self.frames.clear();
        for (index, layer) in self.layers.iter().enumerate() {
            let mut first = layer.nodes.start;
            for end in layer.nodes.clone().map(|row| row + 1) {
                let rows = first..end;
                let (n_edges_in, n_edges_out) = (self.inward.n_edges(&rows), self.outward.n_edges(&rows));
                if end - first >= n_rows || n_edges_in + n_edges_out >= n_edges || end == layer.nodes.end {
                    self.frames.push(FrameInfo { rows, layer: index as u32, n_edges_in, n_edges_out });
                    first = end;
                }
            }
        }
        self
    }

    /// Columns and weights of one row.
    pub fn row(&self, row: NodeId, direction: Direction) -> impl Iterator<Item = (NodeId, f32)> + '_ {
        let rows = self.rows(direction);
        let span = rows.span(row);
        let weights = &self.values[rows.first_value as usize..][span.clone()];
        rows.columns[span].iter().copied().zip(weights.iter().copied())
    }

    fn rows(&self, direction: Direction) -> &SparseRows {
        direction.of(&self.inward, &self.outward)
    }

    /// Appends row `row`: one block per layer of columns, one interval per run of consecutive columns.
    fn push_row(&self, row: NodeId, direction: Direction, into: &mut Blocks) {
        let rows = self.rows(direction);
        let span = rows.span(row);
        let columns = &rows.columns[span.clone()];
        let mut intervals: Vec<Interval> = Vec::new();
        let mut layer_end = 0;
        for (offset, &column) in columns.iter().enumerate() {
            if column >= layer_end {
                flush(row, &mut intervals, into);
                layer_end = self.layers[class_of(&self.layers, column)].nodes.end;
            }
            let values = rows.first_value + (span.start + offset) as u64;
            match intervals.last_mut() {
                Some(last) if last.first_col + last.len == column => last.len += 1,
                _ => intervals.push(Interval { first_col: column, len: 1, values }),
            }
        }
        flush(row, &mut intervals, into);
    }
}

impl SparseRows {
    /// Sorts `(row, column, weight)` by row, then column (stable), and appends the weights to `values`.
    fn collect(n_nodes: u32, entries: impl Iterator<Item = (NodeId, NodeId, f32)>, values: &mut Vec<f32>) -> Self {
        let mut entries: Vec<_> = entries.collect();
        entries.sort_by_key(|&(row, column, _)| (row, column));
        let mut starts = vec![0u64; n_nodes as usize + 1];
        for &(row, ..) in &entries {
            starts[row as usize + 1] += 1;
        }
        for i in 1..starts.len() {
            starts[i] += starts[i - 1];
        }
        let first_value = values.len() as u64;
        values.extend(entries.iter().map(|e| e.2));
        Self { starts, columns: entries.iter().map(|e| e.1).collect(), first_value }
    }

    fn span(&self, row: NodeId) -> Range<usize> {
        self.starts[row as usize] as usize..self.starts[row as usize + 1] as usize
    }

    fn n_edges(&self, rows: &Range<NodeId>) -> u64 {
        self.starts[rows.end as usize] - self.starts[rows.start as usize]
    }
}

impl BlockStream for Csr {
    fn is_one_way(&self) -> bool {
        self.one_way
    }
    fn totals(&self) -> Totals {
        Totals {
            n_nodes: self.layers.last().map_or(0, |l| l.nodes.end),
            n_edges: self.inward.columns.len() as u64,
            sum_abs: self.layers.iter().map(|l| l.sum_abs).sum(),
        }
    }
    fn layers(&self) -> &[Layer] {
        &self.layers
    }
    fn frames(&self) -> &[FrameInfo] {
        &self.frames
    }
    fn read(&self, index: usize, frame: &mut Frame) -> Result<(), Error> {
        frame.clear();
        for row in self.frames[index].rows.clone() {
            self.push_row(row, Direction::In, &mut frame.inward);
            if !self.one_way {
                self.push_row(row, Direction::Out, &mut frame.outward);
            }
        }
        Ok(())
    }
    fn values(&self) -> &[f32] {
        &self.values
    }
}

fn classes(sizes: &[u32]) -> Vec<Layer> {
    let mut first = 0;
    let layer = |(index, &size): (usize, &u32)| {
        first += size;
        Layer::class(index, first - size..first)
    };
    sizes.iter().enumerate().map(layer).collect()
}

/// Index of the layer that holds `node`.
fn class_of(layers: &[Layer], node: NodeId) -> usize {
    let class = layer_of(layers, node);
    assert!(class < layers.len(), "node {node} is out of range");
    class
}

fn flush(row: NodeId, intervals: &mut Vec<Interval>, into: &mut Blocks) {
    if intervals.is_empty() {
        return;
    }
    into.push(Block::single(row), intervals);
    intervals.clear();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_one_block_per_column_layer() {
        let graph = Csr::from_edges(6, &[(0, 5, 1.0), (1, 5, -2.0), (2, 5, 3.0), (4, 5, 4.0)], &[2, 3, 1]);
        let mut frame = Frame::default();
        graph.read(2, &mut frame).unwrap();
        let blocks: Vec<_> = frame.inward.blocks.iter().map(|b| frame.inward.intervals(b).to_vec()).collect();
        assert_eq!(
            blocks,
            [
                vec![Interval { first_col: 0, len: 2, values: 0 }],
                vec![Interval { first_col: 2, len: 1, values: 2 }, Interval { first_col: 4, len: 1, values: 3 }],
            ]
        );
        assert_eq!(graph.row(1, Direction::Out).collect::<Vec<_>>(), [(5, -2.0)]);
        assert_eq!(graph.totals(), Totals { n_nodes: 6, n_edges: 4, sum_abs: 10.0 });
    }

    #[test]
    fn frames_cover_every_row_once() {
        let graph = Csr::from_edges(7, &[(0, 6, 1.0)], &[6, 1]).with_frame_rows(4);
        let rows: Vec<_> = graph.frames().iter().map(|f| f.rows.clone()).collect();
        assert_eq!(rows, [0..4, 4..6, 6..7]);
        assert_eq!(graph.frames()[0].n_edges_out, 1);
        assert_eq!(graph.frames()[2].n_edges_in, 1);
    }

    #[test]
    fn long_rows_make_short_frames() {
        let edges: Vec<_> = (1..7).flat_map(|node| [(0, node, 1.0); 2]).collect();
        let rows = |graph: &Csr| graph.frames().iter().map(|f| f.rows.clone()).collect::<Vec<_>>();
        let graph = Csr::from_edges(7, &edges, &[1, 6]);
        assert_eq!(rows(&graph), [0..1, 1..7]);
        let cut = graph.cut(FRAME_ROWS, 4);
        assert_eq!(rows(&cut), [0..1, 1..3, 3..5, 5..7]);
        assert_eq!(cut.frames().iter().map(|f| f.n_edges_in).collect::<Vec<_>>(), [0, 4, 4, 4]);
        assert_eq!(rows(&cut.cut(FRAME_ROWS, 1)), [0..1, 1..2, 2..3, 3..4, 4..5, 5..6, 6..7]);
    }

    #[test]
    fn a_frame_is_complete_at_a_million_edges() {
        let n = 1 << 12;
        let edges: Vec<_> =
            (0..300).flat_map(|source| (300..300 + n).map(move |target| (source, target, 1.0))).collect();
        let graph = Csr::from_edges(300 + n, &edges, &[300, n]);
        let rows: Vec<_> = graph.frames().iter().map(|f| f.rows.clone()).collect();
        assert_eq!(rows, [0..256, 256..300, 300..3796, 3796..4396]);
    }
}
