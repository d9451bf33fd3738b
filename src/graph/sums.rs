//! `Σ|w|` over blocks, at the cost of the panels rather than of the edges.

use super::reading::{LEAST, parts};
use super::{Block, Blocks, Interval, RowGroup};

/// `Σ|w|` over the edges of some blocks, summed in stored order. Cost: O(values of the distinct panels of each block).
///
/// # Panics
/// If a panel points outside `values`, which no frame that was read does.
pub fn sum_abs(blocks: &Blocks, values: &[f32]) -> f64 {
    blocks.blocks.iter().map(|block| block_sum(blocks, block, values)).sum()
}

fn block_sum(blocks: &Blocks, block: &Block, values: &[f32]) -> f64 {
    let (mut sum, mut groups_alike) = (0.0, 0);
    for (group, times) in block.panels() {
        groups_alike = times;
        for interval in blocks.intervals(block) {
            sum += panel(block, group, interval, values).map(|w| f64::from(w).abs()).sum::<f64>();
        }
    }
    sum * groups_alike as f64
}

/// `Σ|w|` over the edges of some blocks, exactly, as terms `n · 2^unit` to be added up. Cost as of [`sum_abs`].
pub fn magnitudes(blocks: &Blocks, values: &[f32]) -> impl Iterator<Item = (u128, i32)> {
    // A mantissa has 24 places, and there are fewer than 2⁶⁴ edges.
    let mut by_unit = vec![0u128; 256];
    for block in &blocks.blocks {
        for (group, times) in block.panels() {
            for w in blocks.intervals(block).iter().flat_map(|interval| panel(block, group, interval, values)) {
                let (mantissa, unit) = parts(w);
                by_unit[(unit - LEAST) as usize] += u128::from(mantissa) * u128::from(times);
            }
        }
    }
    by_unit.into_iter().zip(LEAST..).filter(|&(n, _)| n > 0)
}

/// The weights of a group's rows in one interval, row by row.
fn panel<'a>(
    block: &'a Block,
    group: RowGroup,
    interval: &'a Interval,
    values: &'a [f32],
) -> impl Iterator<Item = f32> + use<'a> {
    block.rows(group).flat_map(move |(r, _)| block.stretch(group, r, interval).weights(values))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::edges::for_each_edge;
    use crate::testing::blocks;

    #[test]
    fn blocks_of_every_sort_are_summed_as_their_edges_are() {
        let graph = blocks::fixture();
        for frame in &graph.contents {
            for blocks in [&frame.inward, &frame.outward] {
                let mut sum = 0.0;
                for_each_edge(blocks, &graph.values, |_, _, w| sum += f64::from(w).abs());
                assert!((sum_abs(blocks, &graph.values) - sum).abs() <= 1e-12 * sum);
            }
        }
    }
}
