//! The definition: what the fast paths must reproduce bit by bit. One row, one replica, one quad at a time.

use crate::graph::{Block, Blocks, Interval, NodeId, PanelKind, RowGroup};
use crate::kernel::{Fields, LANES, Spins, bit_of_lane};

/// As [`Operands::add_blocks`](crate::kernel::Operands::add_blocks), by the obvious loops.
pub fn add_blocks(blocks: &Blocks, values: &[f32], spins: &Spins, fields: &mut Fields) {
    for block in &blocks.blocks {
        let intervals = blocks.intervals(block);
        for group in block.groups() {
            for (r, row) in block.rows(group) {
                let of_row = Row { block, intervals, values, group, r };
                for index in 0..fields.n_planes() {
                    let plane = fields.planes()[index];
                    let at = fields.vector_of(row) + index;
                    for (lane, field) in fields.vectors_mut()[at].iter_mut().enumerate() {
                        *field = of_row.add(|node| spins.get(plane * LANES + bit_of_lane(lane), node), *field);
                    }
                }
            }
        }
    }
}

/// One row of a block.
struct Row<'a> {
    block: &'a Block,
    intervals: &'a [Interval],
    values: &'a [f32],
    group: RowGroup,
    r: u32,
}

impl Row<'_> {
    /// `field` plus the row's sum over the block, for one replica.
    fn add(&self, spin: impl Fn(NodeId) -> i8, mut field: f32) -> f32 {
        let mut terms = Vec::new();
        for interval in self.intervals {
            let stretch = self.block.stretch(self.group, self.r, interval);
            let weights = stretch.weights(self.values);
            let signed = stretch.columns().zip(weights).map(|(column, w)| f32::from(spin(column)) * w);
            match self.block.kind {
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
}
