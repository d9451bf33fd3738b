//! RowSums over rows of functions of the weight, at the cost of the panels rather than of the edges.

use std::ops::Range;

use rayon::prelude::*;

use crate::graph::{self, Block, BlockStream, Blocks, Frame, Interval, NodeId, RowGroup};
use crate::spin::one_way::out_blocks::out_blocks;

/// `Σ_j f(Au_ij)` of every row, for `K` functions at once.
///
/// Every row is summed block by block in the order of its frame's blocks, in a one-way stream frame by frame: the sums do
/// not depend on threads. Cost: one read of the frames and their panels; `8 K` bytes a node.
pub(in crate::spin) fn row_sums<const K: usize>(
    graph: &dyn BlockStream,
    f: impl Fn(f32) -> [f64; K] + Sync,
) -> Result<Vec<[f64; K]>, graph::Error> {
    let mut all = RowSums::zero(&(0..graph.totals().n_nodes));
    let frames: Vec<_> = (0..graph.frames().len()).collect();
    for wave in frames.chunks(4 * rayon::current_num_threads()) {
        let each = |frame: &mut Frame, &index: &usize| of_frame(graph, index, frame, &f);
        let found = wave.par_iter().with_max_len(1).map_init(Frame::default, each);
        found.collect::<Result<Vec<_>, graph::Error>>()?.iter().flatten().for_each(|sums| all.merge(sums));
    }
    Ok(all.sums)
}

/// The sums of a frame's rows and, in a one-way stream, of the rows that their edges come from.
fn of_frame<const K: usize>(
    graph: &dyn BlockStream,
    index: usize,
    frame: &mut Frame,
    f: impl Fn(f32) -> [f64; K],
) -> Result<Vec<RowSums<K>>, graph::Error> {
    graph.read(index, frame)?;
    let mut own = RowSums::zero(&graph.frames()[index].rows);
    own.add(&frame.inward, graph.values(), &f);
    own.add(&frame.outward, graph.values(), &f);
    let mut found = vec![own];
    if graph.is_one_way() {
        for (rows, blocks) in out_blocks(graph, index, frame) {
            let mut others = RowSums::zero(&rows);
            others.add(&blocks, graph.values(), &f);
            found.push(others);
        }
        graph.release(frame.inward.own_values());
    }
    Ok(found)
}

/// RowSums of consecutive rows.
struct RowSums<const K: usize> {
    first_row: NodeId,
    sums: Vec<[f64; K]>,
}

impl<const K: usize> RowSums<K> {
    fn zero(rows: &Range<NodeId>) -> Self {
        Self { first_row: rows.start, sums: vec![[0.0; K]; rows.len()] }
    }

    fn merge(&mut self, other: &Self) {
        let at = (other.first_row - self.first_row) as usize;
        self.sums[at..].iter_mut().zip(&other.sums).for_each(|(sum, terms)| add(sum, *terms));
    }

    /// Cost: panel values per block, plus one add per row and block.
    fn add(&mut self, blocks: &Blocks, values: &[f32], f: impl Fn(f32) -> [f64; K]) {
        let mut panel_sums = Vec::new();
        for block in &blocks.blocks {
            let mut summed = None;
            for group in block.groups() {
                // Groups that share a panel have the same sums: a convolution's are made once for all its pixels.
                if summed != Some(group.value_shift) {
                    let row_sum = |(r, _)| row_sum((block, blocks.intervals(block)), (group, r), values, &f);
                    panel_sums.clear();
                    panel_sums.extend(block.rows(group).map(row_sum));
                    summed = Some(group.value_shift);
                }
                for ((_, row), terms) in block.rows(group).zip(&panel_sums) {
                    add(&mut self.sums[(row - self.first_row) as usize], *terms);
                }
            }
        }
    }
}

fn add<const K: usize>(sum: &mut [f64; K], terms: [f64; K]) {
    sum.iter_mut().zip(terms).for_each(|(sum, term)| *sum += term);
}

/// `Σ f(w)` over what one row of a block meets, interval by interval.
fn row_sum<const K: usize>(
    (block, intervals): (&Block, &[Interval]),
    (group, r): (RowGroup, u32),
    values: &[f32],
    f: impl Fn(f32) -> [f64; K],
) -> [f64; K] {
    let mut sum = [0.0; K];
    for interval in intervals {
        let mut terms = [0.0; K];
        block.stretch(group, r, interval).weights(values).for_each(|w| add(&mut terms, f(w)));
        add(&mut sum, terms);
    }
    sum
}
