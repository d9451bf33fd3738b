//! N2: the weights of all edges of all convolutional and dense layers, permuted edge by edge.
//!
//! Positions stay, weight sharing is gone: every such edge has a value of its own, so the graph is a one-way stream
//! whose value store holds the parent's store first (pooling weights are still read there) and then one value per edge,
//! in the order in which the frames list them.
//!
//! ```text
//! the parent's store     p₀  p₁  p₂            p₀ on 3 edges, p₁ on 3, p₂ on 2
//! all weights            p₀ p₀ p₀ p₁ p₁ p₁ p₂ p₂        the multiset, listed by parameter
//! π                      4  7  0  2  6  1  3  5         a permutation of the eight places
//! the model's store      p₀  p₁  p₂ │ p₁ p₂ p₀ p₀ p₂ p₀ p₁ p₁
//!                        for pooling   the edges in the order of the frames
//! ```
//!
//! Neither the multiset nor the permutation is ever in memory. The edge at position `x` of `E` gets the weight of place
//! `π(x)` of the list. `π` is computed for each position alone (see `permutation`), so values are made in parallel, in
//! any order, and again if need be; which parameter is at a place is found in a table of spans of parameters that
//! equally many edges carry. Any order of the list serves, since the permutation is as good as random.
//!
//! Cost per edge: some ten nanoseconds; memory: 24 bytes for each span of equally frequent parameters.

use std::ops::Range;

use super::permutation::{BATCH, Permutation};
use crate::graph::{self, Block, BlockStream, Frame, FrameInfo, Interval, Layer, LayerKind, PanelKind, Repeat, Totals};
use crate::random::spread;

/// The topology of an N2 model and the rule for its values.
pub struct Unshared<'a> {
    parent: &'a dyn BlockStream,
    frames: Vec<FrameInfo>,
    layers: Vec<Layer>,
    /// Offset of the first own value of every frame.
    first: Vec<u64>,
    weights: Multiset,
    permutation: Permutation,
}

impl<'a> Unshared<'a> {
    /// Model `index` of those with this seed. Cost: one read of the frames.
    ///
    /// # Errors
    /// If a frame cannot be read.
    pub fn new(parent: &'a dyn BlockStream, seed: u64, index: u64) -> Result<Self, graph::Error> {
        let weights = Multiset::of(parent)?;
        let mut next = parent.values().len() as u64;
        let mut first = Vec::with_capacity(parent.frames().len());
        for info in parent.frames() {
            first.push(next);
            next += if is_permuted(parent, info) { info.n_edges_in } else { 0 };
        }
        let frames = parent.frames().iter().map(|info| FrameInfo { n_edges_out: 0, ..info.clone() }).collect();
        let layers =
            parent.layers().iter().map(|layer| Layer { params: 0..0, fan_in: 0, taps: 0, ..layer.clone() }).collect();
        let permutation = Permutation::new(weights.len(), spread(spread(seed).wrapping_add(index)));
        Ok(Self { parent, frames, layers, first, weights, permutation })
    }

    /// Values of the store.
    pub fn n_values(&self) -> u64 {
        self.parent.values().len() as u64 + self.weights.len()
    }

    /// The layers (by index) whose edges have values of their own, and where these are.
    pub fn own_values(&self) -> Vec<(usize, Range<u64>)> {
        let mut ranges: Vec<(usize, Range<u64>)> = Vec::new();
        for (info, &first) in self.frames.iter().zip(&self.first).filter(|(info, _)| is_permuted(self.parent, info)) {
            let (layer, end) = (info.layer as usize, first + info.n_edges_in);
            match ranges.last_mut() {
                Some((last, range)) if *last == layer => range.end = end,
                _ => ranges.push((layer, first..end)),
            }
        }
        ranges
    }

    /// The values from offset `first` on.
    pub fn fill(&self, first: u64, out: &mut [f32]) {
        let shared = self.parent.values();
        let n_shared = (shared.len() as u64).saturating_sub(first).min(out.len() as u64) as usize;
        let (head, tail) = out.split_at_mut(n_shared);
        if !head.is_empty() {
            head.copy_from_slice(&shared[first as usize..][..n_shared]);
        }
        let mut position = (first + n_shared as u64).wrapping_sub(shared.len() as u64);
        // Step by step for many at a time, so that the reads of one step do not wait for each other.
        for values in tail.chunks_mut(BATCH) {
            let mut at = self.permutation.images(position);
            at[..values.len()].iter_mut().for_each(|at| *at = self.weights.get(*at));
            values.iter_mut().zip(at).for_each(|(value, at)| *value = shared[at as usize]);
            position += values.len() as u64;
        }
    }
}

impl BlockStream for Unshared<'_> {
    /// Sums of weights are the parent's.
    fn totals(&self) -> Totals {
        self.parent.totals()
    }
    fn layers(&self) -> &[Layer] {
        &self.layers
    }
    fn frames(&self) -> &[FrameInfo] {
        &self.frames
    }
    fn read(&self, index: usize, frame: &mut Frame) -> Result<(), graph::Error> {
        self.parent.read(index, frame)?;
        frame.outward.clear();
        if !is_permuted(self.parent, &self.frames[index]) {
            return Ok(());
        }
        let mut next = self.first[index];
        for block in &mut frame.inward.blocks {
            let intervals = block.intervals_start as usize..(block.intervals_start + block.n_intervals) as usize;
            next = give_values(block, &mut frame.inward.intervals[intervals], next);
        }
        Ok(())
    }
    /// None: they are made by [`fill`](Self::fill).
    fn values(&self) -> &[f32] {
        &[]
    }
    fn is_one_way(&self) -> bool {
        true
    }
}

/// Do the edges into the rows of a frame belong to a convolution or a dense layer? Those of an imported graph do, too.
fn is_permuted(graph: &dyn BlockStream, info: &FrameInfo) -> bool {
    matches!(graph.layers()[info.layer as usize].kind, LayerKind::Conv | LayerKind::Dense | LayerKind::Class)
}

/// Points every entry of a block at a value of its own from `first` on, row group after row group. Returns the offset
/// after the last.
fn give_values(block: &mut Block, intervals: &mut [Interval], first: u64) -> u64 {
    let n_rows = u64::from(block.n_rows);
    let columns = block.n_columns(intervals);
    let mut column = 0;
    for interval in intervals {
        interval.values = first + column;
        column += if block.kind == PanelKind::Dense { u64::from(interval.len) } else { 1 };
    }
    block.row_stride = columns as u32;
    block.col_stride = u32::from(block.kind == PanelKind::Dense);
    let [outer, inner] = block.repeats;
    let group = n_rows * columns;
    block.repeats =
        [Repeat { value_step: group * u64::from(inner.count), ..outer }, Repeat { value_step: group, ..inner }];
    first + group * block.n_groups()
}

/// All permuted weights, by parameter, each as often as edges carry it.
struct Multiset {
    spans: Vec<Span>,
    /// For every `2^shift` elements, the span in which the first of them is.
    starts: Vec<u32>,
    shift: u32,
    len: u64,
}

/// Consecutive values of the store that equally many edges carry.
struct Span {
    /// Number of elements before the first.
    before: u64,
    /// Offset of the first in the value store.
    offset: u64,
    /// Edges that carry each of them.
    edges: u64,
}

impl Multiset {
    /// Counts the edges of every parameter. Memory while it runs: 4 bytes a value.
    fn of(graph: &dyn BlockStream) -> Result<Self, graph::Error> {
        let mut counts = vec![0u32; graph.values().len()];
        let mut frame = Frame::default();
        for (index, _) in graph.frames().iter().enumerate().filter(|(_, info)| is_permuted(graph, info)) {
            graph.read(index, &mut frame)?;
            for block in &frame.inward.blocks {
                count(block, frame.inward.intervals(block), &mut counts);
            }
        }
        let (mut spans, mut len) = (Vec::new(), 0u64);
        for (offset, values) in equal_spans(&counts) {
            let edges = u64::from(counts[offset]);
            if edges > 0 {
                spans.push(Span { before: len, offset: offset as u64, edges });
                len += edges * values as u64;
            }
        }
        let shift = len.div_ceil(1 << 16).next_power_of_two().trailing_zeros();
        let span_at = |element: u64| spans.partition_point(|span| span.before <= element).saturating_sub(1) as u32;
        let starts = (0..=len >> shift).map(|k| span_at(k << shift)).collect();
        Ok(Self { spans, starts, shift, len })
    }

    fn len(&self) -> u64 {
        self.len
    }

    /// Offset in the value store of element `element`.
    fn get(&self, element: u64) -> u64 {
        let mut span = self.starts[(element >> self.shift) as usize] as usize;
        while self.spans.get(span + 1).is_some_and(|next| next.before <= element) {
            span += 1;
        }
        let Span { before, offset, edges } = self.spans[span];
        // Exact: elements are below 2⁵², so a quotient is too far from the next whole number to be rounded to it.
        offset + ((element - before) as f64 / edges as f64) as u64
    }
}

/// Adds one for every entry of a block to the count of its value.
fn count(block: &Block, intervals: &[Interval], counts: &mut [u32]) {
    for (group, times) in block.panels() {
        for (r, _) in block.rows(group) {
            for at in intervals.iter().flat_map(|interval| block.stretch(group, r, interval).offsets()) {
                counts[at as usize] += times as u32;
            }
        }
    }
}

/// Start and length of every span of equal numbers.
fn equal_spans(counts: &[u32]) -> impl Iterator<Item = (usize, usize)> + '_ {
    let mut start = 0;
    counts.chunk_by(|a, b| a == b).map(move |span| {
        start += span.len();
        (start - span.len(), span.len())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::edges::for_each_edge;
    use crate::net::arch::{self, Init, WeightSource};
    use crate::unroll::{Options, Unrolled};

    /// Edges into convolutional and dense layers, and the others.
    fn edges(graph: &dyn BlockStream, values: &[f32]) -> [Vec<(u32, u32, u32)>; 2] {
        let mut edges = [Vec::new(), Vec::new()];
        let mut frame = Frame::default();
        for (index, info) in graph.frames().iter().enumerate() {
            graph.read(index, &mut frame).unwrap();
            let into = &mut edges[usize::from(!is_permuted(graph, info))];
            for_each_edge(&frame.inward, values, |row, column, w| into.push((row, column, w.to_bits())));
        }
        edges
    }

    #[test]
    fn the_weights_change_places_and_nothing_else_does() {
        let net = arch::build("digits", WeightSource::Init { scheme: Init::He, seed: 1 }, None).unwrap();
        let parent = Unrolled::new(&net, Options::default()).unwrap();
        let model = Unshared::new(&parent, 7, 0).unwrap();
        let mut values = vec![0.0; model.n_values() as usize];
        model.fill(0, &mut values);
        let mut tail = vec![0.0; 1000];
        model.fill(model.n_values() - 1000, &mut tail);
        assert_eq!(tail, values[values.len() - 1000..]);

        let [before, before_rest] = edges(&parent, parent.values());
        let [after, after_rest] = edges(&model, &values);
        assert_eq!(before_rest, after_rest);
        let positions = |edges: &[(u32, u32, u32)]| edges.iter().map(|e| (e.0, e.1)).collect::<Vec<_>>();
        assert_eq!(positions(&before), positions(&after));
        let weights = |edges: &[(u32, u32, u32)]| {
            let mut weights: Vec<_> = edges.iter().map(|e| e.2).collect();
            weights.sort_unstable();
            weights
        };
        assert_eq!(weights(&before), weights(&after));
        assert!(before.iter().zip(&after).filter(|(a, b)| a.2 == b.2).count() < before.len() / 100);
        let mut other = vec![0.0; values.len()];
        Unshared::new(&parent, 7, 1).unwrap().fill(0, &mut other);
        assert_ne!(values, other);
    }
}
