//! The definition: what the fast paths must reproduce bit by bit. One row, one replica, one quad at a time.

use super::multiply::{Columns, multiply_add};
use super::{Fields, LANES, Spins, bit_of_lane, local};
use crate::graph::{Block, Blocks, Interval, PanelKind};

/// As [`super::add_blocks`], by the obvious loops.
pub fn add_blocks(blocks: &Blocks, values: &[f32], spins: &Spins, fields: &mut Fields) {
    for block in &blocks.blocks {
        for a in 0..block.runs[0].count {
            for b in 0..block.runs[1].count {
                for r in 0..block.n_rows {
                    let row = local(block.group(a, b).0 + r * block.row_step, fields.first_row());
                    for index in 0..fields.n_groups() {
                        let group = fields.groups()[index];
                        let at = row * fields.n_groups() + index;
                        let field = &mut fields.vectors_mut()[at];
                        for (lane, field) in field.iter_mut().enumerate() {
                            let spin = |node: u32| spins.get(group * LANES + bit_of_lane(lane), node);
                            *field = add_row(block, blocks.intervals(block), values, (a, b, r), spin, *field);
                        }
                    }
                }
            }
        }
    }
}

/// `field` plus one row's sum over the block, for one replica.
fn add_row(
    block: &Block,
    intervals: &[Interval],
    values: &[f32],
    (a, b, r): (u32, u32, u32),
    spin: impl Fn(u32) -> i8,
    mut field: f32,
) -> f32 {
    let (_, col_shift, value_shift) = block.group(a, b);
    let mut terms = Vec::new();
    for interval in intervals {
        let value = |k: u32| {
            let at = interval.values + value_shift + u64::from(r) * u64::from(block.row_stride);
            values[(at + u64::from(k) * u64::from(block.col_stride)) as usize]
        };
        let column = interval.first_col + col_shift;
        match block.kind {
            PanelKind::Dense => terms.extend((0..interval.len).map(|k| f32::from(spin(column + k)) * value(k))),
            PanelKind::Diagonal => field += f32::from(spin(column + r)) * value(0),
        }
    }
    for quad in terms.chunks(4) {
        let w = |i: usize| quad.get(i).copied().unwrap_or(0.0);
        field += (w(0) + w(1)) + (w(2) + w(3));
    }
    field
}

/// As [`super::multiply()`], by the obvious loops: one row, one edge at a time.
pub fn multiply(block: &Block, intervals: &[Interval], values: &[f32], columns: Columns<'_>, fields: &mut Fields) {
    for a in 0..block.runs[0].count {
        for b in 0..block.runs[1].count {
            let (first_row, col_shift, value_shift) = block.group(a, b);
            for r in 0..block.n_rows {
                let row = local(first_row + r * block.row_step, fields.first_row());
                let field = &mut fields.vectors_mut()[row];
                for interval in intervals {
                    let value = interval.values + value_shift + u64::from(r) * u64::from(block.row_stride);
                    let column = local(interval.first_col + col_shift, columns.first);
                    let mut add = |k: u64, column: usize| {
                        let weight = values[(value + k * u64::from(block.col_stride)) as usize];
                        multiply_add(field, weight, &columns.vectors[column]);
                    };
                    match block.kind {
                        PanelKind::Dense => (0..interval.len).for_each(|k| add(u64::from(k), column + k as usize)),
                        PanelKind::Diagonal => add(0, column + r as usize),
                    }
                }
            }
        }
    }
}
