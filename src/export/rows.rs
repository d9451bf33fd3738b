//! Blocks, regrouped by row: counted first, so that a part of the rows that fits the buffer can be gathered at once.

use std::ops::Range;

use crate::graph::{Block, Blocks, NodeId, RowGroup};

/// Cuts `rows` into parts with at most `max_edges` edges each, or a single row.
pub(super) fn parts(blocks: &Blocks, rows: Range<NodeId>, max_edges: u64) -> Vec<Range<NodeId>> {
    let mut parts = Vec::new();
    let mut start = rows.start;
    let mut held = 0;
    for (row, count) in rows.clone().zip(counts(blocks, &rows)) {
        if held + count > max_edges && row > start {
            parts.push(start..row);
            (start, held) = (row, 0);
        }
        held += count;
    }
    if start < rows.end {
        parts.push(start..rows.end);
    }
    parts
}

/// Edges of each of `rows`.
fn counts(blocks: &Blocks, rows: &Range<NodeId>) -> Vec<u64> {
    let mut counts = vec![0; rows.len()];
    for block in &blocks.blocks {
        let n_columns = block.n_columns(blocks.intervals(block));
        each_row(block, rows, |row, _, _| counts[(row - rows.start) as usize] += n_columns);
    }
    counts
}

/// Calls `f` for every row of `block` that is one of `rows`, group by group, with the row's number in its group.
fn each_row(block: &Block, rows: &Range<NodeId>, mut f: impl FnMut(NodeId, RowGroup, u32)) {
    for group in block.groups() {
        let begin = rows.start.saturating_sub(group.first_row).div_ceil(block.row_step);
        let end = rows.end.saturating_sub(group.first_row).div_ceil(block.row_step).min(block.n_rows);
        (begin..end).for_each(|r| f(group.first_row + r * block.row_step, group, r));
    }
}

/// The edges of some consecutive rows, row by row. Reused from part to part.
#[derive(Default)]
pub(super) struct RowBuffer {
    ends: Vec<usize>,
    entries: Vec<(NodeId, f32)>,
}

impl RowBuffer {
    /// Replaces the contents by the edges of `rows`, each row's in stored order.
    pub(super) fn gather(&mut self, blocks: &Blocks, values: &[f32], rows: &Range<NodeId>) {
        // `ends[i]` begins as the first free place of row i and is its end when all blocks are in.
        self.ends.clear();
        let mut next = 0;
        for count in counts(blocks, rows) {
            self.ends.push(next);
            next += count as usize;
        }
        self.entries.clear();
        self.entries.resize(next, (0, 0.0));
        for block in &blocks.blocks {
            each_row(block, rows, |row, group, r| {
                let end = &mut self.ends[(row - rows.start) as usize];
                for interval in blocks.intervals(block) {
                    let stretch = block.stretch(group, r, interval);
                    for entry in stretch.columns().zip(stretch.weights(values)) {
                        self.entries[*end] = entry;
                        *end += 1;
                    }
                }
            });
        }
    }

    /// Calls `f` for each row in order, with its columns ascending and repeated ones summed.
    pub(super) fn each_row<E>(&mut self, mut f: impl FnMut(&[(NodeId, f32)]) -> Result<(), E>) -> Result<(), E> {
        let mut start = 0;
        for &end in &self.ends {
            let row = &mut self.entries[start..end];
            let n_columns = merge(row);
            f(&row[..n_columns])?;
            start = end;
        }
        Ok(())
    }
}

/// Sorts by column and sums repeated ones in front; returns how many are left.
fn merge(row: &mut [(NodeId, f32)]) -> usize {
    if row.is_sorted_by(|a, b| a.0 < b.0) {
        return row.len();
    }
    row.sort_by_key(|entry| entry.0);
    let mut n_columns = 0;
    let mut at = 0;
    while at < row.len() {
        let (column, mut sum) = (row[at].0, 0.0);
        while at < row.len() && row[at].0 == column {
            sum += f64::from(row[at].1);
            at += 1;
        }
        row[n_columns] = (column, sum as f32);
        n_columns += 1;
    }
    n_columns
}
