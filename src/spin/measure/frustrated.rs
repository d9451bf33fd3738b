//! Where the frustration sits: the negative entries of `S A S` at a state, by layer pair.

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::graph::{self, Block, BlockStream, Frame, Interval, NodeId, RowGroup, layer_of};
use crate::kernel::state;

/// A layer pair, which is all edges from one layer to another, at a state.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LayerPairFrustration {
    /// Index of the source layer.
    pub source: usize,
    /// Index of the target layer.
    pub target: usize,
    /// Edges.
    pub n_edges: u64,
    /// `Σ|w|`.
    pub weight: f64,
    /// Edges with `s_i w s_j < 0`.
    pub frustrated_edges: u64,
    /// `Σ|w|` over those.
    pub frustrated_weight: f64,
}

/// Every layer pair with edges at a [state], by target, then source layer.
///
/// Cost: one visit of every edge in one direction, in `f64`. Row sums are added on an integer grid 2¹⁰⁰ times finer than
/// the graph's total `sum_abs`, so that the result does not depend on frames or threads.
///
/// # Errors
/// If the graph cannot be read.
pub fn by_layer_pair(
    graph: &dyn BlockStream,
    state: &[u8],
    sum_abs: f64,
) -> Result<Vec<LayerPairFrustration>, graph::Error> {
    let spins: Vec<f32> =
        (0..graph.totals().n_nodes).map(|i| if state::is_up(state, i) { 1.0 } else { -1.0 }).collect();
    let grid = 2f64.powi(100 - sum_abs.max(f64::MIN_POSITIVE).log2().ceil() as i32);
    let visit = |frame: &mut Frame, index: usize| {
        graph.read(index, frame)?;
        let target = graph.frames()[index].layer as usize;
        let mut sums = BTreeMap::new();
        for block in &frame.inward.blocks {
            let rows =
                BlockRows { values: graph.values(), block, intervals: frame.inward.intervals(block), spins: &spins };
            let source = layer_of(graph.layers(), rows.intervals[0].first_col);
            rows.add(grid, sums.entry((target, source)).or_insert_with(PairSums::default));
        }
        if graph.is_one_way() {
            graph.release(frame.inward.own_values());
        }
        Ok(sums)
    };
    let frames: Vec<BTreeMap<_, PairSums>> = (0..graph.frames().len())
        .into_par_iter()
        .map_init(Frame::default, visit)
        .collect::<Result<_, graph::Error>>()?;
    let mut totals: BTreeMap<(usize, usize), PairSums> = BTreeMap::new();
    for (key, sums) in frames.into_iter().flatten() {
        totals.entry(key).or_default().merge(&sums);
    }
    Ok(totals.into_iter().map(|((target, source), sums)| sums.frustration(source, target, grid)).collect())
}

/// Counts, and weights in units of the grid.
#[derive(Default)]
struct PairSums {
    n_edges: u64,
    weight: i128,
    frustrated_edges: u64,
    frustrated_weight: i128,
}

impl PairSums {
    fn merge(&mut self, other: &Self) {
        self.n_edges += other.n_edges;
        self.weight += other.weight;
        self.frustrated_edges += other.frustrated_edges;
        self.frustrated_weight += other.frustrated_weight;
    }
    fn frustration(&self, source: usize, target: usize, grid: f64) -> LayerPairFrustration {
        LayerPairFrustration {
            source,
            target,
            n_edges: self.n_edges,
            weight: self.weight as f64 / grid,
            frustrated_edges: self.frustrated_edges,
            frustrated_weight: self.frustrated_weight as f64 / grid,
        }
    }
}

/// The rows of one block.
struct BlockRows<'a> {
    values: &'a [f32],
    block: &'a Block,
    intervals: &'a [Interval],
    spins: &'a [f32],
}

impl BlockRows<'_> {
    fn add(&self, grid: f64, sums: &mut PairSums) {
        for group in self.block.groups() {
            for (r, row) in self.block.rows(group) {
                let (mut weight, mut frustrated, mut count, mut n_edges) = (0.0, 0.0, 0, 0);
                self.for_each_term((group, r, row), |term| {
                    weight += f64::from(term).abs();
                    frustrated += f64::from(term.min(0.0));
                    count += u64::from(term < 0.0);
                    n_edges += 1;
                });
                sums.n_edges += n_edges;
                sums.frustrated_edges += count;
                sums.weight += (weight * grid) as i128;
                sums.frustrated_weight -= (frustrated * grid) as i128;
            }
        }
    }

    /// Calls `f(s_i w_ij s_j)` for every edge of one row.
    #[inline(always)]
    fn for_each_term(&self, (group, r, row): (RowGroup, u32, NodeId), mut f: impl FnMut(f32)) {
        let spin = self.spins[row as usize];
        for interval in self.intervals {
            let stretch = self.block.stretch(group, r, interval);
            let spins = &self.spins[stretch.first_col as usize..][..stretch.len as usize];
            spins.iter().zip(stretch.weights(self.values)).for_each(|(s, w)| f(spin * w * s));
        }
    }
}
