//! Diagonal blocks: pooling and depthwise convolution. One signed add per edge and lane group.

use super::{Fields, Isa, LANES, Spins, local, signed};
use crate::graph::{Block, Interval};

pub(super) fn add(isa: Isa, block: &Block, intervals: &[Interval], values: &[f32], spins: &Spins, fields: &mut Fields) {
    isa.run(|| add_lanes(block, intervals, values, spins, fields));
}

#[inline(always)]
fn add_lanes(block: &Block, intervals: &[Interval], values: &[f32], spins: &Spins, fields: &mut Fields) {
    let (n_groups, first_row) = (fields.n_groups(), fields.first_row());
    for a in 0..block.runs[0].count {
        for b in 0..block.runs[1].count {
            let (row, col_shift, value_shift) = block.group(a, b);
            for interval in intervals {
                let column = (interval.first_col + col_shift) as usize;
                for r in 0..block.n_rows as usize {
                    let weight = values[(interval.values + value_shift) as usize + r * block.row_stride as usize];
                    let at = (local(row, first_row) + r * block.row_step as usize) * n_groups;
                    for group in 0..n_groups {
                        let mask = spins.plane(group)[column + r];
                        let terms = signed(mask, [weight; LANES]);
                        let field = &mut fields.vectors_mut()[at + group];
                        field.iter_mut().zip(terms).for_each(|(field, term)| *field += term);
                    }
                }
            }
        }
    }
}
