//! Which channels of a layer meet which channels of a layer that it reads, and where their weights are, at one tap.
//!
//! What a block is over pixels is the product of two axes. This is the third factor: rows are channels of one pixel, columns
//! channels of another. A convolution without groups has one [`ChannelPairs`] for each layer that it reads, all rows by all
//! columns. It takes more where channels are not in order:
//!
//! ```text
//!  conv groups          each group's rows by its own columns
//!  shuffled channels    rows a constant step apart; a list for every step
//!  concatenation        the columns are the channels that come from this layer; their weights begin further on in the row
//!  depthwise, pooling   each channel meets itself: diagonal
//! ```
//!
//! The other direction swaps rows and columns: weights are then one apart from row to row, and a whole kernel row apart from
//! column to column.

use super::channel_order::ChannelOrder;
use super::element_map::Channel;
use super::filter::StoredKernel;
use crate::graph::PanelKind;

/// Rows of one layer's channels against columns of another's, for one tap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ChannelPairs {
    /// Dense or diagonal.
    pub kind: PanelKind,
    /// Node channel of the first row.
    pub first_row: u32,
    /// Number of rows.
    pub n_rows: u32,
    /// Node channels between rows, at least 1.
    pub row_step: u32,
    /// Values between rows.
    pub row_stride: u32,
    /// Values between columns.
    pub col_stride: u32,
    /// Runs of node channels.
    pub columns: Vec<ChannelInterval>,
}

impl ChannelPairs {
    /// ChannelInterval that one row meets per tap.
    pub fn n_columns(&self) -> u64 {
        match self.kind {
            PanelKind::Dense => self.columns.iter().map(|c| u64::from(c.len)).sum(),
            PanelKind::Diagonal => self.columns.len() as u64,
        }
    }
}

/// Consecutive node channels of the column layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ChannelInterval {
    /// First node channel.
    pub first: u32,
    /// How many.
    pub len: u32,
    /// Offset of the first row's weight for tap 0 and the first column.
    pub values: u64,
}

/// Which channels of a reader and of one contribution to its input meet: with the reader's channels as rows, and with the
/// source's.
pub(super) fn pairs(
    kernel: &StoredKernel,
    channels: &[Channel],
    reader: ChannelOrder,
    source: ChannelOrder,
) -> [Vec<ChannelPairs>; 2] {
    match kernel.kind {
        PanelKind::Diagonal => {
            let pairs = |swap: bool| {
                let pair = |c: &Channel| {
                    let (row, col) = (reader.node_channel(c.tensor), source.node_channel(c.source));
                    let value = kernel.base + u64::from(c.tensor) * kernel.out_stride;
                    if swap { (col, row, value) } else { (row, col, value) }
                };
                // By column, as the columns of a diagonal interval are consecutive.
                let mut pairs: Vec<_> = channels.iter().map(pair).collect();
                pairs.sort_by_key(|pair| pair.1);
                diagonal(&pairs)
            };
            [pairs(false), pairs(true)]
        }
        PanelKind::Dense => {
            let mut both = [Vec::new(), Vec::new()];
            for group in 0..kernel.groups {
                let first_output = group * kernel.group_outputs;
                let inputs = group * kernel.group_inputs..(group + 1) * kernel.group_inputs;
                let out_offset = |k: u32| u64::from(first_output + k) * kernel.out_stride;
                let outputs = (0..kernel.group_outputs).map(|k| (reader.node_channel(first_output + k), out_offset(k)));
                let outputs: Vec<_> = outputs.collect();
                // Channels are sorted by their number in the tensor, so that a conv group's are a range of the list.
                let at = |tensor: u32| channels.partition_point(|c| c.tensor < tensor);
                let inputs: Vec<_> = channels[at(inputs.start)..at(inputs.end)]
                    .iter()
                    .map(|c| (source.node_channel(c.source), u64::from(c.tensor - inputs.start)))
                    .collect();
                both[0].extend(dense(kernel.base, &outputs, &inputs, 1));
                both[1].extend(dense(kernel.base, &inputs, &outputs, kernel.out_stride));
            }
            both
        }
    }
}

/// Cuts (node channel, value offset) rows into progressions; each meets all columns, `col_stride` values apart.
fn dense(base: u64, rows: &[(u32, u64)], columns: &[(u32, u64)], col_stride: u64) -> Vec<ChannelPairs> {
    let mut runs: Vec<ChannelInterval> = Vec::new();
    for &(first, values) in columns {
        match runs.last_mut() {
            Some(run) if run.first + run.len == first && run.values + u64::from(run.len) * col_stride == values => {
                run.len += 1;
            }
            _ => runs.push(ChannelInterval { first, len: 1, values }),
        }
    }
    if runs.is_empty() {
        return Vec::new();
    }
    let pairs = |run: Progression| ChannelPairs {
        kind: PanelKind::Dense,
        first_row: run.first,
        n_rows: run.len,
        row_step: run.step,
        row_stride: run.stride as u32,
        col_stride: col_stride as u32,
        columns: runs.iter().map(|c| ChannelInterval { values: base + run.values + c.values, ..*c }).collect(),
    };
    progressions(rows).into_iter().map(pairs).collect()
}

/// Cuts (row, column, value) triples, by rising column, into intervals of consecutive columns and evenly spaced rows and values.
fn diagonal(triples: &[(u32, u32, u64)]) -> Vec<ChannelPairs> {
    let mut pairs = Vec::new();
    for run in triples.chunk_by(|a, b| a.1 + 1 == b.1) {
        let rows: Vec<_> = run.iter().map(|&(row, _, value)| (row, value)).collect();
        let mut first = run[0].1;
        for Progression { first: first_row, len, step, values, stride } in progressions(&rows) {
            pairs.push(ChannelPairs {
                kind: PanelKind::Diagonal,
                first_row,
                n_rows: len,
                row_step: step,
                row_stride: stride as u32,
                col_stride: 0,
                columns: vec![ChannelInterval { first, len, values }],
            });
            first += len;
        }
    }
    pairs
}

/// Evenly spaced rows with evenly spaced values.
#[derive(Clone, Copy)]
struct Progression {
    first: u32,
    len: u32,
    step: u32,
    values: u64,
    stride: u64,
}

/// Greedy cut into progressions of rising rows and non-falling values.
fn progressions(rows: &[(u32, u64)]) -> Vec<Progression> {
    let mut runs: Vec<Progression> = Vec::new();
    for &(row, values) in rows {
        if let Some(run) = runs.last_mut() {
            let last = (run.first + (run.len - 1) * run.step, run.values + u64::from(run.len - 1) * run.stride);
            // The second row fixes the steps, later ones must keep them.
            if row > last.0 && values >= last.1 {
                let (step, stride) = (row - last.0, values - last.1);
                if run.len == 1 || (step, stride) == (run.step, run.stride) {
                    *run = Progression { len: run.len + 1, step, stride, ..*run };
                    continue;
                }
            }
        }
        runs.push(Progression { first: row, len: 1, step: 1, values, stride: 0 });
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shuffled_rows_are_cut_where_the_step_changes() {
        let order = ChannelOrder::shuffled(6, 2);
        let rows: Vec<_> = (0..6).map(|k| (order.node_channel(k), 10 * u64::from(k))).collect();
        let runs: Vec<_> = progressions(&rows).iter().map(|r| (r.first, r.len, r.step, r.values, r.stride)).collect();
        assert_eq!(runs, [(0, 3, 2, 0, 10), (1, 3, 2, 30, 10)]);
    }
}
