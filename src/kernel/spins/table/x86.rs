//! Tables with x86 vectors: the counterparts of [`super::portable`], reached only through an
//! [`Isa`](crate::kernel::Isa) that was detected on this machine.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::direct::{DirectTile, QuadSigns};
use super::sums::{SIGNS, SumTable};
use super::weights::TileWeights;
use crate::kernel::lanes::vector::{LANES, Line};
use crate::kernel::spins::tile::{BuiltTile, PackedPosition, split_rows};

pub(super) fn pack(masks: &[u16], packed: &mut Vec<u64>) {
    // SAFETY: both x86 instruction sets are offered only where BMI2 was detected.
    unsafe { pack_bmi2(masks, packed) }
}

#[target_feature(enable = "bmi2")]
fn pack_bmi2(masks: &[u16], packed: &mut Vec<u64>) {
    const NIBBLES: u64 = 0x1111_1111_1111_1111;
    let word = |q: &[u16]| {
        let bits = |b: usize| _pdep_u64(u64::from(q[b]), NIBBLES << b);
        bits(0) | bits(1) | bits(2) | bits(3)
    };
    packed.extend(masks.chunks_exact(4).map(word));
}

/// 512-bit vectors: a table is one register, and so is a field.
pub(super) mod avx512 {
    use super::*;

    pub(in super::super) fn build(weights: &TileWeights<'_>, tables: &mut [SumTable]) {
        // SAFETY: `Isa::Avx512` is offered only where AVX-512F and AVX-512DQ were detected.
        unsafe { build_tables(weights, tables) }
    }

    #[target_feature(enable = "avx512f,avx512dq")]
    fn build_tables(weights: &TileWeights<'_>, tables: &mut [SumTable]) {
        // SAFETY: a row of SIGNS is sixteen f32.
        let signs = SIGNS.map(|signs| unsafe { _mm512_loadu_ps(signs.as_ptr()) });
        let flip = |signs| _mm512_and_ps(signs, _mm512_set1_ps(-0.0));
        let signs = [signs[0], flip(signs[1]), signs[2], flip(signs[3])];
        for (quad, tables) in weights.quads().zip(tables.chunks_exact_mut(weights.n_rows())) {
            for (row, table) in tables.iter_mut().enumerate() {
                // SAFETY: there are `n_rows` tables for each quad, so the row exists.
                let w = quad.pointers(row).map(|w| unsafe { _mm512_set1_ps(*w) });
                // SAFETY: a table is sixteen f32, aligned.
                unsafe { _mm512_store_ps(table.0.as_mut_ptr(), sum_of_quad(signs, w)) };
            }
        }
    }

    /// `(±w₀ ± w₁) + (±w₂ ± w₃)`, the signs as in [`QuadSigns`]. A sign flip and a multiply-add whose product with a sign is
    /// exact: of all ways to add a pair the one that spreads best over the units of Zen 4.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq")]
    fn sum_of_quad(signs: [__m512; 4], w: [__m512; 4]) -> __m512 {
        let pair = |a: usize, b: usize| _mm512_fmadd_ps(signs[a], w[a], _mm512_xor_ps(w[b], signs[b]));
        _mm512_add_ps(pair(0, 1), pair(2, 3))
    }

    /// The signs of one position, quad by quad.
    pub(in super::super) fn expand(packed: &[u64], signs: &mut Vec<QuadSigns>) {
        signs.resize(packed.len(), [Line([0.0; LANES]); 4]);
        // SAFETY: `Isa::Avx512` is offered only where AVX-512F and AVX-512DQ were detected.
        unsafe { expand_words(packed, signs) }
    }

    #[target_feature(enable = "avx512f,avx512dq")]
    fn expand_words(packed: &[u64], signs: &mut [QuadSigns]) {
        for (&word, signs) in packed.iter().zip(signs) {
            let nibbles = _mm512_srlv_epi64(_mm512_set1_epi64(word as i64), nibble_shifts());
            for (b, line) in signs.iter_mut().enumerate() {
                // Bit `b` of a lane's nibble goes to the sign bit: set where the spin is up, and there the weight stays as it is.
                let up = _mm512_castsi512_ps(_mm512_sllv_epi32(nibbles, _mm512_set1_epi32(31 - b as i32)));
                let flip = _mm512_andnot_ps(up, _mm512_set1_ps(-0.0));
                let sign = if b % 2 == 0 { _mm512_or_ps(flip, _mm512_set1_ps(1.0)) } else { flip };
                // SAFETY: a line is sixteen f32, aligned.
                unsafe { _mm512_store_ps(line.0.as_mut_ptr(), sign) };
            }
        }
    }

    /// Adds a tile at its one position.
    pub(in super::super) fn add(tile: &DirectTile<'_>, fields: &mut [[f32; LANES]]) {
        let last = tile.first + (tile.weights.n_rows() - 1) * tile.row_step;
        assert!(last < fields.len(), "a block reaches outside its frame");
        // SAFETY: `Isa::Avx512` is offered only where AVX-512F and AVX-512DQ were detected; the vectors have been checked.
        unsafe { split_rows!(tile.weights.n_rows(), row => add_rows(tile, row, fields)) }
    }

    /// # Safety
    /// The vectors of all rows are in `fields`, and `row + R <= n_rows`.
    #[target_feature(enable = "avx512f,avx512dq")]
    unsafe fn add_rows<const R: usize>(tile: &DirectTile<'_>, row: usize, fields: &mut [[f32; LANES]]) {
        // SAFETY: the vectors of all rows are in range, and the weights have these rows.
        unsafe {
            let fields = fields.as_mut_ptr().cast::<f32>();
            let field = |r: usize| (tile.first + (row + r) * tile.row_step) * LANES;
            let mut sums: [__m512; R] = std::array::from_fn(|r| _mm512_loadu_ps(fields.add(field(r))));
            for (quad, signs) in tile.weights.quads().zip(tile.signs) {
                let signs: [__m512; 4] = std::array::from_fn(|b| _mm512_load_ps(signs[b].0.as_ptr()));
                for (r, sum) in sums.iter_mut().enumerate() {
                    let w = quad.pointers(row + r).map(|w| _mm512_set1_ps(*w));
                    *sum = _mm512_add_ps(*sum, sum_of_quad(signs, w));
                }
            }
            for (r, sum) in sums.iter().enumerate() {
                _mm512_storeu_ps(fields.add(field(r)), *sum);
            }
        }
    }

    /// Lane 2k is nibble k, lane 2k + 1 nibble 8 + k of a packed word.
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn nibble_shifts() -> __m512i {
        _mm512_setr_epi64(0, 4, 8, 12, 16, 20, 24, 28)
    }

    pub(in super::super) fn look_up<'a>(
        tile: &BuiltTile<'_, SumTable>,
        positions: impl Iterator<Item = PackedPosition<'a>>,
        fields: &mut [[f32; LANES]],
    ) {
        tile.check();
        for position in positions {
            tile.check_position(&position, fields);
            // SAFETY: `Isa::Avx512` is offered only where AVX-512F was detected; the position has been checked.
            unsafe { all_rows(tile, &position, fields) }
        }
    }

    /// # Safety
    /// [`BuiltTile`] has checked itself and the position.
    #[target_feature(enable = "avx512f")]
    unsafe fn all_rows(tile: &BuiltTile<'_, SumTable>, position: &PackedPosition<'_>, fields: &mut [[f32; LANES]]) {
        // SAFETY: as above.
        unsafe { split_rows!(tile.n_rows, row => some_rows(tile, position, row, fields)) }
    }

    /// # Safety
    /// As [`all_rows`], with `row + R <= n_rows`.
    #[target_feature(enable = "avx512f")]
    unsafe fn some_rows<const R: usize>(
        tile: &BuiltTile<'_, SumTable>,
        position: &PackedPosition<'_>,
        row: usize,
        fields: &mut [[f32; LANES]],
    ) {
        // A multiply-add in place of an addition, which on Zen 4 would compete with the permutes for a unit. The compiler
        // must not see that the factor is one.
        let one = std::hint::black_box(_mm512_set1_ps(1.0));
        // SAFETY: the vectors of all rows are in range, as are the tables of `n_rows` rows for each quad.
        unsafe {
            let fields = fields.as_mut_ptr().cast::<f32>();
            let field = |r: usize| tile.vector(position, row + r) * LANES;
            // The fields of all rows stay in registers while the quads go by.
            let mut sums: [__m512; R] = std::array::from_fn(|r| _mm512_loadu_ps(fields.add(field(r))));
            let mut tables = tile.pointer(row);
            for &word in position.words {
                // Every lane ends with its replica's nibble; the permute reads no bits above it.
                let index = _mm512_srlv_epi64(_mm512_set1_epi64(word as i64), nibble_shifts());
                for (r, sum) in sums.iter_mut().enumerate() {
                    // The table is in memory, one line of the first-level cache: it is loaded and permuted at once.
                    let entry = _mm512_permutexvar_ps(index, _mm512_load_ps(tables.add(r * LANES)));
                    *sum = _mm512_fmadd_ps(entry, one, *sum);
                }
                tables = tables.add(tile.n_rows * LANES);
            }
            for (r, sum) in sums.iter().enumerate() {
                _mm512_storeu_ps(fields.add(field(r)), *sum);
            }
        }
    }
}

/// 256-bit vectors: half a table is one register, and so is half a field.
pub(super) mod avx2 {
    use super::*;

    pub(in super::super) fn build(weights: &TileWeights<'_>, tables: &mut [SumTable]) {
        // SAFETY: `Isa::Avx2` is offered only where AVX2 and FMA were detected.
        unsafe { build_tables(weights, tables) }
    }

    /// The lower halves: the sums with `−w₃`.
    #[target_feature(enable = "avx2,fma")]
    fn build_tables(weights: &TileWeights<'_>, tables: &mut [SumTable]) {
        // SAFETY: a row of SIGNS is sixteen f32.
        let signs = SIGNS.map(|signs| unsafe { _mm256_loadu_ps(signs.as_ptr()) });
        let flip = _mm256_and_ps(signs[1], _mm256_set1_ps(-0.0));
        for (quad, tables) in weights.quads().zip(tables.chunks_exact_mut(weights.n_rows())) {
            for (row, table) in tables.iter_mut().enumerate() {
                // SAFETY: there are `n_rows` tables for each quad, so the row exists.
                let w = quad.pointers(row).map(|w| unsafe { _mm256_set1_ps(*w) });
                // `±w₀ ± w₁` and `±w₂ − w₃`: products with a sign are exact, so each is one rounded addition.
                let first = _mm256_fmadd_ps(signs[0], w[0], _mm256_xor_ps(w[1], flip));
                let second = _mm256_fmsub_ps(signs[2], w[2], w[3]);
                // SAFETY: a table is sixteen f32, aligned.
                unsafe { _mm256_store_ps(table.0.as_mut_ptr(), _mm256_add_ps(first, second)) };
            }
        }
    }

    pub(in super::super) fn look_up<'a>(
        tile: &BuiltTile<'_, SumTable>,
        positions: impl Iterator<Item = PackedPosition<'a>>,
        fields: &mut [[f32; LANES]],
    ) {
        tile.check();
        for position in positions {
            tile.check_position(&position, fields);
            // SAFETY: `Isa::Avx2` is offered only where AVX2 and FMA were detected; the position has been checked.
            unsafe { all_rows(tile, &position, fields) }
        }
    }

    /// # Safety
    /// [`BuiltTile`] has checked itself and the position.
    #[target_feature(enable = "avx2,fma")]
    unsafe fn all_rows(tile: &BuiltTile<'_, SumTable>, position: &PackedPosition<'_>, fields: &mut [[f32; LANES]]) {
        // SAFETY: as above.
        unsafe { split_rows!(tile.n_rows, row => some_rows(tile, position, row, fields)) }
    }

    /// Half a field at a time: with eight rows, eight accumulators.
    ///
    /// # Safety
    /// As [`all_rows`], with `row + R <= n_rows`.
    #[target_feature(enable = "avx2,fma")]
    unsafe fn some_rows<const R: usize>(
        tile: &BuiltTile<'_, SumTable>,
        position: &PackedPosition<'_>,
        row: usize,
        fields: &mut [[f32; LANES]],
    ) {
        // Lane 2k is nibble k, lane 2k + 1 nibble 8 + k, as in the 512-bit form.
        let shifts = [_mm256_setr_epi64x(0, 4, 8, 12), _mm256_setr_epi64x(16, 20, 24, 28)];
        for (half, shifts) in shifts.into_iter().enumerate() {
            // SAFETY: the vectors of all rows are in range, as are the tables of `n_rows` rows for each quad.
            unsafe {
                let fields = fields.as_mut_ptr().cast::<f32>().add(8 * half);
                let field = |r: usize| tile.vector(position, row + r) * LANES;
                let mut sums: [__m256; R] = std::array::from_fn(|r| _mm256_loadu_ps(fields.add(field(r))));
                let mut tables = tile.pointer(row);
                for &word in position.words {
                    // Every lane ends with its replica's nibble. Of that the permute reads three bits, the place in the lower
                    // half of the table; the fourth is set where `s₃ = +1`, and there the entry is subtracted.
                    let index = _mm256_srlv_epi64(_mm256_set1_epi64x(word as i64), shifts);
                    let last = _mm256_castsi256_ps(_mm256_slli_epi32::<28>(index));
                    let sign = _mm256_or_ps(_mm256_and_ps(last, _mm256_set1_ps(-0.0)), _mm256_set1_ps(1.0));
                    for (r, sum) in sums.iter_mut().enumerate() {
                        let entry = _mm256_permutevar8x32_ps(_mm256_load_ps(tables.add(r * LANES)), index);
                        // The product with a sign is exact, so this is an addition.
                        *sum = _mm256_fmadd_ps(entry, sign, *sum);
                    }
                    tables = tables.add(tile.n_rows * LANES);
                }
                for (r, sum) in sums.iter().enumerate() {
                    _mm256_storeu_ps(fields.add(field(r)), *sum);
                }
            }
        }
    }
}
