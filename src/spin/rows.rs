//! Sums over rows of a function of the weight, at the cost of the panels rather than of the edges.

use crate::graph::{Blocks, Interval, NodeId, PanelKind};

/// Adds `Σ_j f(w_ij)` over all `blocks` to `sums[i − first_row]`.
///
/// Cost: panel values per block, plus one add per row and block.
pub(super) fn add_row_sums(
    blocks: &Blocks,
    values: &[f32],
    first_row: NodeId,
    f: impl Fn(f32) -> f64,
    sums: &mut [f64],
) {
    let mut panel_sums = Vec::new();
    for block in &blocks.blocks {
        let mut summed = None;
        for a in 0..block.runs[0].count {
            for b in 0..block.runs[1].count {
                let (row, _, value_shift) = block.group(a, b);
                if summed != Some(value_shift) {
                    let panel = Panel { values, value_shift, intervals: blocks.intervals(block) };
                    panel_sums.clear();
                    panel_sums.extend((0..block.n_rows).map(|r| panel.row_sum(block, r, &f)));
                    summed = Some(value_shift);
                }
                let rows = (row - first_row) as usize;
                for (sum, panel_sum) in sums[rows..].iter_mut().step_by(block.row_step as usize).zip(&panel_sums) {
                    *sum += panel_sum;
                }
            }
        }
    }
}

struct Panel<'a> {
    values: &'a [f32],
    value_shift: u64,
    intervals: &'a [Interval],
}

impl Panel<'_> {
    fn row_sum(&self, block: &crate::graph::Block, r: u32, f: impl Fn(f32) -> f64) -> f64 {
        let row = u64::from(r) * u64::from(block.row_stride) + self.value_shift;
        let interval_sum = |i: &Interval| {
            let n = if block.kind == PanelKind::Dense { i.len } else { 1 };
            let value = |k: u32| self.values[(i.values + row + u64::from(k) * u64::from(block.col_stride)) as usize];
            (0..n).map(|k| f(value(k))).sum::<f64>()
        };
        self.intervals.iter().map(interval_sum).sum()
    }
}
