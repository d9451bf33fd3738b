//! Random access to the rows of `Au`: all frames decoded, an index from rows to blocks, and contiguous panel rows.

use std::collections::HashMap;

use rayon::prelude::*;

use crate::graph::transpose::push_transposed;
use crate::graph::{self, Block, BlockStream, Blocks, Frame, Interval, NodeId, PanelKind, Repeat, RowGroup, Stretch};
use crate::spin::measure::rows::row_sums;

/// Rows per entry of the index from rows to blocks.
const BUCKET: u32 = 64;

/// A signed graph held as decoded blocks, those of `A` and those of `Aᵀ`.
pub(in crate::spin) struct Adjacency<'a> {
    graph: &'a dyn BlockStream,
    blocks: Blocks,
    /// Where each block's values are.
    stores: Vec<PanelStore>,
    /// Blocks that may meet rows `64 k .. 64 (k + 1)`: `entries[starts[k]..starts[k + 1]]`.
    starts: Vec<u32>,
    entries: Vec<u32>,
    /// Panels whose rows are strided in the value store, with rows made contiguous.
    transposed: Vec<f32>,
    /// Adding and subtracting this rounds to a multiple of the quantum.
    rounder: f64,
    quantum: f64,
    row_sums: Vec<f64>,
    /// How far a field of rounded weights may be from the field, by row; nothing if no weight was rounded.
    residues: Vec<f32>,
    sum_abs: f64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum PanelStore {
    Graph,
    Transposed,
}

/// A panel's identity: offset, rows, columns, strides.
type PanelKey = (u64, u32, u32, u32, u32);

/// Consecutive weights of a row, rounded to the quantum.
pub(super) struct RoundedWeights<'a> {
    values: &'a [f32],
    stretch: Stretch,
    rounder: f64,
}

impl RoundedWeights<'_> {
    pub(super) fn len(&self) -> usize {
        self.stretch.len as usize
    }
    #[inline(always)]
    pub(super) fn iter(&self) -> impl Iterator<Item = f64> + '_ {
        self.unrounded().map(|w| round(w, self.rounder))
    }
    /// The same weights as they are.
    #[inline(always)]
    pub(super) fn unrounded(&self) -> impl Iterator<Item = f32> + '_ {
        self.stretch.weights(self.values)
    }
}

/// `w` to the nearest multiple of the quantum, ties to even.
#[inline(always)]
fn round(w: f32, rounder: f64) -> f64 {
    (f64::from(w) + rounder) - rounder
}

impl<'a> Adjacency<'a> {
    pub(in crate::spin) fn new(graph: &'a dyn BlockStream) -> Result<Self, graph::Error> {
        let abs = row_sums(graph, |w| [f64::from(w).abs()])?;
        let max = abs.iter().map(|&[abs]| abs).fold(f64::MIN_POSITIVE, f64::max);
        let sum_abs = abs.iter().flatten().sum::<f64>() / 2.0;
        drop(abs);
        // |r| ≤ max < 2⁵¹ q, and w + 1.5 · 2⁵² q keeps the spacing q.
        let quantum = 2f64.powi(max.log2().floor() as i32 + 1 - 51);
        let rounder = 1.5 * 2f64.powi(52) * quantum;
        // Three walks, one after the other: memory is for the sums of one at a time.
        let residue = |w: f32| (f64::from(w) - round(w, rounder)).abs();
        let residues = match graph.values().iter().all(|&w| residue(w) == 0.0) {
            true => Vec::new(),
            false => row_sums(graph, |w| [residue(w)])?.into_iter().map(|[sum]| ((1.0 + 1e-6) * sum) as f32).collect(),
        };
        let row_sums = row_sums(graph, |w| [round(w, rounder)])?.into_flattened();
        let mut blocks = both_ways(graph)?;
        let mut transposer = Transposer { values: graph.values(), out: Vec::new(), known: HashMap::new() };
        let stores = (0..blocks.blocks.len()).map(|index| transposer.make_contiguous(&mut blocks, index)).collect();
        let (starts, entries) = index_rows(&blocks, graph.totals().n_nodes);
        let transposed = transposer.out;
        Ok(Self { graph, blocks, stores, starts, entries, transposed, rounder, quantum, row_sums, residues, sum_abs })
    }

    /// Nodes.
    pub(super) fn n_nodes(&self) -> usize {
        self.row_sums.len()
    }
    /// `Σ_j Au_ij` of every row: the fields of the state with all spins `+1`.
    pub(super) fn row_sums(&self) -> &[f64] {
        &self.row_sums
    }
    /// How far a field of rounded weights may be from the field, by row; nothing if no weight was rounded.
    pub(super) fn residues(&self) -> &[f32] {
        &self.residues
    }
    /// `Σ_edges |w|`.
    pub(super) fn sum_abs(&self) -> f64 {
        self.sum_abs
    }
    /// What all weights are multiples of.
    pub(super) fn quantum(&self) -> f64 {
        self.quantum
    }

    /// Calls `f(first column, weights)` for the repeats of consecutive columns of one row of `Au`.
    #[inline(always)]
    pub(super) fn for_each_stretch(&self, row: NodeId, mut f: impl FnMut(NodeId, RoundedWeights<'_>)) {
        let bucket = (row / BUCKET) as usize;
        for &index in &self.entries[self.starts[bucket] as usize..self.starts[bucket + 1] as usize] {
            let block = &self.blocks.blocks[index as usize];
            let Some((group, r)) = find(block, row) else { continue };
            let values = match self.stores[index as usize] {
                PanelStore::Graph => self.graph.values(),
                PanelStore::Transposed => &self.transposed,
            };
            for interval in self.blocks.intervals(block) {
                let stretch = block.stretch(group, r, interval);
                f(stretch.first_col, RoundedWeights { values, stretch, rounder: self.rounder });
            }
        }
    }
}

/// The group that holds node `row`, and its number in it, if the block, which [`divides`], meets it.
fn find(block: &Block, row: NodeId) -> Option<(RowGroup, u32)> {
    let mut rest = row.checked_sub(block.first_row)?;
    // As digits of a number: how many outer steps fit, then how many inner ones; what is left must be a row of a group.
    let mut steps = [0, 0];
    for (step, repeat) in steps.iter_mut().zip(block.repeats) {
        if repeat.count > 1 {
            *step = (rest / repeat.row_step).min(repeat.count - 1);
            rest -= *step * repeat.row_step;
        }
    }
    let r = rest / block.row_step;
    (r < block.n_rows && r * block.row_step == rest).then(|| (block.group(steps[0], steps[1]), r))
}

/// The blocks of all frames in both directions, their repeats nested.
fn both_ways(graph: &dyn BlockStream) -> Result<Blocks, graph::Error> {
    let decode = |index: usize| {
        let mut frame = Frame::default();
        graph.read(index, &mut frame).map(|()| frame)
    };
    let frames: Vec<Frame> = (0..graph.frames().len()).into_par_iter().map(decode).collect::<Result<_, _>>()?;
    let mut all = Blocks::default();
    for mut frame in frames {
        if graph.is_one_way() {
            for block in &frame.inward.blocks {
                push_transposed(block, frame.inward.intervals(block), &mut frame.outward);
            }
        }
        for blocks in [&frame.inward, &frame.outward] {
            blocks.blocks.iter().for_each(|block| push_nested(block, blocks.intervals(block), &mut all));
        }
    }
    Ok(all)
}

/// For every 64 rows, where the list of blocks that meet them begins, and these lists.
fn index_rows(blocks: &Blocks, n_nodes: u32) -> (Vec<u32>, Vec<u32>) {
    let mut starts = vec![0; n_nodes.div_ceil(BUCKET) as usize + 1];
    for block in &blocks.blocks {
        buckets_of(block).into_iter().for_each(|bucket| starts[bucket + 1] += 1);
    }
    for k in 1..starts.len() {
        starts[k] += starts[k - 1];
    }
    let mut next = starts.clone();
    let mut entries = vec![0; starts[starts.len() - 1] as usize];
    for (index, block) in blocks.blocks.iter().enumerate() {
        for bucket in buckets_of(block) {
            entries[next[bucket] as usize] = index as u32;
            next[bucket] += 1;
        }
    }
    (starts, entries)
}

/// Appends a block, or each of its row groups as a block where the repeats are not nested.
fn push_nested(block: &Block, intervals: &[Interval], into: &mut Blocks) {
    if divides(block) {
        return into.push(*block, intervals);
    }
    for group in block.groups() {
        let alone = Block { first_row: group.first_row, repeats: [Repeat::ONE; 2], ..*block };
        let shifted = intervals.iter().map(|interval| group.shifted(interval));
        into.push(alone, &shifted.collect::<Vec<_>>());
    }
}

/// Does each step of the repeats lead beyond all rows of what it repeats? Then a row is in one group at most, and [`find`]
/// finds it by division. Networks have no other blocks; the format allows them.
fn divides(block: &Block) -> bool {
    let mut extent = (block.n_rows - 1) * block.row_step;
    block.repeats.iter().rev().filter(|repeat| repeat.count > 1).all(|repeat| {
        let beyond = repeat.row_step > extent;
        extent += (repeat.count - 1) * repeat.row_step;
        beyond
    })
}

/// The buckets that hold a row of the block, ascending.
fn buckets_of(block: &Block) -> Vec<usize> {
    let mut buckets = Vec::new();
    for RowGroup { first_row, .. } in block.groups() {
        let last = first_row + (block.n_rows - 1) * block.row_step;
        buckets.extend((first_row / BUCKET..=last / BUCKET).map(|k| k as usize));
    }
    buckets.sort_unstable();
    buckets.dedup();
    buckets
}

/// Copies panels with strided rows into rows, each distinct panel once.
struct Transposer<'a> {
    values: &'a [f32],
    out: Vec<f32>,
    known: HashMap<PanelKey, u64>,
}

impl Transposer<'_> {
    /// Points a shared dense block with strided columns at a contiguous copy.
    fn make_contiguous(&mut self, blocks: &mut Blocks, index: usize) -> PanelStore {
        let block = blocks.blocks[index];
        // A panel that is used once is not worth a copy.
        let shared = block.n_groups() > 1 && block.shares_panel();
        // One length for all intervals, so that one row stride serves them.
        let len = blocks.intervals(&block)[0].len;
        let even = blocks.intervals(&block).iter().all(|i| i.len == len);
        if block.kind == PanelKind::Diagonal || block.col_stride <= 1 || !shared || !even {
            return PanelStore::Graph;
        }
        let intervals = block.intervals_start as usize..(block.intervals_start + block.n_intervals) as usize;
        for interval in &mut blocks.intervals[intervals] {
            interval.values = self.copy(&block, interval);
        }
        let block = &mut blocks.blocks[index];
        (block.row_stride, block.col_stride) = (len, 1);
        PanelStore::Transposed
    }

    /// Offset of the copy of one interval's panel.
    fn copy(&mut self, block: &Block, interval: &Interval) -> u64 {
        let key = (interval.values, block.n_rows, interval.len, block.row_stride, block.col_stride);
        if let Some(&offset) = self.known.get(&key) {
            return offset;
        }
        let offset = self.out.len() as u64;
        for r in 0..u64::from(block.n_rows) {
            let row = interval.values + r * u64::from(block.row_stride);
            let value = |k: u32| self.values[(row + u64::from(k) * u64::from(block.col_stride)) as usize];
            self.out.extend((0..interval.len).map(value));
        }
        self.known.insert(key, offset);
        offset
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows met, with the first value of each meeting, by going through all groups.
    fn meetings(blocks: &Blocks) -> Vec<(NodeId, u64)> {
        let mut found = Vec::new();
        for block in &blocks.blocks {
            for group in block.groups() {
                let value = group.shifted(&blocks.intervals(block)[0]).values;
                found.extend(block.rows(group).map(|(_, row)| (row, value)));
            }
        }
        found.sort_unstable();
        found
    }

    #[test]
    fn every_row_is_found_in_every_group_that_has_it_whatever_the_steps() {
        for (outer, inner, row_step) in [(12, 4, 1), (1, 2, 4), (0, 0, 1), (2, 2, 1), (0, 5, 2), (3, 1, 3)] {
            let repeat = |count, row_step, value_step| Repeat { count, row_step, col_step: 1, value_step };
            let repeats = [repeat(2, outer, 100), repeat(3, inner, 10)];
            let block = Block { n_rows: 3, row_step, repeats, row_stride: 1, ..Block::single(7) };
            let interval = Interval { first_col: 0, len: 1, values: 0 };
            let (mut whole, mut nested) = (Blocks::default(), Blocks::default());
            whole.push(block, &[interval]);
            push_nested(&block, &[interval], &mut nested);
            assert_eq!(meetings(&nested), meetings(&whole));
            let mut found = Vec::new();
            for (row, block) in (0..60).flat_map(|row| nested.blocks.iter().map(move |b| (row, b))) {
                if let Some((group, _)) = find(block, row) {
                    found.push((row, group.shifted(&nested.intervals(block)[0]).values));
                }
            }
            found.sort_unstable();
            assert_eq!(found, meetings(&whole), "steps {outer}, {inner}, {row_step}");
        }
    }
}
