//! Diagonal blocks: pooling and depthwise convolution. One signed add per edge and lane group.

use super::{Fields, Isa, LANES, Spins, bit_of_lane, local};
use crate::graph::{Block, Interval};

pub(super) fn add(isa: Isa, block: &Block, intervals: &[Interval], values: &[f32], spins: &Spins, fields: &mut Fields) {
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => super::x86::with_avx512(|| add_lanes(block, intervals, values, spins, fields)),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => super::x86::with_avx2(|| add_lanes(block, intervals, values, spins, fields)),
        Isa::Portable => add_lanes(block, intervals, values, spins, fields),
    }
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
                        add_signed(mask, weight, &mut fields.vectors_mut()[at + group]);
                    }
                }
            }
        }
    }
}

/// `field ± weight` by lane: plus where the lane's bit of `mask` is set.
#[inline(always)]
fn add_signed(mask: u16, weight: f32, field: &mut [f32; LANES]) {
    let bits = weight.to_bits();
    for (lane, field) in field.iter_mut().enumerate() {
        let down = !(u32::from(mask) >> bit_of_lane(lane)) << 31;
        *field += f32::from_bits(bits ^ down);
    }
}
