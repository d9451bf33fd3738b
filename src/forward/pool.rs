//! Pooling and local response normalisation: channels × lanes at a time. Maxima can be folded from parts of a tensor
//! ([`Maxima`]): taps come in the same order, so bits are the same.

use std::ops::Range;

use super::tensor::{Slot, Strips};
use crate::kernel::images::Vector;
use crate::kernel::{Isa, Task};
use crate::net::{Lrn, Pool, PoolKind, Shape, Window};

/// Channels of a part: their vectors stay in the first-level cache over the taps.
const CHANNELS: usize = 64;

/// Pools a tensor of shape `input` to one of shape `output` at `slot` in `out`.
pub(super) fn run<const L: usize>(
    isa: Isa,
    pool: &Pool,
    input: (&[Vector<L>], Shape),
    output: Shape,
    slot: Slot,
    out: &mut [Vector<L>],
) {
    let step = output.h.div_ceil(2 * rayon::current_num_threads());
    let start = |y: usize| slot.at(y * output.w, 0);
    let starts = (0..output.h).step_by(step).map(start);
    Strips::cut(out, starts).each(|index, first, out| {
        let rows = index * step..output.h.min((index + 1) * step);
        let first = start(rows.start) - first;
        isa.run(PooledRows { pool, input, rows, width: output.w, slot, first, out });
    });
}

/// Some rows of output pixels: all of them for some channels before the next channels, so that what their windows share
/// stays in the second-level cache.
struct PooledRows<'a, const L: usize> {
    pool: &'a Pool,
    input: (&'a [Vector<L>], Shape),
    rows: Range<usize>,
    width: usize,
    slot: Slot,
    first: usize,
    out: &'a mut [Vector<L>],
}

impl<const L: usize> Task for PooledRows<'_, L> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let (tensor, shape) = self.input;
        let window = &self.pool.window;
        let mut taps = Vec::with_capacity(window.kernel[0] * window.kernel[1]);
        let valid = |axis: usize, out: usize, size: usize| {
            let at = move |tap: usize| {
                (out * window.stride[axis] + tap * window.dilation[axis]).checked_sub(window.pad[axis])
            };
            (0..window.kernel[axis]).filter_map(at).filter(move |position| *position < size)
        };
        for first in (0..shape.c).step_by(CHANNELS) {
            for (pixel, (y, x)) in self.rows.clone().flat_map(|y| (0..self.width).map(move |x| (y, x))).enumerate() {
                taps.clear();
                for row in valid(0, y, shape.h) {
                    taps.extend(valid(1, x, shape.w).map(|column| (row * shape.w + column) * shape.c));
                }
                let out = &mut self.out[self.first + pixel * self.slot.channels + first..];
                let out = &mut out[..CHANNELS.min(shape.c - first)];
                match self.pool.kind {
                    PoolKind::Max => fold(tensor, &taps, first, out, Some(f32::NEG_INFINITY), larger),
                    PoolKind::Average => {
                        fold(tensor, &taps, first, out, Some(0.0), |sum, x| sum + x);
                        divide(out, taps.len());
                    }
                    PoolKind::AverageWithPad { after } => {
                        let end = [shape.h + after[0], shape.w + after[1]];
                        let padded = |axis: usize, at: usize| {
                            let start = at * window.stride[axis];
                            let inside =
                                |tap: &usize| start + tap * window.dilation[axis] < end[axis] + window.pad[axis];
                            (0..window.kernel[axis]).filter(inside).count()
                        };
                        fold(tensor, &taps, first, out, Some(0.0), |sum, x| sum + x);
                        divide(out, padded(0, y) * padded(1, x));
                    }
                }
            }
        }
    }
}

/// Folds the taps of some channels, the first of which is `first`, into `out`, from `start` or from what it holds.
#[inline(always)]
fn fold<const L: usize>(
    tensor: &[Vector<L>],
    taps: &[usize],
    first: usize,
    out: &mut [Vector<L>],
    start: Option<f32>,
    f: impl Fn(f32, f32) -> f32 + Copy,
) {
    for (channel, out) in out.iter_mut().enumerate() {
        let mut folded = start.map_or(*out, |start| [start; L]);
        for tap in taps {
            let x = &tensor[tap + first + channel];
            for lane in 0..L {
                folded[lane] = f(folded[lane], x[lane]);
            }
        }
        *out = folded;
    }
}

#[inline(always)]
fn larger(most: f32, x: f32) -> f32 {
    if x > most { x } else { most }
}

/// Folds consecutive pixels of a tensor of `shape` into the maxima that they belong to. Pixels come in order.
pub(super) struct Maxima<'a, const L: usize> {
    pub window: &'a Window,
    pub shape: Shape,
    pub pixels: Range<usize>,
    /// `[pixel][channel]`
    pub values: &'a [Vector<L>],
    /// The rows of maxima in `out`, each of `width` pixels.
    pub rows: Range<usize>,
    pub width: usize,
    pub slot: Slot,
    /// Where the first of the rows begins.
    pub first: usize,
    pub out: &'a mut [Vector<L>],
}

impl<const L: usize> Task for Maxima<'_, L> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Shape { c, w, .. } = self.shape;
        let Window { kernel, stride, pad, dilation } = *self.window;
        let mut taps = Vec::with_capacity(kernel[1]);
        for row in self.pixels.start / w..self.pixels.end.div_ceil(w) {
            let pixels = self.pixels.start.max(row * w)..self.pixels.end.min((row + 1) * w);
            let is_tap = |y: usize| (0..kernel[0]).any(|tap| y * stride[0] + tap * dilation[0] == row + pad[0]);
            for y in self.rows.clone().filter(|&y| is_tap(y)) {
                for x in 0..self.width {
                    let columns =
                        (0..kernel[1]).filter_map(|tap| (x * stride[1] + tap * dilation[1]).checked_sub(pad[1]));
                    let inside = columns.filter(|column| *column < w).map(|column| row * w + column);
                    taps.clear();
                    taps.extend(inside.filter(|at| pixels.contains(at)).map(|at| (at - self.pixels.start) * c));
                    let pixel = (y - self.rows.start) * self.width + x;
                    let out = &mut self.out[self.first + pixel * self.slot.channels..][..c];
                    for (part, out) in out.chunks_mut(CHANNELS).enumerate() {
                        fold(self.values, &taps, part * CHANNELS, out, None, larger);
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn divide<const L: usize>(out: &mut [Vector<L>], count: usize) {
    for x in out.as_flattened_mut() {
        *x /= count as f32;
    }
}

/// Normalises the pixels of `input`, a whole tensor of `channels` channels, into `out`, which begins with vector `first`
/// and holds nothing else.
pub(super) fn normalise<const L: usize>(
    isa: Isa,
    lrn: &Lrn,
    channels: usize,
    input: &[Vector<L>],
    first: usize,
    out: &mut [Vector<L>],
) {
    isa.run(Normalise { lrn, channels, input: &input[first..][..out.len()], out });
}

struct Normalise<'a, const L: usize> {
    lrn: &'a Lrn,
    channels: usize,
    input: &'a [Vector<L>],
    out: &'a mut [Vector<L>],
}

impl<const L: usize> Task for Normalise<'_, L> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Lrn { size, alpha, beta, bias } = *self.lrn;
        let (before, after, factor) = ((size - 1) / 2, size / 2, alpha / size as f32);
        for (pixel, out) in self.input.chunks_exact(self.channels).zip(self.out.chunks_exact_mut(self.channels)) {
            for (c, out) in out.iter_mut().enumerate() {
                let mut sum = [0.0; L];
                for x in &pixel[c.saturating_sub(before)..(c + after + 1).min(self.channels)] {
                    for lane in 0..L {
                        sum[lane] = x[lane].mul_add(x[lane], sum[lane]);
                    }
                }
                let base = sum.map(|sum| factor.mul_add(sum, bias));
                // The usual exponent needs no logarithm, and square roots are rounded correctly everywhere.
                let power = match beta {
                    0.75 => base.map(|base| base.sqrt() * base.sqrt().sqrt()),
                    beta => base.map(|base| base.powf(beta)),
                };
                for lane in 0..L {
                    out[lane] = pixel[c][lane] / power[lane];
                }
            }
        }
    }
}

/// Softmax over the channels of every pixel, in place.
pub(super) fn softmax<const L: usize>(channels: usize, values: &mut [Vector<L>]) {
    for pixel in values.chunks_exact_mut(channels) {
        for lane in 0..L {
            let most = pixel.iter().fold(f32::NEG_INFINITY, |most, x| most.max(x[lane]));
            let sum: f64 = pixel.iter().map(|x| f64::from(x[lane] - most).exp()).sum();
            pixel.iter_mut().for_each(|x| x[lane] = (f64::from(x[lane] - most).exp() / sum) as f32);
        }
    }
}
