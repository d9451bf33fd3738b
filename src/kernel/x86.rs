//! Dense tiles with x86 vectors. Each function is the counterpart of one in [`super::portable`], and is reached only
//! through an [`super::Isa`] that was detected on this machine.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::dense::{ItemOfTile, SIGNS, Signs, Single, Table, Tile, split_rows};
use super::lanewise;
use super::weights::Weights;
use super::{LANES, Line};

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

    pub(in super::super) fn build(weights: &Weights<'_>, tables: &mut [Table]) {
        // SAFETY: `Isa::Avx512` is offered only where AVX-512F and AVX-512DQ were detected.
        unsafe { build_tables(weights, tables) }
    }

    #[target_feature(enable = "avx512f,avx512dq")]
    fn build_tables(weights: &Weights<'_>, tables: &mut [Table]) {
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

    /// `(±w₀ ± w₁) + (±w₂ ± w₃)`, the signs as in [`Signs`]. A sign flip and a multiply-add whose product with a sign is
    /// exact: of all ways to add a pair the one that spreads best over the units of Zen 4.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq")]
    fn sum_of_quad(signs: [__m512; 4], w: [__m512; 4]) -> __m512 {
        let pair = |a: usize, b: usize| _mm512_fmadd_ps(signs[a], w[a], _mm512_xor_ps(w[b], signs[b]));
        _mm512_add_ps(pair(0, 1), pair(2, 3))
    }

    /// The signs of one item, quad by quad.
    pub(in super::super) fn expand(packed: &[u64], signs: &mut Vec<Signs>) {
        signs.resize(packed.len(), [Line([0.0; LANES]); 4]);
        // SAFETY: `Isa::Avx512` is offered only where AVX-512F and AVX-512DQ were detected.
        unsafe { expand_words(packed, signs) }
    }

    #[target_feature(enable = "avx512f,avx512dq")]
    fn expand_words(packed: &[u64], signs: &mut [Signs]) {
        for (&word, signs) in packed.iter().zip(signs) {
            let nibbles = _mm512_srlv_epi64(_mm512_set1_epi64(word as i64), nibble_shifts());
            for (b, line) in signs.iter_mut().enumerate() {
                let up = _mm512_castsi512_ps(_mm512_sllv_epi32(nibbles, _mm512_set1_epi32(31 - b as i32)));
                let flip = _mm512_andnot_ps(up, _mm512_set1_ps(-0.0));
                let sign = if b % 2 == 0 { _mm512_or_ps(flip, _mm512_set1_ps(1.0)) } else { flip };
                // SAFETY: a line is sixteen f32, aligned.
                unsafe { _mm512_store_ps(line.0.as_mut_ptr(), sign) };
            }
        }
    }

    /// Adds a panel for one item: per row and quad six operations, where a table takes five to build and two to look up.
    pub(in super::super) fn add(single: &Single<'_>, fields: &mut [[f32; LANES]]) {
        let last = single.first + (single.weights.n_rows() - 1) * single.field_step;
        assert!(last < fields.len(), "a block reaches outside its frame");
        // SAFETY: `Isa::Avx512` is offered only where AVX-512F and AVX-512DQ were detected; the vectors have been checked.
        unsafe { split_rows!(single.weights.n_rows(), add_rows, single, fields) }
    }

    /// # Safety
    /// The vectors of all rows are in `fields`, and `row + R <= n_rows`.
    #[target_feature(enable = "avx512f,avx512dq")]
    unsafe fn add_rows<const R: usize>(single: &Single<'_>, row: usize, fields: &mut [[f32; LANES]]) {
        // SAFETY: the vectors of all rows are in range, and the weights have these rows.
        unsafe {
            let fields = fields.as_mut_ptr().cast::<f32>();
            let field = |r: usize| (single.first + (row + r) * single.field_step) * LANES;
            let mut sums: [__m512; R] = std::array::from_fn(|r| _mm512_loadu_ps(fields.add(field(r))));
            for (quad, signs) in single.weights.quads().zip(single.signs) {
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

    /// Both sums of every pair of columns.
    pub(in super::super) fn build_sums(weights: &lanewise::Weights<'_>, sums: &mut [lanewise::Sums]) {
        // SAFETY: `Isa::Avx512` is offered only where AVX-512F and AVX-512DQ were detected.
        unsafe { sums_of_pairs(weights, sums) }
    }

    #[target_feature(enable = "avx512f,avx512dq")]
    fn sums_of_pairs(weights: &lanewise::Weights<'_>, sums: &mut [lanewise::Sums]) {
        let values = weights.values();
        // SAFETY: sixteen u32.
        let graphs = unsafe { _mm512_loadu_si512(values.graphs().as_ptr().cast()) };
        for (quad, sums) in weights.quads().zip(sums.chunks_exact_mut(weights.n_rows)) {
            for (row, sums) in sums.iter_mut().enumerate() {
                let mut w = [_mm512_setzero_ps(); 4];
                for (w, offset) in w.iter_mut().zip(quad) {
                    // SAFETY: the offsets of all rows are in range.
                    let of_graphs = unsafe { _mm512_loadu_ps(values.pointer(offset + weights.shift(row))) };
                    *w = _mm512_permutexvar_ps(graphs, of_graphs);
                }
                let [p, q] = [_mm512_add_ps(w[0], w[1]), _mm512_add_ps(w[2], w[3])];
                let [m, n] = [_mm512_sub_ps(w[0], w[1]), _mm512_sub_ps(w[2], w[3])];
                for (line, sum) in sums.iter_mut().zip([p, m, q, n]) {
                    // SAFETY: a line is sixteen f32, aligned.
                    unsafe { _mm512_store_ps(line.0.as_mut_ptr(), sum) };
                }
            }
        }
    }

    /// Adds a tile to `I` items at once, which share what they load.
    pub(in super::super) fn add_sums<const I: usize>(
        tile: &lanewise::Tile<'_>,
        items: [lanewise::ItemOfTile<'_>; I],
        fields: &mut [[f32; LANES]],
    ) {
        items.iter().for_each(|item| tile.check(*item, fields));
        // SAFETY: `Isa::Avx512` is offered only where AVX-512F and AVX-512DQ were detected; the items have been checked.
        unsafe {
            let mut row = 0;
            while row < tile.n_rows {
                match tile.n_rows - row {
                    8.. => (add_sums_rows::<8, I>(tile, row, &items, fields), row += 8),
                    4.. => (add_sums_rows::<4, I>(tile, row, &items, fields), row += 4),
                    2.. => (add_sums_rows::<2, I>(tile, row, &items, fields), row += 2),
                    _ => (add_sums_rows::<1, I>(tile, row, &items, fields), row += 1),
                };
            }
        }
    }

    /// # Safety
    /// [`lanewise::Tile::check`] has accepted the items, and `row + R <= n_rows`.
    #[target_feature(enable = "avx512f,avx512dq")]
    unsafe fn add_sums_rows<const R: usize, const I: usize>(
        tile: &lanewise::Tile<'_>,
        row: usize,
        items: &[lanewise::ItemOfTile<'_>; I],
        fields: &mut [[f32; LANES]],
    ) {
        // SAFETY: the vectors of all rows are in range, and so are the sums of `n_rows` rows and the words of each quad.
        unsafe {
            let fields = fields.as_mut_ptr().cast::<f32>();
            let field = |i: usize, r: usize| (items[i].first + (row + r) * tile.field_step) * LANES;
            let mut sums = [[_mm512_setzero_ps(); I]; R];
            for (r, sums) in sums.iter_mut().enumerate() {
                sums.iter_mut().enumerate().for_each(|(i, sum)| *sum = _mm512_loadu_ps(fields.add(field(i, r))));
            }
            let sign = |mask: u64| _mm512_mask_blend_ps(mask as __mmask16, _mm512_set1_ps(-1.0), _mm512_set1_ps(1.0));
            let mut pairs: *const f32 = tile.sums.as_ptr().add(row).cast();
            for quad in 0..tile.n_quads {
                let words: [u64; I] = std::array::from_fn(|i| *items[i].words.get_unchecked(quad));
                let up: [__m512; I] = std::array::from_fn(|i| sign(words[i]));
                let same: [__m512; I] = std::array::from_fn(|i| sign(words[i] >> 48));
                for (r, sums) in sums.iter_mut().enumerate() {
                    let of_row = pairs.add(4 * r * LANES);
                    let (p, m) = (_mm512_load_ps(of_row), _mm512_load_ps(of_row.add(LANES)));
                    let (q, n) = (_mm512_load_ps(of_row.add(2 * LANES)), _mm512_load_ps(of_row.add(3 * LANES)));
                    for (i, sum) in sums.iter_mut().enumerate() {
                        let first = _mm512_mask_blend_ps((words[i] >> 16) as __mmask16, m, p);
                        let second = _mm512_mask_blend_ps((words[i] >> 32) as __mmask16, n, q);
                        // Products with a sign are exact, so these are additions.
                        *sum = _mm512_fmadd_ps(up[i], _mm512_fmadd_ps(same[i], second, first), *sum);
                    }
                }
                pairs = pairs.add(4 * tile.n_rows * LANES);
            }
            for (r, sums) in sums.iter().enumerate() {
                sums.iter().enumerate().for_each(|(i, sum)| _mm512_storeu_ps(fields.add(field(i, r)), *sum));
            }
        }
    }

    /// Lane 2k is nibble k, lane 2k + 1 nibble 8 + k of a packed word.
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn nibble_shifts() -> __m512i {
        _mm512_setr_epi64(0, 4, 8, 12, 16, 20, 24, 28)
    }

    pub(in super::super) fn look_up(
        tile: &Tile<'_>,
        items: impl ExactSizeIterator<Item = usize>,
        packed: &[u64],
        fields: &mut [[f32; LANES]],
    ) {
        // SAFETY: `Isa::Avx512` is offered only where AVX-512F was detected; the item has been checked.
        tile.each_item(items, packed, fields, |item, fields| unsafe { all_rows(item, fields) });
    }

    /// # Safety
    /// The item comes from [`Tile::each_item`].
    #[target_feature(enable = "avx512f")]
    unsafe fn all_rows(item: &ItemOfTile<'_>, fields: &mut [[f32; LANES]]) {
        // SAFETY: as above.
        unsafe { split_rows!(item.tile.n_rows, some_rows, item, fields) }
    }

    /// # Safety
    /// As [`all_rows`], with `row + R <= n_rows`.
    #[target_feature(enable = "avx512f")]
    unsafe fn some_rows<const R: usize>(item: &ItemOfTile<'_>, row: usize, fields: &mut [[f32; LANES]]) {
        // A multiply-add in place of an addition, which on Zen 4 would compete with the permutes for a unit. The compiler
        // must not see that the factor is one.
        let one = std::hint::black_box(_mm512_set1_ps(1.0));
        // SAFETY: the vectors of all rows are in range, as are the tables of `n_rows` rows for each quad.
        unsafe {
            let fields = fields.as_mut_ptr().cast::<f32>();
            let field = |r: usize| item.vector(row + r) * LANES;
            let mut sums: [__m512; R] = std::array::from_fn(|r| _mm512_loadu_ps(fields.add(field(r))));
            let mut tables = item.tables(row);
            for &word in item.words {
                let index = _mm512_srlv_epi64(_mm512_set1_epi64(word as i64), nibble_shifts());
                for (r, sum) in sums.iter_mut().enumerate() {
                    let entry = _mm512_permutexvar_ps(index, _mm512_load_ps(tables.add(r * LANES)));
                    *sum = _mm512_fmadd_ps(entry, one, *sum);
                }
                tables = tables.add(item.tile.n_rows * LANES);
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

    pub(in super::super) fn build(weights: &Weights<'_>, tables: &mut [Table]) {
        // SAFETY: `Isa::Avx2` is offered only where AVX2 and FMA were detected.
        unsafe { build_tables(weights, tables) }
    }

    /// The lower halves: the sums with `−w₃`.
    #[target_feature(enable = "avx2,fma")]
    fn build_tables(weights: &Weights<'_>, tables: &mut [Table]) {
        // SAFETY: a row of SIGNS is sixteen f32.
        let signs = SIGNS.map(|signs| unsafe { _mm256_loadu_ps(signs.as_ptr()) });
        let flip = _mm256_and_ps(signs[1], _mm256_set1_ps(-0.0));
        for (quad, tables) in weights.quads().zip(tables.chunks_exact_mut(weights.n_rows())) {
            for (row, table) in tables.iter_mut().enumerate() {
                // SAFETY: there are `n_rows` tables for each quad, so the row exists.
                let w = quad.pointers(row).map(|w| unsafe { _mm256_set1_ps(*w) });
                let first = _mm256_fmadd_ps(signs[0], w[0], _mm256_xor_ps(w[1], flip));
                let second = _mm256_fmsub_ps(signs[2], w[2], w[3]);
                // SAFETY: a table is sixteen f32, aligned.
                unsafe { _mm256_store_ps(table.0.as_mut_ptr(), _mm256_add_ps(first, second)) };
            }
        }
    }

    pub(in super::super) fn look_up(
        tile: &Tile<'_>,
        items: impl ExactSizeIterator<Item = usize>,
        packed: &[u64],
        fields: &mut [[f32; LANES]],
    ) {
        // SAFETY: `Isa::Avx2` is offered only where AVX2 and FMA were detected; the item has been checked.
        tile.each_item(items, packed, fields, |item, fields| unsafe { all_rows(item, fields) });
    }

    /// # Safety
    /// The item comes from [`Tile::each_item`].
    #[target_feature(enable = "avx2,fma")]
    unsafe fn all_rows(item: &ItemOfTile<'_>, fields: &mut [[f32; LANES]]) {
        // SAFETY: as above.
        unsafe { split_rows!(item.tile.n_rows, some_rows, item, fields) }
    }

    /// Half a field at a time: with eight rows, eight accumulators.
    ///
    /// # Safety
    /// As [`all_rows`], with `row + R <= n_rows`.
    #[target_feature(enable = "avx2,fma")]
    unsafe fn some_rows<const R: usize>(item: &ItemOfTile<'_>, row: usize, fields: &mut [[f32; LANES]]) {
        // Lane 2k is nibble k, lane 2k + 1 nibble 8 + k, as in the 512-bit form.
        let shifts = [_mm256_setr_epi64x(0, 4, 8, 12), _mm256_setr_epi64x(16, 20, 24, 28)];
        for (half, shifts) in shifts.into_iter().enumerate() {
            // SAFETY: the vectors of all rows are in range, as are the tables of `n_rows` rows for each quad.
            unsafe {
                let fields = fields.as_mut_ptr().cast::<f32>().add(8 * half);
                let field = |r: usize| item.vector(row + r) * LANES;
                let mut sums: [__m256; R] = std::array::from_fn(|r| _mm256_loadu_ps(fields.add(field(r))));
                let mut tables = item.tables(row);
                for &word in item.words {
                    let index = _mm256_srlv_epi64(_mm256_set1_epi64x(word as i64), shifts);
                    let last = _mm256_castsi256_ps(_mm256_slli_epi32::<28>(index));
                    let sign = _mm256_or_ps(_mm256_and_ps(last, _mm256_set1_ps(-0.0)), _mm256_set1_ps(1.0));
                    for (r, sum) in sums.iter_mut().enumerate() {
                        let entry = _mm256_permutevar8x32_ps(_mm256_load_ps(tables.add(r * LANES)), index);
                        // The product with a sign is exact, so this is an addition.
                        *sum = _mm256_fmadd_ps(entry, sign, *sum);
                    }
                    tables = tables.add(item.tile.n_rows * LANES);
                }
                for (r, sum) in sums.iter().enumerate() {
                    _mm256_storeu_ps(fields.add(field(r)), *sum);
                }
            }
        }
    }
}
