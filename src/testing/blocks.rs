//! A block stream in memory whose blocks may be any that the contract allows. For tests only.

use std::ops::Range;

use proptest::prelude::*;

use crate::graph::edges::for_each_edge_of;
use crate::graph::{
    Block, BlockStream, Blocks, Error, Frame, FrameInfo, Interval, Layer, LayerKind, PanelKind, Repeat, Totals,
};

/// All frames, held.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Memory {
    pub layers: Vec<Layer>,
    pub frames: Vec<FrameInfo>,
    pub contents: Vec<Frame>,
    pub values: Vec<f32>,
}

impl BlockStream for Memory {
    fn totals(&self) -> Totals {
        Totals {
            n_nodes: self.layers.last().map_or(0, |l| l.nodes.end),
            n_edges: self.layers.iter().map(|l| l.n_edges).sum(),
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
        frame.clone_from(&self.contents[index]);
        Ok(())
    }
    fn values(&self) -> &[f32] {
        &self.values
    }
}

/// Every block of a stream, read.
pub(crate) fn collect(stream: &dyn BlockStream) -> Memory {
    let read = |index| {
        let mut frame = Frame::default();
        stream.read(index, &mut frame).map(|()| frame)
    };
    Memory {
        layers: stream.layers().to_vec(),
        frames: stream.frames().to_vec(),
        contents: (0..stream.frames().len()).map(|i| read(i).expect("the stream is sound")).collect(),
        values: stream.values().to_vec(),
    }
}

/// Layers of these sizes, without edges yet.
pub(crate) fn layers(sizes: &[u32]) -> Vec<Layer> {
    let mut first = 0;
    let layer = |(index, &size): (usize, &u32)| {
        first += size;
        Layer::class(index, first - size..first)
    };
    sizes.iter().enumerate().map(layer).collect()
}

/// The graph of `fixtures/format-v1`: a block of every sort.
pub(crate) fn fixture() -> Memory {
    let mut layers = layers(&[12, 8, 3]);
    (layers[0].name, layers[0].kind, layers[0].shape) = ("input".into(), LayerKind::Input, [2, 2, 3]);
    (layers[1].name, layers[1].kind, layers[1].shape) = ("conv \"1\"".into(), LayerKind::Conv, [2, 2, 2]);
    (layers[1].params, layers[1].fan_in) = (0..8, 4);
    let rows = [(0..12, 0), (12..16, 1), (16..20, 1), (20..23, 2)];
    let frames = rows.map(|(rows, layer)| FrameInfo { rows, layer, n_edges_in: 0, n_edges_out: 0 });
    let mut contents = vec![Frame::default(); 4];
    for (y, frame) in contents[1..3].iter_mut().enumerate() {
        // Two output channels at two pixels, each seeing two pixels of two channels; the panel is shared.
        let across = Repeat { count: 2, row_step: 2, col_step: 2, value_step: 0 };
        let repeats = [Repeat::ONE, across];
        let dense = Block { n_rows: 2, row_stride: 4, repeats, ..Block::single(12 + 4 * y as u32) };
        frame.inward.push(dense, &[Interval { first_col: 6 * y as u32, len: 4, values: 0 }]);
    }
    // Every other row, one column each; then one row a group, with its own values, twice.
    let diagonal = Block { n_rows: 2, row_step: 2, kind: PanelKind::Diagonal, col_stride: 0, ..Block::single(20) };
    let pairs = [Interval { first_col: 12, len: 2, values: 8 }, Interval { first_col: 16, len: 2, values: 9 }];
    contents[3].inward.push(diagonal, &pairs);
    let down = Repeat { count: 2, row_step: 1, col_step: 3, value_step: 2 };
    let own = Block { repeats: [down, Repeat::ONE], ..Block::single(20) };
    contents[3].inward.push(own, &[Interval { first_col: 1, len: 2, values: 10 }]);
    contents[3].inward.push(own, &[Interval { first_col: 6, len: 1, values: 11 }]);
    let values = (0..14).map(|i| (i as f32 - 6.5) * 0.375).collect();
    finish(Memory { layers, frames: frames.to_vec(), contents, values }, false)
}

/// Small graphs of arbitrary blocks, whose In and Out blocks describe the same edges.
pub(crate) fn graphs() -> impl Strategy<Value = Memory> {
    prop::collection::vec(any::<u32>(), 0..300).prop_map(|choices| build(Choices(choices.into_iter())))
}

/// Numbers to build from; zeros when they repeat out, so that fewer choices mean a simpler graph.
struct Choices(std::vec::IntoIter<u32>);

impl Choices {
    fn below(&mut self, n: u32) -> u32 {
        self.0.next().unwrap_or(0) % n.max(1)
    }
    /// A count of at least 1 with `(count − 1) · step <= room`; takes from the room.
    fn count(&mut self, most: u32, step: u32, room: &mut u32) -> u32 {
        let fits = room.checked_div(step).map_or(most, |steps| most.min(steps + 1));
        let count = 1 + self.below(fits);
        *room -= (count - 1) * step;
        count
    }
}

fn build(mut choices: Choices) -> Memory {
    let n_layers = choices.below(4) as usize;
    let sizes: Vec<u32> = (0..n_layers).map(|_| 1 + choices.below(12)).collect();
    let mut graph =
        Memory { layers: layers(&sizes), frames: cut(&sizes, &mut choices), contents: vec![], values: vec![] };
    let mut n_values = choices.below(3) as u64;
    for info in &graph.frames {
        let mut frame = Frame::default();
        for _ in 0..if info.layer == 0 { 0 } else { choices.below(4) } {
            let columns = graph.layers[choices.below(info.layer) as usize].nodes.clone();
            n_values = n_values.max(push_block(&mut frame.inward, &info.rows, columns, &mut choices));
        }
        graph.contents.push(frame);
    }
    graph.values = (0..n_values).map(|i| (i as f32 - 2.5) * 0.25).collect();
    let turned = choices.below(2) == 1;
    finish(graph, turned)
}

fn cut(sizes: &[u32], choices: &mut Choices) -> Vec<FrameInfo> {
    let (mut frames, mut first) = (Vec::new(), 0);
    for (layer, &size) in sizes.iter().enumerate() {
        let end = first + size;
        while first < end {
            let rows = first..end - choices.below(end - first);
            first = rows.end;
            frames.push(FrameInfo { rows, layer: layer as u32, n_edges_in: 0, n_edges_out: 0 });
        }
    }
    frames
}

/// Appends a random block; returns the values that it needs.
fn push_block(blocks: &mut Blocks, rows: &Range<u32>, columns: Range<u32>, choices: &mut Choices) -> u64 {
    let mut room = rows.end - rows.start - 1;
    let mut block = Block::single(rows.start);
    // Rows of a group, outer and inner repeat, nested in any order.
    let order = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]][choices.below(6) as usize];
    let mut progressions = [(1, 1); 3];
    let mut extent = 0;
    for which in order {
        let step = extent + 1 + choices.below(3);
        let count = choices.count(4, step, &mut room);
        progressions[which] = (count, step);
        extent += (count - 1) * step;
    }
    (block.n_rows, block.row_step) = progressions[0];
    let mut col_room = columns.end - columns.start - 1;
    if choices.below(3) == 0 && block.n_rows <= col_room + 1 {
        (block.kind, block.col_stride) = (PanelKind::Diagonal, 0);
        col_room -= block.n_rows - 1;
    } else {
        block.col_stride = choices.below(4);
    }
    block.row_stride = choices.below(4);
    for (repeat, (most, row_step)) in block.repeats.iter_mut().zip(&progressions[1..]) {
        let (col_step, value_step) = (choices.below(3), choices.below(3).into());
        let count = choices.count(*most, col_step, &mut col_room);
        *repeat = Repeat { count, row_step: *row_step, col_step, value_step };
    }
    block.first_row += choices.below(room + 1);
    let intervals: Vec<Interval> = (0..1 + choices.below(3))
        .map(|_| {
            let first = choices.below(col_room + 1);
            let len = match block.kind {
                PanelKind::Dense => 1 + choices.below(col_room - first + 1),
                PanelKind::Diagonal => block.n_rows,
            };
            Interval { first_col: columns.start + first, len, values: choices.below(9).into() }
        })
        .collect();
    blocks.push(block, &intervals);
    let mut n_values = 0;
    each_edge(blocks, |_, _, at| n_values = n_values.max(at + 1));
    n_values
}

/// Derives single-edge Out blocks and the counts. `turned` swaps In and Out.
fn finish(mut graph: Memory, turned: bool) -> Memory {
    let mut edges = Vec::new();
    graph.contents.iter().for_each(|frame| each_edge(&frame.inward, |row, col, at| edges.push((row, col, at))));
    for (info, frame) in graph.frames.iter().zip(&mut graph.contents) {
        for &(row, col, values) in edges.iter().filter(|(_, col, _)| info.rows.contains(col)) {
            frame.outward.push(Block::single(col), &[Interval { first_col: row, len: 1, values }]);
        }
        if turned {
            std::mem::swap(&mut frame.inward, &mut frame.outward);
        }
    }
    for (info, frame) in graph.frames.iter_mut().zip(&graph.contents) {
        each_edge(&frame.outward, |_, _, _| info.n_edges_out += 1);
        each_edge(&frame.inward, |_, _, at| {
            info.n_edges_in += 1;
            let layer = &mut graph.layers[info.layer as usize];
            layer.n_edges += 1;
            layer.sum_abs += f64::from(graph.values[at as usize]).abs();
        });
    }
    graph
}

/// Calls `f(row, column, value offset)` for every edge.
fn each_edge(blocks: &Blocks, mut f: impl FnMut(u32, u32, u64)) {
    blocks.blocks.iter().for_each(|block| for_each_edge_of(block, blocks.intervals(block), &mut f));
}
