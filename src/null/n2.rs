//! N2: the weights of all edges of all convolutional and dense layers, permuted edge by edge.
//!
//! Positions stay, weight sharing is gone: every such edge has a value of its own, so the graph is a one-way stream whose
//! value store holds the parent's store first (pooling weights are still read there) and then one value per edge, in
//! the order in which the frames list them.
//!
//! # The permutation
//! The edge at position `x` of `E` gets the weight of edge `π(x)`, where `π` is a keyed bijection of `[0, E)`: a Feistel
//! network on pairs `(left, right)` with `left < a`, `right < b`, `a b ≥ E` (Black and Rogaway, "Ciphers with arbitrary
//! finite domains", 2002), walked on where it leaves `[0, E)`. So every position can be computed alone, in parallel, and
//! again, without a shuffle on disk: any order of the multiset serves, and here it is listed by parameter, each as
//! often as edges carry it.
//!
//! Cost per edge: some ten nanoseconds; memory: 24 bytes for each run of equally frequent parameters.

use std::ops::Range;

use crate::graph::{self, Block, BlockStream, Frame, FrameInfo, Interval, Layer, LayerKind, PanelKind, Repeat, Totals};
use crate::kernel::{Isa, Task};
use crate::random::spread;

/// Rounds of the Feistel network.
const ROUNDS: usize = 8;

/// Values that are made at a time.
const BATCH: usize = 256;

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
    runs: Vec<Parameters>,
    /// For every `2^shift` elements, the run in which the first of them is.
    starts: Vec<u32>,
    shift: u32,
    len: u64,
}

/// Consecutive values that equally many edges carry.
struct Parameters {
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
        let (mut runs, mut len) = (Vec::new(), 0u64);
        for (offset, values) in equal_runs(&counts) {
            let edges = u64::from(counts[offset]);
            if edges > 0 {
                runs.push(Parameters { before: len, offset: offset as u64, edges });
                len += edges * values as u64;
            }
        }
        let shift = len.div_ceil(1 << 16).next_power_of_two().trailing_zeros();
        let run_at = |element: u64| runs.partition_point(|run| run.before <= element).saturating_sub(1) as u32;
        let starts = (0..=len >> shift).map(|k| run_at(k << shift)).collect();
        Ok(Self { runs, starts, shift, len })
    }

    fn len(&self) -> u64 {
        self.len
    }

    /// Offset in the value store of element `element`.
    fn get(&self, element: u64) -> u64 {
        let mut run = self.starts[(element >> self.shift) as usize] as usize;
        while self.runs.get(run + 1).is_some_and(|next| next.before <= element) {
            run += 1;
        }
        let Parameters { before, offset, edges } = self.runs[run];
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

/// Start and length of every run of equal numbers.
fn equal_runs(counts: &[u32]) -> impl Iterator<Item = (usize, usize)> + '_ {
    let mut start = 0;
    counts.chunk_by(|a, b| a == b).map(move |run| {
        start += run.len();
        (start - run.len(), run.len())
    })
}

/// A keyed bijection of `[0, n)`.
struct Permutation {
    n: u64,
    /// Sizes of the two halves, at most 2³¹: `a · b ≥ n`.
    a: u32,
    b: u32,
    keys: [[u32; 2]; ROUNDS],
    isa: Isa,
}

impl Permutation {
    /// # Panics
    /// If `n` is more than 2⁶².
    fn new(n: u64, key: u64) -> Self {
        let a = n.isqrt().max(1);
        let b = n.div_ceil(a);
        assert!(a.max(b) <= 1 << 31, "{n} edges are more than any graph has");
        let keys = |round: usize| {
            let key = spread(key.wrapping_add(round as u64));
            [key as u32, (key >> 32) as u32]
        };
        Self { n, a: a as u32, b: b as u32, keys: std::array::from_fn(keys), isa: Isa::detect() }
    }

    /// The images of `first`, `first + 1`, … below `n`, and no matter what after that.
    fn images(&self, first: u64) -> [u64; BATCH] {
        let mut pairs = Pairs { left: [0; BATCH], right: [0; BATCH] };
        for (k, x) in (first..).take(BATCH).enumerate() {
            (pairs.left[k], pairs.right[k]) = ((x % u64::from(self.a)) as u32, (x / u64::from(self.a)) as u32);
        }
        self.isa.run(Step { permutation: self, pairs: &mut pairs });
        let mut images = [0; BATCH];
        for (k, image) in images.iter_mut().enumerate().take((self.n - first).min(BATCH as u64) as usize) {
            *image = u64::from(pairs.left[k]) + u64::from(self.a) * u64::from(pairs.right[k]);
            // Fewer than one in 2 √n leaves the range.
            while *image >= self.n {
                let mut pair =
                    Pairs { left: [(*image % u64::from(self.a)) as u32], right: [(*image / u64::from(self.a)) as u32] };
                Step { permutation: self, pairs: &mut pair }.run();
                *image = u64::from(pair.left[0]) + u64::from(self.a) * u64::from(pair.right[0]);
            }
        }
        images
    }
}

/// Numbers of `[0, a b)` as `left + a · right`.
struct Pairs<const K: usize> {
    left: [u32; K],
    right: [u32; K],
}

/// The network: the halves take turns in getting a function of the other added.
struct Step<'a, const K: usize> {
    permutation: &'a Permutation,
    pairs: &'a mut Pairs<K>,
}

impl<const K: usize> Task for Step<'_, K> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Permutation { a, b, keys, .. } = *self.permutation;
        let Pairs { left, right } = self.pairs;
        for keys in keys.chunks_exact(2) {
            for (left, right) in left.iter_mut().zip(&*right) {
                *left = add_below(*left, *right, keys[0], a);
            }
            for (right, left) in right.iter_mut().zip(&*left) {
                *right = add_below(*right, *left, keys[1], b);
            }
        }
    }
}

/// `x` plus a keyed function of `other`, modulo `n ≤ 2³¹`.
#[inline(always)]
fn add_below(x: u32, other: u32, key: [u32; 2], n: u32) -> u32 {
    // Two multiply–xorshift rounds (C. Wellons' lowbias32) with a key word before each.
    let mut bits = other ^ key[0];
    bits = (bits ^ bits >> 16).wrapping_mul(0x7feb_352d);
    bits = (bits ^ bits >> 15).wrapping_add(key[1]).wrapping_mul(0x846c_a68b);
    bits ^= bits >> 16;
    let sum = x + ((u64::from(bits) * u64::from(n)) >> 32) as u32;
    sum.min(sum.wrapping_sub(n))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::graph::edges::for_each_edge;
    use crate::net::arch::{self, Init, WeightSource};
    use crate::unroll::{Options, Unrolled};

    proptest! {
        #[test]
        fn every_number_has_one_image(n in 1u64..5000, key in any::<u64>()) {
            let permutation = Permutation::new(n, key);
            let mut seen = vec![false; n as usize];
            for x in 0..n {
                let image = permutation.images(x)[0] as usize;
                prop_assert!(!std::mem::replace(&mut seen[image], true));
            }
        }
    }

    /// Over many keys every pair (position, image) is about equally frequent, and neighbours part.
    #[test]
    fn images_look_uniform() {
        const N: usize = 60;
        const KEYS: u64 = 20_000;
        let (mut counts, mut neighbours) = ([[0u32; N]; N], [0u32; N]);
        for key in 0..KEYS {
            let permutation = Permutation::new(N as u64, key);
            let images = permutation.images(0);
            for x in 0..N {
                let (image, next) = (images[x] as usize, images[(x + 1) % N] as usize);
                counts[x][image] += 1;
                neighbours[(next + N - image) % N] += 1;
            }
        }
        let chi_square = |counts: &[u32], expected: f64| {
            counts.iter().map(|&c| (f64::from(c) - expected).powi(2) / expected).sum::<f64>()
        };
        for counts in &counts {
            assert!(chi_square(counts, KEYS as f64 / N as f64) < 120.0, "{counts:?}");
        }
        assert!(chi_square(&neighbours[1..], (KEYS as usize * N) as f64 / (N - 1) as f64) < 120.0, "{neighbours:?}");
    }

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
