//! Dense tiles with x86 vectors. Each function is the counterpart of one in [`super::portable`], and is reached only
//! through an [`super::Isa`] that was detected on this machine.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::dense::{Table, Tile};
use super::{LANES, Task};

/// Items whose accumulators share the registers with those of eight rows.
const WIDTH: usize = 3;

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

/// Sign bits of the table's entries: set where bit `b` of the entry's index is clear.
const SIGNS: [[i32; LANES]; 4] = {
    let mut signs = [[0; LANES]; 4];
    let mut b = 0;
    while b < 4 {
        let mut i = 0;
        while i < LANES {
            if i >> b & 1 == 0 {
                signs[b][i] = i32::MIN;
            }
            i += 1;
        }
        b += 1;
    }
    signs
};

/// Checks the tile and its items, in groups of at most [`WIDTH`]: calls `f(first vectors, packed words, fields)`.
fn by_width(
    tile: &Tile<'_>,
    mut items: impl ExactSizeIterator<Item = usize>,
    packed: &[u64],
    fields: &mut [[f32; LANES]],
    mut f: impl FnMut(&[usize], &[u64], &mut [[f32; LANES]]),
) {
    tile.check(items.len(), packed);
    let mut words = packed;
    while items.len() > 0 {
        let mut first = [0; WIDTH];
        let mut n = 0;
        for item in items.by_ref().take(WIDTH) {
            tile.check_item(item, fields);
            first[n] = item;
            n += 1;
        }
        f(&first[..n], words, fields);
        words = &words[n * tile.n_quads..];
    }
}

/// Calls `$f::<R, P>` for the rows and items at hand: 8, 4, 2, 1 rows times 3, 2, 1 items.
macro_rules! dispatch {
    ($f:ident, $tile:expr, $first:expr, $words:expr, $fields:expr) => {{
        let (tile, first, words, fields) = ($tile, $first, $words, $fields);
        let mut row = 0;
        while row < tile.n_rows {
            let left = tile.n_rows - row;
            row += match (left, first.len()) {
                (8.., 3) => $f::<8, 3>(tile, row, first, words, fields),
                (8.., 2) => $f::<8, 2>(tile, row, first, words, fields),
                (8.., _) => $f::<8, 1>(tile, row, first, words, fields),
                (4.., 3) => $f::<4, 3>(tile, row, first, words, fields),
                (4.., 2) => $f::<4, 2>(tile, row, first, words, fields),
                (4.., _) => $f::<4, 1>(tile, row, first, words, fields),
                (2.., 3) => $f::<2, 3>(tile, row, first, words, fields),
                (2.., 2) => $f::<2, 2>(tile, row, first, words, fields),
                (2.., _) => $f::<2, 1>(tile, row, first, words, fields),
                (_, 3) => $f::<1, 3>(tile, row, first, words, fields),
                (_, 2) => $f::<1, 2>(tile, row, first, words, fields),
                (_, _) => $f::<1, 1>(tile, row, first, words, fields),
            };
        }
    }};
}

/// 512-bit vectors: a table is one register.
pub(super) mod avx512 {
    use super::*;

    pub(in super::super) fn build(
        offsets: &[u64],
        n_rows: usize,
        weights: impl Fn(&[u64], usize) -> [f32; 4],
        tables: &mut [Table],
    ) {
        // SAFETY: `Isa::Avx512` is offered only where these features were detected.
        unsafe { build_tables(offsets, n_rows, weights, tables) }
    }

    #[target_feature(enable = "avx512f")]
    fn build_tables(offsets: &[u64], n_rows: usize, weights: impl Fn(&[u64], usize) -> [f32; 4], tables: &mut [Table]) {
        // SAFETY: each row of SIGNS is sixteen i32.
        let signs: [__m512i; 4] = SIGNS.map(|s| unsafe { _mm512_loadu_si512(s.as_ptr().cast()) });
        for (quad, tables) in offsets.chunks(4).zip(tables.chunks_exact_mut(n_rows)) {
            for (row, out) in tables.iter_mut().enumerate() {
                let w = weights(quad, row);
                let term = |b: usize| {
                    let w = _mm512_castps_si512(_mm512_set1_ps(w[b]));
                    _mm512_castsi512_ps(_mm512_xor_si512(w, signs[b]))
                };
                let sum = _mm512_add_ps(_mm512_add_ps(term(0), term(1)), _mm512_add_ps(term(2), term(3)));
                // SAFETY: a table is sixteen f32.
                unsafe { _mm512_storeu_ps(out.as_mut_ptr(), sum) };
            }
        }
    }

    pub(in super::super) fn look_up(
        tile: &Tile<'_>,
        items: impl ExactSizeIterator<Item = usize>,
        packed: &[u64],
        fields: &mut [[f32; LANES]],
    ) {
        by_width(tile, items, packed, fields, |first, words, fields| {
            // SAFETY: `Isa::Avx512` is offered only where AVX-512F was detected; `by_width` has checked the ranges.
            unsafe { all_rows(tile, first, words, fields) }
        });
    }

    /// # Safety
    /// `by_width` has checked the tile, the words and the vectors.
    #[target_feature(enable = "avx512f")]
    unsafe fn all_rows(tile: &Tile<'_>, first: &[usize], words: &[u64], fields: &mut [[f32; LANES]]) {
        // SAFETY: as above.
        unsafe { dispatch!(some_rows, tile, first, words, fields) }
    }

    /// # Safety
    /// As [`all_rows`], with `row + R <= n_rows` and `P == first.len()`.
    #[target_feature(enable = "avx512f")]
    unsafe fn some_rows<const R: usize, const P: usize>(
        tile: &Tile<'_>,
        row: usize,
        first: &[usize],
        words: &[u64],
        fields: &mut [[f32; LANES]],
    ) -> usize {
        let shifts = _mm512_setr_epi64(0, 4, 8, 12, 16, 20, 24, 28);
        let field = |p: usize, r: usize| first[p] + (row + r) * tile.field_step;
        // SAFETY: the vectors of all rows and items are in range, as are `n_quads` words of each item and the tables
        // of `n_rows` rows for each quad.
        unsafe {
            let fields = fields.as_mut_ptr().cast::<f32>();
            let mut sums: [[__m512; P]; R] =
                std::array::from_fn(|r| std::array::from_fn(|p| _mm512_loadu_ps(fields.add(field(p, r) * LANES))));
            let words: [*const u64; P] = std::array::from_fn(|p| words.as_ptr().add(p * tile.n_quads));
            let mut tables = tile.tables.as_ptr().cast::<f32>().add(row * LANES);
            for quad in 0..tile.n_quads {
                let index: [__m512i; P] = std::array::from_fn(|p| {
                    _mm512_srlv_epi64(_mm512_set1_epi64(words[p].add(quad).read() as i64), shifts)
                });
                for (r, sums) in sums.iter_mut().enumerate() {
                    let table = _mm512_loadu_ps(tables.add(r * LANES));
                    for (sum, index) in sums.iter_mut().zip(index) {
                        *sum = _mm512_add_ps(*sum, _mm512_permutexvar_ps(index, table));
                    }
                }
                tables = tables.add(tile.n_rows * LANES);
            }
            for (r, sums) in sums.iter().enumerate() {
                for (p, sum) in sums.iter().enumerate() {
                    _mm512_storeu_ps(fields.add(field(p, r) * LANES), *sum);
                }
            }
        }
        R
    }
}

/// 256-bit vectors: a table is two registers, chosen between by the index's top bit.
pub(super) mod avx2 {
    use super::*;

    pub(in super::super) fn build(
        offsets: &[u64],
        n_rows: usize,
        weights: impl Fn(&[u64], usize) -> [f32; 4],
        tables: &mut [Table],
    ) {
        // SAFETY: `Isa::Avx2` is offered only where AVX2 was detected.
        unsafe { build_tables(offsets, n_rows, weights, tables) }
    }

    #[target_feature(enable = "avx2")]
    fn build_tables(offsets: &[u64], n_rows: usize, weights: impl Fn(&[u64], usize) -> [f32; 4], tables: &mut [Table]) {
        super::super::portable::build(offsets, n_rows, weights, tables);
    }

    pub(in super::super) fn look_up(
        tile: &Tile<'_>,
        items: impl ExactSizeIterator<Item = usize>,
        packed: &[u64],
        fields: &mut [[f32; LANES]],
    ) {
        by_width(tile, items, packed, fields, |first, words, fields| {
            for (p, &first) in first.iter().enumerate() {
                let words = &words[p * tile.n_quads..][..tile.n_quads];
                // SAFETY: `Isa::Avx2` is offered only where AVX2 was detected; `by_width` has checked the ranges.
                unsafe { all_rows(tile, &[first], words, fields) }
            }
        });
    }

    /// # Safety
    /// `by_width` has checked the tile, the words and the vectors.
    #[target_feature(enable = "avx2")]
    unsafe fn all_rows(tile: &Tile<'_>, first: &[usize], words: &[u64], fields: &mut [[f32; LANES]]) {
        let mut row = 0;
        while row < tile.n_rows {
            // SAFETY: as above.
            row += unsafe {
                match tile.n_rows - row {
                    4.. => some_rows::<4>(tile, row, first[0], words, fields),
                    2.. => some_rows::<2>(tile, row, first[0], words, fields),
                    _ => some_rows::<1>(tile, row, first[0], words, fields),
                }
            };
        }
    }

    /// # Safety
    /// As [`all_rows`], with `row + R <= n_rows`.
    #[target_feature(enable = "avx2")]
    unsafe fn some_rows<const R: usize>(
        tile: &Tile<'_>,
        row: usize,
        first: usize,
        words: &[u64],
        fields: &mut [[f32; LANES]],
    ) -> usize {
        // Lane 2k is nibble k, lane 2k + 1 nibble 8 + k, as in the 512-bit form.
        let shifts = [_mm256_setr_epi64x(0, 4, 8, 12), _mm256_setr_epi64x(16, 20, 24, 28)];
        // SAFETY: the vectors of all rows are in range, as are the tables of `n_rows` rows for each quad.
        unsafe {
            let vector = |r: usize| fields.as_ptr().add(first + (row + r) * tile.field_step).cast::<f32>();
            let mut sums: [[__m256; 2]; R] =
                std::array::from_fn(|r| std::array::from_fn(|half| _mm256_loadu_ps(vector(r).add(8 * half))));
            let mut tables = tile.tables.as_ptr().cast::<f32>().add(row * LANES);
            for &word in words {
                let word = _mm256_set1_epi64x(word as i64);
                let index = shifts.map(|s| _mm256_srlv_epi64(word, s));
                let upper = index.map(|i| _mm256_castsi256_ps(_mm256_slli_epi32::<28>(i)));
                for (r, sums) in sums.iter_mut().enumerate() {
                    let (low, high) = (tables.add(r * LANES), tables.add(r * LANES + 8));
                    let (low, high) = (_mm256_loadu_ps(low), _mm256_loadu_ps(high));
                    for half in 0..2 {
                        let from_low = _mm256_permutevar8x32_ps(low, index[half]);
                        let from_high = _mm256_permutevar8x32_ps(high, index[half]);
                        let entry = _mm256_blendv_ps(from_low, from_high, upper[half]);
                        sums[half] = _mm256_add_ps(sums[half], entry);
                    }
                }
                tables = tables.add(tile.n_rows * LANES);
            }
            for (r, sums) in sums.iter().enumerate() {
                let out = fields.as_mut_ptr().add(first + (row + r) * tile.field_step).cast::<f32>();
                _mm256_storeu_ps(out, sums[0]);
                _mm256_storeu_ps(out.add(8), sums[1]);
            }
        }
        R
    }
}

/// Runs a task compiled for 512-bit vectors.
pub(super) fn with_avx512<T: Task>(task: T) -> T::Output {
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,bmi2")]
    fn run<T: Task>(task: T) -> T::Output {
        task.run()
    }
    // SAFETY: `Isa::Avx512` is offered only where these features were detected.
    unsafe { run(task) }
}

/// Runs a task compiled for 256-bit vectors.
pub(super) fn with_avx2<T: Task>(task: T) -> T::Output {
    #[target_feature(enable = "avx2,bmi2")]
    fn run<T: Task>(task: T) -> T::Output {
        task.run()
    }
    // SAFETY: `Isa::Avx2` is offered only where these features were detected.
    unsafe { run(task) }
}
