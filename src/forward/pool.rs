//! Pooling and local response normalisation: channels × lanes at a time.

use super::tensor::{Bands, Place};
use crate::kernel::multiply::Vector;
use crate::kernel::{Isa, LANES, Task};
use crate::net::{Lrn, Pool, PoolKind, Shape};

/// Channels of a part: their vectors stay in the first-level cache over the taps.
const CHANNELS: usize = 64;

/// Pools a tensor of shape `input` to one of shape `output` at `place` in `out`.
pub(super) fn run(isa: Isa, pool: &Pool, input: (&[Vector], Shape), output: Shape, place: Place, out: &mut [Vector]) {
    let starts = (0..output.h).map(|y| place.at(y * output.w, 0));
    Bands::cut(out, starts).each(|y, first, out| {
        let first = place.at(y * output.w, 0) - first;
        isa.run(Row { pool, input, y, width: output.w, place, first, out });
    });
}

/// One row of output pixels.
struct Row<'a> {
    pool: &'a Pool,
    input: (&'a [Vector], Shape),
    y: usize,
    width: usize,
    place: Place,
    first: usize,
    out: &'a mut [Vector],
}

impl Task for Row<'_> {
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
        for x in 0..self.width {
            taps.clear();
            for row in valid(0, self.y, shape.h) {
                taps.extend(valid(1, x, shape.w).map(|column| (row * shape.w + column) * shape.c));
            }
            let out = &mut self.out[self.first + x * self.place.channels..][..shape.c];
            for (part, out) in out.chunks_mut(CHANNELS).enumerate() {
                let first = part * CHANNELS;
                match self.pool.kind {
                    PoolKind::Max => {
                        let larger = |most: f32, x: f32| if x > most { x } else { most };
                        fold(tensor, &taps, first, out, f32::NEG_INFINITY, larger);
                    }
                    PoolKind::Average => {
                        fold(tensor, &taps, first, out, 0.0, |sum, x| sum + x);
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
                        fold(tensor, &taps, first, out, 0.0, |sum, x| sum + x);
                        divide(out, padded(0, self.y) * padded(1, x));
                    }
                }
            }
        }
    }
}

/// Folds the taps of some channels, the first of which is `first`.
#[inline(always)]
fn fold(
    tensor: &[Vector],
    taps: &[usize],
    first: usize,
    out: &mut [Vector],
    start: f32,
    f: impl Fn(f32, f32) -> f32 + Copy,
) {
    for (channel, out) in out.iter_mut().enumerate() {
        let mut folded = [start; LANES];
        for tap in taps {
            let x = &tensor[tap + first + channel];
            for lane in 0..LANES {
                folded[lane] = f(folded[lane], x[lane]);
            }
        }
        *out = folded;
    }
}

#[inline(always)]
fn divide(out: &mut [Vector], count: usize) {
    for x in out.as_flattened_mut() {
        *x /= count as f32;
    }
}

/// Normalises the pixels of `input`, a whole tensor of `channels` channels, into `out`, which begins with vector `first`
/// and holds nothing else.
pub(super) fn normalise(isa: Isa, lrn: &Lrn, channels: usize, input: &[Vector], first: usize, out: &mut [Vector]) {
    isa.run(Normalise { lrn, channels, input: &input[first..][..out.len()], out });
}

struct Normalise<'a> {
    lrn: &'a Lrn,
    channels: usize,
    input: &'a [Vector],
    out: &'a mut [Vector],
}

impl Task for Normalise<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Lrn { size, alpha, beta, bias } = *self.lrn;
        let (before, after, factor) = ((size - 1) / 2, size / 2, alpha / size as f32);
        for (pixel, out) in self.input.chunks_exact(self.channels).zip(self.out.chunks_exact_mut(self.channels)) {
            for (c, out) in out.iter_mut().enumerate() {
                let mut sum = [0.0; LANES];
                for x in &pixel[c.saturating_sub(before)..(c + after + 1).min(self.channels)] {
                    for lane in 0..LANES {
                        sum[lane] = x[lane].mul_add(x[lane], sum[lane]);
                    }
                }
                let base = sum.map(|sum| factor.mul_add(sum, bias));
                // The usual exponent needs no logarithm, and square roots are rounded correctly everywhere.
                let power = match beta {
                    0.75 => base.map(|base| base.sqrt() * base.sqrt().sqrt()),
                    beta => base.map(|base| base.powf(beta)),
                };
                for lane in 0..LANES {
                    out[lane] = pixel[c][lane] / power[lane];
                }
            }
        }
    }
}

/// Softmax over the channels of every pixel, in place.
pub(super) fn softmax(channels: usize, values: &mut [Vector]) {
    for pixel in values.chunks_exact_mut(channels) {
        for lane in 0..LANES {
            let most = pixel.iter().fold(f32::NEG_INFINITY, |most, x| most.max(x[lane]));
            let sum: f64 = pixel.iter().map(|x| f64::from(x[lane] - most).exp()).sum();
            pixel.iter_mut().for_each(|x| x[lane] = (f64::from(x[lane] - most).exp() / sum) as f32);
        }
    }
}
