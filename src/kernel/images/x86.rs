//! Tiles of images with x86 vectors: the counterparts of [`super::portable`], reached only through an
//! [`Isa`](crate::kernel::Isa) that was detected on this machine.
//!
//! | vector | AVX-512 | AVX2 |
//! | --- | --- | --- |
//! | sixteen images | one register: `avx512_some` | two registers, one after the other: `avx2_some` |
//! | eight images | one register of half the width: `half_some` | one register |
//! | four images | half a register, the other half is another pixel's | the same |
//!
//! `R` is the number of rows, `P` of registers with images, so `R · P` sums; both are known when a function is compiled. Each
//! kind has two functions: one for the loop over columns, of its own so that the sums stay in registers, and one for what
//! follows it.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::product::{OutputPixel, PIXELS, Product, Vector, split_pixels};

/// Columns by which weights are fetched ahead where one pixel uses them up: those of a dense layer come from main memory.
const AHEAD: usize = 128;

/// One register is sixteen images, or half of one eight: 24 sums, three vectors of images, one weight.
pub(super) fn avx512<const L: usize>(product: &Product<'_, L>, pixels: &[OutputPixel], fields: &mut [Vector<L>]) {
    // SAFETY: `Isa::Avx512` is offered only where AVX-512F and VL were detected; `Product::add` has checked the rest.
    unsafe { if L == 16 { avx512_all(product, pixels, fields) } else { half_all(product, pixels, fields) } }
}

#[target_feature(enable = "avx512f")]
unsafe fn avx512_all<const L: usize>(product: &Product<'_, L>, pixels: &[OutputPixel], fields: &mut [Vector<L>]) {
    // SAFETY: as above.
    unsafe { split_pixels!(avx512_some, L, 1, product, pixels.chunks(PIXELS), fields) }
}

#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
unsafe fn half_all<const L: usize>(product: &Product<'_, L>, pixels: &[OutputPixel], fields: &mut [Vector<L>]) {
    // SAFETY: as above.
    unsafe { split_pixels!(half_tile, L, sharing(L), product, pixels.chunks(PIXELS * sharing(L)), fields) }
}

/// # Safety
/// As [`avx512_some`], for any `L` and registers of eight images: `P == pixels.len().div_ceil(sharing(L))`.
#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
unsafe fn half_tile<const R: usize, const P: usize, const L: usize>(
    product: &Product<'_, L>,
    pixels: &[OutputPixel],
    fields: &mut [Vector<L>],
) {
    for eighth in 0..L.div_ceil(8) {
        // SAFETY: as above; the rows are those of the tile.
        unsafe { half_some::<R, P, L>(product, pixels, fields, [0, eighth]) }
    }
}

/// # Safety
/// `Product::check` passed for `pixels` and `fields`; `R == n_rows`, `P == pixels.len()`, `L == 16`.
#[target_feature(enable = "avx512f")]
unsafe fn avx512_some<const R: usize, const P: usize, const L: usize>(
    product: &Product<'_, L>,
    pixels: &[OutputPixel],
    fields: &mut [Vector<L>],
) {
    // SAFETY: spans shifted by pixels, packed columns and rows have been checked.
    unsafe {
        let fields = fields.as_mut_ptr().cast::<f32>();
        let at = |r: usize, p: usize| product.out.at(pixels[p].index, r) * L;
        let sums = avx512_sums::<R, P, L>(product, pixels);
        let (low, high) = (_mm512_set1_ps(product.finish.low), _mm512_set1_ps(product.finish.high));
        for (r, sums) in sums.iter().enumerate() {
            let affine = product.affine(r).map(|(mul, add)| (_mm512_set1_ps(mul), _mm512_set1_ps(add)));
            for (p, &sum) in sums.iter().enumerate() {
                // As `Finish::apply`, in its order. Of minimum and maximum the second operand is kept where one is not a number,
                // or where both are zero.
                let mut sum = affine.map_or(sum, |(mul, add)| _mm512_fmadd_ps(sum, mul, add));
                if let Some((tensor, strides)) = &product.addend {
                    let addend = tensor.as_ptr().add(strides.at(pixels[p].index, r)).cast();
                    sum = _mm512_add_ps(sum, _mm512_loadu_ps(addend));
                }
                _mm512_storeu_ps(fields.add(at(r, p)), _mm512_min_ps(high, _mm512_max_ps(low, sum)));
            }
        }
    }
}

/// What sums begin with and the loop over columns. In a function of its own, so that they stay in registers.
///
/// # Safety
/// As [`avx512_some`].
#[inline(never)]
#[target_feature(enable = "avx512f")]
unsafe fn avx512_sums<const R: usize, const P: usize, const L: usize>(
    product: &Product<'_, L>,
    pixels: &[OutputPixel],
) -> [[__m512; P]; R] {
    // SAFETY: spans shifted by pixels, packed columns and rows have been checked.
    unsafe {
        let mut local: [[__m512; P]; R] = std::array::from_fn(|r| [_mm512_set1_ps(product.bias(r)); P]);
        for span in product.spans {
            let mut weights = product.weights.as_ptr().add(span.k as usize * R);
            let mut x: [*const f32; P] =
                std::array::from_fn(|p| product.columns.as_ptr().add((span.column + pixels[p].shift) as usize).cast());
            for _ in 0..span.len {
                // One column: `P` loads, `R` broadcasts, `R · P` multiply-adds, none of which waits for another.
                let vectors: [__m512; P] = std::array::from_fn(|p| _mm512_loadu_ps(x[p]));
                for (r, sums) in local.iter_mut().enumerate() {
                    let weight = _mm512_set1_ps(*weights.add(r));
                    for (sum, vector) in sums.iter_mut().zip(vectors) {
                        *sum = _mm512_fmadd_ps(weight, vector, *sum);
                    }
                }
                if P == 1 {
                    _mm_prefetch::<_MM_HINT_T0>(weights.wrapping_add(AHEAD * R).cast());
                }
                weights = weights.wrapping_add(R);
                x = x.map(|x| x.wrapping_add(L));
            }
        }
        local
    }
}

/// One register is eight images: of a tile four rows, two pixels and eight images at a time.
pub(super) fn avx2<const L: usize>(product: &Product<'_, L>, pixels: &[OutputPixel], fields: &mut [Vector<L>]) {
    // SAFETY: `Isa::Avx2` is offered only where AVX2 and FMA were detected; `Product::add` has checked the rest.
    unsafe { avx2_all(product, pixels, fields) }
}

#[target_feature(enable = "avx2,fma")]
unsafe fn avx2_all<const L: usize>(product: &Product<'_, L>, pixels: &[OutputPixel], fields: &mut [Vector<L>]) {
    // SAFETY: as above.
    unsafe { split_pixels!(avx2_tile, L, sharing(L), product, pixels.chunks(2 * sharing(L)), fields) }
}

/// # Safety
/// As [`half_tile`].
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2_tile<const R: usize, const P: usize, const L: usize>(
    product: &Product<'_, L>,
    pixels: &[OutputPixel],
    fields: &mut [Vector<L>],
) {
    for eighth in 0..L.div_ceil(8) {
        // SAFETY: as above; the rows are those of the tile.
        unsafe {
            match R {
                8 => {
                    avx2_some::<4, P, L>(product, pixels, fields, [0, eighth]);
                    avx2_some::<4, P, L>(product, pixels, fields, [4, eighth]);
                }
                4 => avx2_some::<4, P, L>(product, pixels, fields, [0, eighth]),
                2 => avx2_some::<2, P, L>(product, pixels, fields, [0, eighth]),
                _ => avx2_some::<1, P, L>(product, pixels, fields, [0, eighth]),
            }
        }
    }
}

/// Items that share a register of eight values.
const fn sharing(lanes: usize) -> usize {
    if lanes == 4 { 2 } else { 1 }
}

/// The pixels whose images are in register `p`; where pixels share registers and there is no other, one twice.
#[inline(always)]
fn pair<const L: usize>(pixels: &[OutputPixel], p: usize) -> [OutputPixel; 2] {
    [pixels[p * sharing(L)], pixels[((p + 1) * sharing(L) - 1).min(pixels.len() - 1)]]
}

/// Eight values: from the first place on, or, where pixels share registers, four from each.
///
/// # Safety
/// They can be read.
#[inline]
#[target_feature(enable = "avx")]
unsafe fn load<const L: usize>([low, high]: [*const f32; 2]) -> __m256 {
    // SAFETY: as above.
    unsafe { if sharing(L) == 2 { _mm256_loadu2_m128(high, low) } else { _mm256_loadu_ps(low) } }
}

/// Stores what [`load`] loads.
///
/// # Safety
/// They can be written.
#[inline]
#[target_feature(enable = "avx")]
unsafe fn store<const L: usize>([low, high]: [*mut f32; 2], values: __m256) {
    // SAFETY: as above.
    unsafe { if sharing(L) == 2 { _mm256_storeu2_m128(high, low, values) } else { _mm256_storeu_ps(low, values) } }
}

/// Defines `$some::<R, P, L>(product, pixels, fields, [first row, eighth])` and its loop over columns for registers of eight
/// images, or of four images of two pixels. The two sets of functions differ in nothing but the instructions that the compiler
/// may use, of which a generic function cannot be told.
macro_rules! eight_images {
    ($some:ident, $sums:ident, $features:literal) => {
        /// # Safety
        /// As [`half_tile`], for the `R` rows from the given one on and eight of the images.
        #[target_feature(enable = $features)]
        unsafe fn $some<const R: usize, const P: usize, const L: usize>(
            product: &Product<'_, L>,
            pixels: &[OutputPixel],
            fields: &mut [Vector<L>],
            [first, eighth]: [usize; 2],
        ) {
            // SAFETY: spans shifted by pixels, packed columns and rows have been checked; `eighth` is below `L / 8`.
            unsafe {
                let fields = fields.as_mut_ptr().cast::<f32>();
                let sums = $sums::<R, P, L>(product, pixels, [first, eighth]);
                let (low, high) = (_mm256_set1_ps(product.finish.low), _mm256_set1_ps(product.finish.high));
                for (r, sums) in sums.iter().enumerate() {
                    let affine = product.affine(first + r).map(|(mul, add)| (_mm256_set1_ps(mul), _mm256_set1_ps(add)));
                    for (p, &sum) in sums.iter().enumerate() {
                        let mut sum = affine.map_or(sum, |(mul, add)| _mm256_fmadd_ps(sum, mul, add));
                        let [a, b] = pair::<L>(pixels, p);
                        if let Some((tensor, strides)) = &product.addend {
                            let tensor = tensor.as_ptr().cast::<f32>().add(8 * eighth);
                            let at = |pixel: OutputPixel| tensor.add(strides.at(pixel.index, first + r) * L);
                            sum = _mm256_add_ps(sum, load::<L>([at(a), at(b)]));
                        }
                        let at =
                            |pixel: OutputPixel| fields.add(product.out.at(pixel.index, first + r) * L + 8 * eighth);
                        store::<L>([at(a), at(b)], _mm256_min_ps(high, _mm256_max_ps(low, sum)));
                    }
                }
            }
        }

        /// As [`avx512_sums`].
        ///
        /// # Safety
        /// As for the function that calls it.
        #[inline(never)]
        #[target_feature(enable = $features)]
        unsafe fn $sums<const R: usize, const P: usize, const L: usize>(
            product: &Product<'_, L>,
            pixels: &[OutputPixel],
            [first, eighth]: [usize; 2],
        ) -> [[__m256; P]; R] {
            // SAFETY: spans shifted by pixels, packed columns and rows have been checked; `eighth` is below `L / 8`.
            unsafe {
                let mut local: [[__m256; P]; R] = std::array::from_fn(|r| [_mm256_set1_ps(product.bias(first + r)); P]);
                let columns = product.columns.as_ptr().cast::<f32>().add(8 * eighth);
                for span in product.spans {
                    let mut weights = product.weights.as_ptr().add(span.k as usize * product.n_rows + first);
                    let column = |pixel: OutputPixel| columns.add((span.column + pixel.shift) as usize * L);
                    let mut x: [[*const f32; 2]; P] = std::array::from_fn(|p| {
                        let [a, b] = pair::<L>(pixels, p);
                        [column(a), column(b)]
                    });
                    for _ in 0..span.len {
                        let vectors: [__m256; P] = std::array::from_fn(|p| load::<L>(x[p]));
                        for (r, sums) in local.iter_mut().enumerate() {
                            let weight = _mm256_set1_ps(*weights.add(r));
                            for (sum, vector) in sums.iter_mut().zip(vectors) {
                                *sum = _mm256_fmadd_ps(weight, vector, *sum);
                            }
                        }
                        if P == 1 {
                            _mm_prefetch::<_MM_HINT_T0>(weights.wrapping_add(AHEAD * product.n_rows).cast());
                        }
                        weights = weights.wrapping_add(product.n_rows);
                        for [a, b] in &mut x {
                            (*a, *b) = (a.wrapping_add(L), b.wrapping_add(L));
                        }
                    }
                }
                local
            }
        }
    };
}

// Sixteen registers: four rows of two pixels, so that the sums stay in them.
eight_images!(avx2_some, avx2_sums, "avx2,fma");
// Thirty-two: the tiles of the widest vectors.
eight_images!(half_some, half_sums, "avx512f,avx512vl,avx2,fma");
