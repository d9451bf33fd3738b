//! Tables with aarch64 vectors: half a field is two registers, and so is the half of a table that is looked up. The
//! counterparts of [`super::portable`], reached only through [`Isa::Neon`](crate::kernel::Isa::Neon).
#![allow(unsafe_code)]

use std::arch::aarch64::*;

use super::sums::{SIGNS, SumTable};
use super::weights::TileWeights;
use crate::kernel::lanes::vector::LANES;
use crate::kernel::spins::tile::{BuiltTile, PackedPosition, split_rows};

/// The lower halves: the sums with `−w₃`.
pub(super) fn build(weights: &TileWeights<'_>, tables: &mut [SumTable]) {
    for (quad, tables) in weights.quads().zip(tables.chunks_exact_mut(weights.n_rows())) {
        for (row, table) in tables.iter_mut().enumerate() {
            // SAFETY: there are `n_rows` tables for each quad, so the row exists; a row of SIGNS and a table are sixteen f32. Products with a
            // sign are exact.
            unsafe {
                let w = quad.pointers(row).map(|w| *w);
                let first = vmulq_n_f32(vld1q_f32(SIGNS[1].as_ptr()), w[1]);
                let first = vfmaq_n_f32(first, vld1q_f32(SIGNS[0].as_ptr()), w[0]);
                vst1q_f32(table.0.as_mut_ptr(), vaddq_f32(first, vdupq_n_f32(-w[2] - w[3])));
                vst1q_f32(table.0.as_mut_ptr().add(4), vaddq_f32(first, vdupq_n_f32(w[2] - w[3])));
            }
        }
    }
}

pub(super) fn look_up<'a>(
    tile: &BuiltTile<'_, SumTable>,
    positions: impl Iterator<Item = PackedPosition<'a>>,
    fields: &mut [[f32; LANES]],
) {
    tile.check();
    for position in positions {
        tile.check_position(&position, fields);
        // SAFETY: `Isa::Neon` is offered only where NEON was detected; the position has been checked.
        unsafe { split_rows!(tile.n_rows, row => some_rows(tile, &position, row, fields)) }
    }
}

/// # Safety
/// [`BuiltTile`] has checked itself and the position, and `row + R <= n_rows`.
unsafe fn some_rows<const R: usize>(
    tile: &BuiltTile<'_, SumTable>,
    position: &PackedPosition<'_>,
    row: usize,
    fields: &mut [[f32; LANES]],
) {
    for half in 0..2 {
        // SAFETY: as above; a vector has two halves of eight lanes.
        unsafe { half_rows::<R>(tile, position, [row, half], fields) }
    }
}

/// Eight of the sixteen lanes: with eight rows, sixteen accumulators.
///
/// # Safety
/// As [`some_rows`], with `half < 2`.
unsafe fn half_rows<const R: usize>(
    tile: &BuiltTile<'_, SumTable>,
    position: &PackedPosition<'_>,
    [row, half]: [usize; 2],
    fields: &mut [[f32; LANES]],
) {
    // SAFETY: the vectors of all rows are in range, as are the tables of `n_rows` rows for each quad.
    unsafe {
        let shifts = shifts(half);
        let fields = fields.as_mut_ptr().cast::<f32>().add(8 * half);
        let at = |r: usize| tile.vector(position, row + r) * LANES;
        let mut sums = [[vdupq_n_f32(0.0); 2]; R];
        for (r, sums) in sums.iter_mut().enumerate() {
            *sums = [vld1q_f32(fields.add(at(r))), vld1q_f32(fields.add(at(r) + 4))];
        }
        let mut tables = tile.pointer(row);
        for &word in position.words {
            // For twice four lanes: where the sum is in the lower half of a table, and whether it is subtracted.
            let [(index0, sign0), (index1, sign1)] = unpack(word, shifts);
            for (r, sums) in sums.iter_mut().enumerate() {
                let table = tables.add(r * LANES).cast::<u8>();
                let table = uint8x16x2_t(vld1q_u8(table), vld1q_u8(table.add(16)));
                // The product with a sign is exact, so this is an addition.
                sums[0] = vfmaq_f32(sums[0], vreinterpretq_f32_u8(vqtbl2q_u8(table, index0)), sign0);
                sums[1] = vfmaq_f32(sums[1], vreinterpretq_f32_u8(vqtbl2q_u8(table, index1)), sign1);
            }
            tables = tables.add(tile.n_rows * LANES);
        }
        for (r, sums) in sums.iter().enumerate() {
            vst1q_f32(fields.add(at(r)), sums[0]);
            vst1q_f32(fields.add(at(r) + 4), sums[1]);
        }
    }
}

/// By how much to shift a packed word (to the left) for the first four lanes of a half: lane 2k is nibble k, lane
/// 2k + 1 nibble 8 + k, so the lower and the upper half of the word take turns.
fn shifts(half: usize) -> int32x4_t {
    let first = -16 * half as i32;
    let shifts = [first, first, first - 4, first - 4];
    // SAFETY: four i32.
    unsafe { vld1q_s32(shifts.as_ptr()) }
}

/// From a packed word, for twice four lanes: which bytes of the half table are the lane's sum, and its sign ±1.
#[inline(always)]
fn unpack(word: u64, shifts: int32x4_t) -> [(uint8x16_t, float32x4_t); 2] {
    // SAFETY: `Isa::Neon` is offered only where NEON was detected.
    unsafe {
        let nibbles = vshlq_u32(vreinterpretq_u32_u64(vdupq_n_u64(word)), shifts);
        [unpack_nibbles(nibbles), unpack_nibbles(vshrq_n_u32::<8>(nibbles))]
    }
}

/// The lowest nibble of each lane: three bits of index, and the sign.
#[inline(always)]
fn unpack_nibbles(nibbles: uint32x4_t) -> (uint8x16_t, float32x4_t) {
    // SAFETY: `Isa::Neon` is offered only where NEON was detected.
    unsafe {
        // Entry `i` is bytes 4i, 4i + 1, 4i + 2, 4i + 3.
        let index = vmlaq_n_u32(vdupq_n_u32(0x0302_0100), vandq_u32(nibbles, vdupq_n_u32(7)), 0x0404_0404);
        let minus = vshlq_n_u32::<31>(vshrq_n_u32::<3>(nibbles));
        let sign = vorrq_u32(vreinterpretq_u32_f32(vdupq_n_f32(1.0)), minus);
        (vreinterpretq_u8_u32(index), vreinterpretq_f32_u32(sign))
    }
}
