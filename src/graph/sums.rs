//! `Σ|w|` over blocks, at the cost of the panels rather than of the edges.

use super::{Block, Blocks, PanelKind, Run};

/// `Σ|w|` over the edges of some blocks, summed in stored order. Cost: O(values of the distinct panels of each block).
///
/// # Panics
/// If a panel points outside `values`, which no frame that was read does.
pub fn sum_abs(blocks: &Blocks, values: &[f32]) -> f64 {
    blocks.blocks.iter().map(|block| block_sum(blocks, block, values)).sum()
}

fn block_sum(blocks: &Blocks, block: &Block, values: &[f32]) -> f64 {
    let split = |run: &Run| match run.value_step {
        0 => (1, run.count),
        _ => (run.count, 1),
    };
    let [(down, down_alike), (across, across_alike)] = block.runs.each_ref().map(split);
    let mut sum = 0.0;
    for a in 0..down {
        for b in 0..across {
            let (_, _, shift) = block.group(a, b);
            sum +=
                blocks.intervals(block).iter().map(|i| panel_sum(block, i.values + shift, i.len, values)).sum::<f64>();
        }
    }
    sum * f64::from(down_alike) * f64::from(across_alike)
}

fn panel_sum(block: &Block, first: u64, len: u32, values: &[f32]) -> f64 {
    let n_cols = match block.kind {
        PanelKind::Dense => len,
        PanelKind::Diagonal => 1,
    };
    let abs = |at: u64| f64::from(values[at as usize]).abs();
    let row = |r: u32| {
        let at = first + u64::from(r) * u64::from(block.row_stride);
        (0..n_cols).map(|k| abs(at + u64::from(k) * u64::from(block.col_stride))).sum::<f64>()
    };
    (0..block.n_rows).map(row).sum()
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
