//! Tiles of images with aarch64 vectors: a register is four images. The counterpart of [`super::portable`], reached only
//! through [`Isa::Neon`](crate::kernel::Isa::Neon).
#![allow(unsafe_code)]

use std::arch::aarch64::*;

use super::product::{OutputPixel, PIXELS, Product, Vector, split_pixels};

pub(super) fn add<const L: usize>(product: &Product<'_, L>, pixels: &[OutputPixel], fields: &mut [Vector<L>]) {
    // SAFETY: `Isa::Neon` is offered only where NEON was detected; `Product::add` has checked the rest.
    unsafe { split_pixels!(tile, L, 1, product, pixels.chunks(PIXELS), fields) }
}

/// # Safety
/// `Product::check` passed for `pixels` and `fields`; `R == n_rows`, `P == pixels.len()`.
unsafe fn tile<const R: usize, const P: usize, const L: usize>(
    product: &Product<'_, L>,
    pixels: &[OutputPixel],
    fields: &mut [Vector<L>],
) {
    for quarter in 0..L / 4 {
        // SAFETY: as above; a vector has `L` lanes.
        unsafe { some::<R, P, L>(product, pixels, fields, 4 * quarter) }
    }
}

/// Four of the lanes: 24 sums, three vectors of images, the weights.
///
/// # Safety
/// As [`tile`], with `lane <= L - 4`.
unsafe fn some<const R: usize, const P: usize, const L: usize>(
    product: &Product<'_, L>,
    pixels: &[OutputPixel],
    fields: &mut [Vector<L>],
    lane: usize,
) {
    // SAFETY: spans shifted by pixels, packed columns and rows have been checked.
    unsafe {
        let fields = fields.as_mut_ptr().cast::<f32>();
        let at = |r: usize, p: usize| product.out.at(pixels[p].index, r) * L + lane;
        let mut sums: [[float32x4_t; P]; R] = std::array::from_fn(|r| [vdupq_n_f32(product.bias(r)); P]);
        columns(product, pixels, &mut sums, lane);
        let (low, high) = (vdupq_n_f32(product.finish.low), vdupq_n_f32(product.finish.high));
        for (r, sums) in sums.iter().enumerate() {
            let affine = product.affine(r).map(|(mul, add)| (vdupq_n_f32(mul), vdupq_n_f32(add)));
            for (p, &sum) in sums.iter().enumerate() {
                let mut sum = affine.map_or(sum, |(mul, add)| vfmaq_f32(add, sum, mul));
                if let Some((tensor, strides)) = &product.addend {
                    let addend = tensor.as_ptr().add(strides.at(pixels[p].index, r)).cast::<f32>();
                    sum = vaddq_f32(sum, vld1q_f32(addend.add(lane)));
                }
                // Comparisons, because the maximum of this instruction set decides between zeros of different signs.
                sum = vbslq_f32(vcgtq_f32(low, sum), low, sum);
                sum = vbslq_f32(vcltq_f32(high, sum), high, sum);
                vst1q_f32(fields.add(at(r, p)), sum);
            }
        }
    }
}

/// The loop over columns. In a function of its own, so that the sums stay in registers.
///
/// # Safety
/// As [`some`].
#[inline(never)]
unsafe fn columns<const R: usize, const P: usize, const L: usize>(
    product: &Product<'_, L>,
    pixels: &[OutputPixel],
    sums: &mut [[float32x4_t; P]; R],
    lane: usize,
) {
    // SAFETY: spans shifted by pixels and packed columns have been checked; a vector has the lanes from `lane` on.
    unsafe {
        let mut local = *sums;
        for span in product.spans {
            let mut weights = product.weights.as_ptr().add(span.k as usize * R);
            let mut x: [*const f32; P] = std::array::from_fn(|p| {
                let column = (span.column + pixels[p].shift) as usize;
                product.columns.as_ptr().add(column).cast::<f32>().add(lane)
            });
            for _ in 0..span.len {
                let vectors: [float32x4_t; P] = std::array::from_fn(|p| vld1q_f32(x[p]));
                for (r, sums) in local.iter_mut().enumerate() {
                    let weight = *weights.add(r);
                    for (sum, vector) in sums.iter_mut().zip(vectors) {
                        *sum = vfmaq_n_f32(*sum, vector, weight);
                    }
                }
                weights = weights.wrapping_add(R);
                x = x.map(|x| x.wrapping_add(L));
            }
        }
        *sums = local;
    }
}
