//! `Σ|w|` over blocks, at the cost of the panels rather than of the edges.

use super::reading::{LEAST, parts};
use super::{Block, Blocks, PanelKind, Run};

/// `Σ|w|` over the edges of some blocks, summed in stored order. Cost: O(values of the distinct panels of each block).
///
/// # Panics
/// If a panel points outside `values`, which no frame that was read does.
pub fn sum_abs(blocks: &Blocks, values: &[f32]) -> f64 {
    blocks.blocks.iter().map(|block| block_sum(blocks, block, values)).sum()
}

fn block_sum(blocks: &Blocks, block: &Block, values: &[f32]) -> f64 {
    let (mut sum, mut alike) = (0.0, 0);
    for_each_panel(blocks, block, |first, len, groups| {
        alike = groups;
        sum += panel_sum(block, first, len, values);
    });
    sum * alike as f64
}

/// `Σ|w|` over the edges of some blocks, exactly, as terms `n · 2^unit` to be added up. Cost as of [`sum_abs`].
pub fn magnitudes(blocks: &Blocks, values: &[f32]) -> impl Iterator<Item = (u128, i32)> {
    // A mantissa has 24 places, and there are fewer than 2⁶⁴ edges.
    let mut by_unit = vec![0u128; 256];
    for block in &blocks.blocks {
        for_each_panel(blocks, block, |first, len, groups| {
            for_each_value(block, first, len, |at| {
                let (mantissa, unit) = parts(values[at as usize]);
                by_unit[(unit - LEAST) as usize] += u128::from(mantissa) * u128::from(groups);
            });
        });
    }
    by_unit.into_iter().zip(LEAST..).filter(|&(n, _)| n > 0)
}

/// Calls `f(first value, columns, groups that share it)` for the distinct panels of a block, interval by interval.
fn for_each_panel(blocks: &Blocks, block: &Block, mut f: impl FnMut(u64, u32, u64)) {
    let split = |run: &Run| match run.value_step {
        0 => (1, run.count),
        _ => (run.count, 1),
    };
    let [(down, down_alike), (across, across_alike)] = block.runs.each_ref().map(split);
    let alike = u64::from(down_alike) * u64::from(across_alike);
    for a in 0..down {
        for b in 0..across {
            let (_, _, shift) = block.group(a, b);
            blocks.intervals(block).iter().for_each(|i| f(i.values + shift, i.len, alike));
        }
    }
}

fn panel_sum(block: &Block, first: u64, len: u32, values: &[f32]) -> f64 {
    let mut sum = 0.0;
    for_each_value(block, first, len, |at| sum += f64::from(values[at as usize]).abs());
    sum
}

/// Calls `f` with the offsets of a panel's values, row by row.
fn for_each_value(block: &Block, first: u64, len: u32, mut f: impl FnMut(u64)) {
    let n_cols = match block.kind {
        PanelKind::Dense => len,
        PanelKind::Diagonal => 1,
    };
    for r in 0..u64::from(block.n_rows) {
        let row = first + r * u64::from(block.row_stride);
        (0..u64::from(n_cols)).for_each(|k| f(row + k * u64::from(block.col_stride)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::edges::for_each_edge;
    use crate::shard::testing;

    #[test]
    fn blocks_of_every_sort_are_summed_as_their_edges_are() {
        let graph = testing::fixture();
        for frame in &graph.contents {
            for blocks in [&frame.inward, &frame.outward] {
                let mut sum = 0.0;
                for_each_edge(blocks, &graph.values, |_, _, w| sum += f64::from(w).abs());
                assert!((sum_abs(blocks, &graph.values) - sum).abs() <= 1e-12 * sum);
            }
        }
    }
}
