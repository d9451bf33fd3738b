//! The definition: what the fast paths must reproduce bit by bit. One row, one replica, one quad at a time.

use super::multiply::{Columns, multiply_add};
use super::{Fields, LANES, Spins, bit_of_lane, local};
use crate::graph::{Block, Blocks, Interval, PanelKind, RowGroup};

/// As [`super::Operands::add_blocks`], by the obvious loops.
pub fn add_blocks(blocks: &Blocks, values: &[f32], spins: &Spins, fields: &mut Fields) {
    for block in &blocks.blocks {
        for group in block.groups() {
            for (r, row) in block.rows(group) {
                let row = local(row, fields.first_row());
                for index in 0..fields.n_planes() {
                    let plane = fields.planes()[index];
                    let at = row * fields.n_planes() + index;
                    let field = &mut fields.vectors_mut()[at];
                    for (lane, field) in field.iter_mut().enumerate() {
                        let spin = |node: u32| spins.get(plane * LANES + bit_of_lane(lane), node);
                        *field = add_row(block, blocks.intervals(block), values, (group, r), spin, *field);
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
    (group, r): (RowGroup, u32),
    spin: impl Fn(u32) -> i8,
    mut field: f32,
) -> f32 {
    let mut terms = Vec::new();
    for interval in intervals {
        let stretch = block.stretch(group, r, interval);
        let signed = stretch.columns().zip(stretch.weights(values)).map(|(column, w)| f32::from(spin(column)) * w);
        match block.kind {
            PanelKind::Dense => terms.extend(signed),
            PanelKind::Diagonal => signed.for_each(|term| field += term),
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
    let first_row = fields.first_row();
    for group in block.groups() {
        for (r, row) in block.rows(group) {
            let field = &mut fields.vectors_mut()[local(row, first_row)];
            for interval in intervals {
                let stretch = block.stretch(group, r, interval);
                for (column, weight) in stretch.columns().zip(stretch.weights(values)) {
                    multiply_add(field, weight, &columns.vectors[local(column, columns.first)]);
                }
            }
        }
    }
}
