//! Tiles of images with x86 vectors: the counterparts of [`super::portable`], reached only through an
//! [`Isa`](super::Isa) that was detected on this machine.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::{Item, LANES, Product, Vector, split_items};

/// One register is sixteen images: 24 sums, three vectors of images, one weight.
pub(super) fn avx512(product: &Product<'_>, items: &[Item], fields: &mut [Vector]) {
    // SAFETY: `Isa::Avx512` is offered only where AVX-512F was detected; `Product::add` has checked the rest.
    unsafe { avx512_all(product, items, fields) }
}

#[target_feature(enable = "avx512f")]
unsafe fn avx512_all(product: &Product<'_>, items: &[Item], fields: &mut [Vector]) {
    // SAFETY: as above.
    unsafe { split_items!(avx512_some, product, items, fields) }
}

/// # Safety
/// `Product::check` passed for `items` and `fields`; `R == n_rows`, `P == items.len()`.
#[target_feature(enable = "avx512f")]
unsafe fn avx512_some<const R: usize, const P: usize>(product: &Product<'_>, items: &[Item], fields: &mut [Vector]) {
    // SAFETY: spans shifted by items, packed columns and rows have been checked.
    unsafe {
        let fields = fields.as_mut_ptr().cast::<f32>();
        let at = |r: usize, p: usize| product.out.at(items[p].group, r) * LANES;
        let mut sums = [[_mm512_setzero_ps(); P]; R];
        for (r, sums) in sums.iter_mut().enumerate() {
            let bias = product.bias(r);
            for (p, sum) in sums.iter_mut().enumerate() {
                *sum = match bias {
                    Some(bias) => _mm512_set1_ps(bias),
                    None => _mm512_loadu_ps(fields.add(at(r, p))),
                };
            }
        }
        avx512_sums(product, items, &mut sums);
        let (low, high) = (_mm512_set1_ps(product.finish.low), _mm512_set1_ps(product.finish.high));
        for (r, sums) in sums.iter().enumerate() {
            let affine = product.affine(r).map(|(mul, add)| (_mm512_set1_ps(mul), _mm512_set1_ps(add)));
            for (p, &sum) in sums.iter().enumerate() {
                let mut sum = affine.map_or(sum, |(mul, add)| _mm512_fmadd_ps(sum, mul, add));
                if let Some((tensor, stride)) = &product.addend {
                    let addend = tensor.as_ptr().add(stride.at(items[p].group, r)).cast();
                    sum = _mm512_add_ps(sum, _mm512_loadu_ps(addend));
                }
                _mm512_storeu_ps(fields.add(at(r, p)), _mm512_min_ps(high, _mm512_max_ps(low, sum)));
            }
        }
    }
}

/// The loop over columns. In a function of its own, so that the sums stay in registers.
///
/// # Safety
/// As [`avx512_some`].
#[inline(never)]
#[target_feature(enable = "avx512f")]
unsafe fn avx512_sums<const R: usize, const P: usize>(
    product: &Product<'_>,
    items: &[Item],
    sums: &mut [[__m512; P]; R],
) {
    // SAFETY: spans shifted by items and packed columns have been checked.
    unsafe {
        let mut local = *sums;
        for span in product.spans {
            let mut weights = product.weights.as_ptr().add(span.k as usize * R);
            let mut x: [*const f32; P] =
                std::array::from_fn(|p| product.columns.as_ptr().add((span.column + items[p].column) as usize).cast());
            for _ in 0..span.len {
                let vectors: [__m512; P] = std::array::from_fn(|p| _mm512_loadu_ps(x[p]));
                for (r, sums) in local.iter_mut().enumerate() {
                    let weight = _mm512_set1_ps(*weights.add(r));
                    for (sum, vector) in sums.iter_mut().zip(vectors) {
                        *sum = _mm512_fmadd_ps(weight, vector, *sum);
                    }
                }
                weights = weights.wrapping_add(R);
                x = x.map(|x| x.wrapping_add(LANES));
            }
        }
        *sums = local;
    }
}

/// One register is eight images: of a tile four rows and half the images at a time, twelve sums, three vectors, one weight.
pub(super) fn avx2(product: &Product<'_>, items: &[Item], fields: &mut [Vector]) {
    // SAFETY: `Isa::Avx2` is offered only where AVX2 and FMA were detected; `Product::add` has checked the rest.
    unsafe { avx2_all(product, items, fields) }
}

#[target_feature(enable = "avx2,fma")]
unsafe fn avx2_all(product: &Product<'_>, items: &[Item], fields: &mut [Vector]) {
    // SAFETY: as above.
    unsafe { split_items!(avx2_tile, product, items, fields) }
}

/// # Safety
/// As [`avx512_some`].
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2_tile<const R: usize, const P: usize>(product: &Product<'_>, items: &[Item], fields: &mut [Vector]) {
    for half in 0..2 {
        // SAFETY: as above; the rows are those of the tile.
        unsafe {
            match R {
                8 => {
                    avx2_some::<4, P>(product, items, fields, [0, half]);
                    avx2_some::<4, P>(product, items, fields, [4, half]);
                }
                4 => avx2_some::<4, P>(product, items, fields, [0, half]),
                2 => avx2_some::<2, P>(product, items, fields, [0, half]),
                _ => avx2_some::<1, P>(product, items, fields, [0, half]),
            }
        }
    }
}

/// # Safety
/// As [`avx512_some`], for the `R` rows from the given one on and half the images.
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2_some<const R: usize, const P: usize>(
    product: &Product<'_>,
    items: &[Item],
    fields: &mut [Vector],
    [first, half]: [usize; 2],
) {
    // SAFETY: spans shifted by items, packed columns and rows have been checked; a vector has two halves.
    unsafe {
        let fields = fields.as_mut_ptr().cast::<f32>();
        let at = |r: usize, p: usize| product.out.at(items[p].group, first + r) * LANES + 8 * half;
        let mut sums = [[_mm256_setzero_ps(); P]; R];
        for (r, sums) in sums.iter_mut().enumerate() {
            let bias = product.bias(first + r);
            for (p, sum) in sums.iter_mut().enumerate() {
                *sum = match bias {
                    Some(bias) => _mm256_set1_ps(bias),
                    None => _mm256_loadu_ps(fields.add(at(r, p))),
                };
            }
        }
        avx2_sums(product, items, &mut sums, [first, half]);
        let (low, high) = (_mm256_set1_ps(product.finish.low), _mm256_set1_ps(product.finish.high));
        for (r, sums) in sums.iter().enumerate() {
            let affine = product.affine(first + r).map(|(mul, add)| (_mm256_set1_ps(mul), _mm256_set1_ps(add)));
            for (p, &sum) in sums.iter().enumerate() {
                let mut sum = affine.map_or(sum, |(mul, add)| _mm256_fmadd_ps(sum, mul, add));
                if let Some((tensor, stride)) = &product.addend {
                    let addend = tensor.as_ptr().add(stride.at(items[p].group, first + r)).cast::<f32>();
                    sum = _mm256_add_ps(sum, _mm256_loadu_ps(addend.add(8 * half)));
                }
                _mm256_storeu_ps(fields.add(at(r, p)), _mm256_min_ps(high, _mm256_max_ps(low, sum)));
            }
        }
    }
}

/// As [`avx512_sums`].
///
/// # Safety
/// As [`avx2_some`].
#[inline(never)]
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2_sums<const R: usize, const P: usize>(
    product: &Product<'_>,
    items: &[Item],
    sums: &mut [[__m256; P]; R],
    [first, half]: [usize; 2],
) {
    // SAFETY: spans shifted by items and packed columns have been checked; a vector has two halves.
    unsafe {
        let mut local = *sums;
        for span in product.spans {
            let mut weights = product.weights.as_ptr().add(span.k as usize * product.n_rows + first);
            let mut x: [*const f32; P] = std::array::from_fn(|p| {
                let column = (span.column + items[p].column) as usize;
                product.columns.as_ptr().add(column).cast::<f32>().add(8 * half)
            });
            for _ in 0..span.len {
                let vectors: [__m256; P] = std::array::from_fn(|p| _mm256_loadu_ps(x[p]));
                for (r, sums) in local.iter_mut().enumerate() {
                    let weight = _mm256_set1_ps(*weights.add(r));
                    for (sum, vector) in sums.iter_mut().zip(vectors) {
                        *sum = _mm256_fmadd_ps(weight, vector, *sum);
                    }
                }
                weights = weights.wrapping_add(product.n_rows);
                x = x.map(|x| x.wrapping_add(LANES));
            }
        }
        *sums = local;
    }
}
