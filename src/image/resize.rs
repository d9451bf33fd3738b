//! Resizing with antialiasing, to the bit as Pillow's `Image.resize` does it on 8-bit images (versions 2.7 to 12; from 13 on
//! some images that shrink more in height than in width have their columns resampled first, which changes some
//! pixels by a level or two).
//!
//! Separable: rows are resampled first, rounded to 8 bits, then columns. A new pixel is the mean of the pixels around its
//! place, weighted by the filter stretched to the size of the new pixel where the image shrinks. Weights are integers in
//! units of 2⁻²². (`Resample.c` of Pillow is the reference; crates that resize compute in other precisions.)
//!
//! Only what is cut out is computed: memory and time do not grow with the size that the whole image would have.

use std::ops::Range;

use super::decode::Picture;
use super::preprocess::Interpolation;

/// Bits behind the point of a weight: with 8 for the pixel and 2 to spare, sums fit 32.
const PRECISION: u32 = 32 - 8 - 2;

/// One axis: its length after resizing, and which part of that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ResizedSide {
    /// Pixels after resizing, at least 1.
    pub resized: u64,
    /// Those that are wanted.
    pub kept: Range<u64>,
}

/// The wanted part of the picture resized to `y.resized × x.resized`.
pub(super) fn resize(picture: Picture, y: &ResizedSide, x: &ResizedSide, interpolation: Interpolation) -> Picture {
    let vertical = weights(picture.height, y, interpolation);
    let horizontal = weights(picture.width, x, interpolation);
    let first_row = vertical.iter().map(|pixel| pixel.first).min().unwrap_or(0);
    let end_row = vertical.iter().map(|pixel| pixel.first + pixel.weights.len()).max().unwrap_or(0);
    let narrow = resample_rows(&picture, first_row..end_row, &horizontal);
    resample_columns(&narrow, first_row, &vertical)
}

/// What a new pixel is made of.
struct Pixel {
    first: usize,
    /// One per pixel from `first` on, adding up to about 2²².
    weights: Vec<i32>,
}

/// The weights of every wanted pixel of an axis that had `length` pixels.
fn weights(length: usize, axis: &ResizedSide, interpolation: Interpolation) -> Vec<Pixel> {
    if axis.resized == length as u64 {
        let one = |at: u64| Pixel { first: at as usize, weights: vec![1 << PRECISION] };
        return axis.kept.clone().map(one).collect();
    }
    let (filter, radius): (fn(f64) -> f64, f64) = match interpolation {
        Interpolation::Bilinear => (triangle, 1.0),
        Interpolation::Bicubic => (cubic, 2.0),
    };
    let scale = length as f64 / axis.resized as f64;
    let stretch = scale.max(1.0);
    let pixel = |at: u64| {
        let centre = (at as f64 + 0.5) * scale;
        let first = (centre - radius * stretch + 0.5).max(0.0) as usize;
        let end = ((centre + radius * stretch + 0.5) as usize).min(length);
        let shares = (first..end).map(|from| filter((from as f64 - centre + 0.5) * (1.0 / stretch)));
        let shares: Vec<f64> = shares.collect();
        let sum: f64 = shares.iter().sum();
        Pixel { first, weights: shares.iter().map(|share| fixed(share / sum)).collect() }
    };
    axis.kept.clone().map(pixel).collect()
}

fn fixed(weight: f64) -> i32 {
    (weight * f64::from(1 << PRECISION)).round() as i32
}

fn triangle(x: f64) -> f64 {
    (1.0 - x.abs()).max(0.0)
}

/// Cubic convolution with a = −0.5.
fn cubic(x: f64) -> f64 {
    const A: f64 = -0.5;
    match x.abs() {
        x if x < 1.0 => ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0,
        x if x < 2.0 => (((x - 5.0) * x + 8.0) * x - 4.0) * A,
        _ => 0.0,
    }
}

/// A sum of weighted pixels, rounded.
fn rounded(sum: i32) -> u8 {
    ((sum + (1 << (PRECISION - 1))) >> PRECISION).clamp(0, 255) as u8
}

fn resample_rows(picture: &Picture, rows: Range<usize>, horizontal: &[Pixel]) -> Picture {
    let channels = picture.channels;
    let mut pixels = Vec::with_capacity(rows.len() * horizontal.len() * channels);
    for row in picture.pixels.chunks_exact(picture.width * channels).skip(rows.start).take(rows.len()) {
        for pixel in horizontal {
            let from = &row[pixel.first * channels..];
            for channel in 0..channels {
                let values = from[channel..].iter().step_by(channels);
                let sum = pixel.weights.iter().zip(values).map(|(weight, &value)| weight * i32::from(value)).sum();
                pixels.push(rounded(sum));
            }
        }
    }
    Picture { width: horizontal.len(), height: rows.len(), channels, pixels }
}

fn resample_columns(picture: &Picture, first_row: usize, vertical: &[Pixel]) -> Picture {
    let row_bytes = picture.width * picture.channels;
    let mut pixels = Vec::with_capacity(vertical.len() * row_bytes);
    let mut sums = vec![0; row_bytes];
    for pixel in vertical {
        sums.fill(0);
        let rows = picture.pixels.chunks_exact(row_bytes).skip(pixel.first - first_row);
        for (weight, row) in pixel.weights.iter().zip(rows) {
            sums.iter_mut().zip(row).for_each(|(sum, &value)| *sum += weight * i32::from(value));
        }
        pixels.extend(sums.iter().map(|&sum| rounded(sum)));
    }
    Picture { height: vertical.len(), pixels, ..*picture }
}
