//! Sums of pairs with 512-bit vectors: the counterparts of [`super::portable`], reached only through
//! [`Isa::Avx512`](crate::kernel::Isa::Avx512).
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::pairs::PairSums;
use super::weights::LaneWeights;
use crate::kernel::lanes::vector::LANES;
use crate::kernel::spins::tile::{BuiltTile, PackedPosition, split_rows};

/// Both sums of every pair of columns.
pub(super) fn build(weights: &LaneWeights<'_>, pairs: &mut [PairSums]) {
    // SAFETY: `Isa::Avx512` is offered only where AVX-512F and AVX-512DQ were detected.
    unsafe { sums_of_pairs(weights, pairs) }
}

#[target_feature(enable = "avx512f,avx512dq")]
fn sums_of_pairs(weights: &LaneWeights<'_>, pairs: &mut [PairSums]) {
    let values = weights.values();
    // SAFETY: sixteen u32.
    let graphs = unsafe { _mm512_loadu_si512(values.graphs().as_ptr().cast()) };
    for (quad, pairs) in weights.quads().zip(pairs.chunks_exact_mut(weights.n_rows())) {
        for (row, pairs) in pairs.iter_mut().enumerate() {
            let mut w = [_mm512_setzero_ps(); 4];
            for (w, offset) in w.iter_mut().zip(quad) {
                // SAFETY: the offsets of all rows are in range.
                let of_graphs = unsafe { _mm512_loadu_ps(values.pointer(offset + weights.shift(row))) };
                *w = _mm512_permutexvar_ps(graphs, of_graphs);
            }
            let [first, second] = [[w[0], w[1]], [w[2], w[3]]].map(|[a, b]| [_mm512_add_ps(a, b), _mm512_sub_ps(a, b)]);
            for (line, sum) in pairs.iter_mut().zip(first.into_iter().chain(second)) {
                // SAFETY: a line is sixteen f32, aligned.
                unsafe { _mm512_store_ps(line.0.as_mut_ptr(), sum) };
            }
        }
    }
}

/// Adds a tile at `P` positions at once, which share what they load.
pub(super) fn add<const P: usize>(
    tile: &BuiltTile<'_, PairSums>,
    positions: [PackedPosition<'_>; P],
    fields: &mut [[f32; LANES]],
) {
    tile.check();
    positions.iter().for_each(|position| tile.check_position(position, fields));
    // SAFETY: `Isa::Avx512` is offered only where AVX-512F and AVX-512DQ were detected; the positions have been checked.
    unsafe { split_rows!(tile.n_rows, row => add_rows::<P>(tile, row, &positions, fields)) }
}

/// # Safety
/// [`BuiltTile`] has checked itself and the positions, and `row + R <= n_rows`.
#[target_feature(enable = "avx512f,avx512dq")]
unsafe fn add_rows<const R: usize, const P: usize>(
    tile: &BuiltTile<'_, PairSums>,
    row: usize,
    positions: &[PackedPosition<'_>; P],
    fields: &mut [[f32; LANES]],
) {
    // SAFETY: the vectors of all rows are in range, and so are the sums of `n_rows` rows and the words of each quad.
    unsafe {
        let fields = fields.as_mut_ptr().cast::<f32>();
        let field = |p: usize, r: usize| tile.vector(&positions[p], row + r) * LANES;
        // Eight rows at two positions: sixteen accumulators, which leaves as many registers for what they share.
        let mut sums = [[_mm512_setzero_ps(); P]; R];
        for (r, sums) in sums.iter_mut().enumerate() {
            sums.iter_mut().enumerate().for_each(|(p, sum)| *sum = _mm512_loadu_ps(fields.add(field(p, r))));
        }
        let sign = |mask: u64| _mm512_mask_blend_ps(mask as __mmask16, _mm512_set1_ps(-1.0), _mm512_set1_ps(1.0));
        let mut pairs = tile.pointer(row);
        for quad in 0..tile.n_quads {
            // The four masks of a word become two vectors of signs and two choices; what `words` are is said in `pairs.rs`.
            let words: [u64; P] = std::array::from_fn(|p| *positions[p].words.get_unchecked(quad));
            let up: [__m512; P] = std::array::from_fn(|p| sign(words[p]));
            let same: [__m512; P] = std::array::from_fn(|p| sign(words[p] >> 48));
            for (r, sums) in sums.iter_mut().enumerate() {
                let of_row = pairs.add(4 * r * LANES);
                let (sum01, difference01) = (_mm512_load_ps(of_row), _mm512_load_ps(of_row.add(LANES)));
                let (sum23, difference23) =
                    (_mm512_load_ps(of_row.add(2 * LANES)), _mm512_load_ps(of_row.add(3 * LANES)));
                for (p, sum) in sums.iter_mut().enumerate() {
                    let first = _mm512_mask_blend_ps((words[p] >> 16) as __mmask16, difference01, sum01);
                    let second = _mm512_mask_blend_ps((words[p] >> 32) as __mmask16, difference23, sum23);
                    // Products with a sign are exact, so these are additions.
                    *sum = _mm512_fmadd_ps(up[p], _mm512_fmadd_ps(same[p], second, first), *sum);
                }
            }
            pairs = pairs.add(4 * tile.n_rows * LANES);
        }
        for (r, sums) in sums.iter().enumerate() {
            sums.iter().enumerate().for_each(|(p, sum)| _mm512_storeu_ps(fields.add(field(p, r)), *sum));
        }
    }
}
