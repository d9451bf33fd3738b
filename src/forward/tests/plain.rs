//! The definition: every operator by the obvious loops, one image at a time, sums in f64.

use crate::net::{Activation, Conv, Dense, Layer, Lrn, Network, Op, Pool, PoolKind, Shape, Window};

/// The outputs of all layers for one image, each channel-major in f32.
pub(super) fn tensors(net: &Network, image: &[f32]) -> Vec<Vec<f32>> {
    let mut tensors: Vec<Vec<f32>> = Vec::with_capacity(net.layers.len());
    for layer in &net.layers {
        let inputs: Vec<ChannelMajor> =
            layer.inputs.iter().map(|&i| ChannelMajor { shape: net.layers[i].shape, values: &tensors[i] }).collect();
        tensors.push(if let Op::Input = layer.op { image.to_vec() } else { evaluate(layer, &inputs) });
    }
    tensors
}

#[derive(Clone, Copy)]
struct ChannelMajor<'a> {
    shape: Shape,
    values: &'a [f32],
}

impl ChannelMajor<'_> {
    /// An element, or nothing outside the image.
    fn at(&self, c: usize, y: isize, x: isize) -> Option<f32> {
        let (y, x) = (usize::try_from(y).ok()?, usize::try_from(x).ok()?);
        (y < self.shape.h && x < self.shape.w).then(|| self.values[(c * self.shape.h + y) * self.shape.w + x])
    }
}

fn evaluate(layer: &Layer, inputs: &[ChannelMajor]) -> Vec<f32> {
    let (shape, input) = (layer.shape, inputs[0]);
    let per_channel = |f: &dyn Fn(usize, f32) -> f32| {
        let pixels = shape.h * shape.w;
        input.values.iter().enumerate().map(|(at, &x)| f(at / pixels, x)).collect()
    };
    match &layer.op {
        Op::Input | Op::Flatten => input.values.to_vec(),
        Op::Conv(conv) => elements(shape, |c, y, x| convolve(conv, shape, &input, c, y, x)),
        Op::Dense(dense) => multiply(dense, shape.c, &input),
        Op::Pool(pool) => elements(shape, |c, y, x| pooled(pool, &input, c, y, x)),
        Op::Activation(activation) => per_channel(&|c, x| activate(activation, c, x)),
        Op::BatchNorm(norm) => per_channel(&|c, x| {
            let scale = norm.gamma[c] / (norm.var[c] + norm.epsilon).sqrt();
            (x - norm.mean[c]) * scale + norm.beta[c]
        }),
        Op::Lrn(lrn) => elements(shape, |c, y, x| normalised(lrn, &input, c, y, x)),
        Op::Scale(scale) => {
            let pixels = shape.h * shape.w;
            let add = |at: usize| if scale.add.len() == shape.c { scale.add[at / pixels] } else { scale.add[at] };
            input.values.iter().enumerate().map(|(at, x)| x * scale.mul[at / pixels] + add(at)).collect()
        }
        Op::Concat => inputs.iter().flat_map(|input| input.values.iter().copied()).collect(),
        Op::Add => (0..shape.len()).map(|at| inputs.iter().map(|input| input.values[at]).sum()).collect(),
        Op::Shuffle { groups } => {
            let m = shape.c / groups;
            elements(shape, |c, y, x| input.at(c % groups * m + c / groups, y as isize, x as isize).unwrap_or(0.0))
        }
        Op::Slice { begin, step } => elements(shape, |c, y, x| {
            let [c, y, x] =
                [c, y, x].into_iter().enumerate().map(|(a, k)| begin[a] + k * step[a]).collect::<Vec<_>>()[..]
            else {
                unreachable!("three axes")
            };
            input.at(c, y as isize, x as isize).unwrap_or(0.0)
        }),
        Op::Pad { before } => elements(shape, |c, y, x| {
            let Some(c) = c.checked_sub(before[0]).filter(|c| *c < input.shape.c) else { return 0.0 };
            input.at(c, y as isize - before[1] as isize, x as isize - before[2] as isize).unwrap_or(0.0)
        }),
        Op::Softmax => softmax(&input),
    }
}

fn elements(shape: Shape, f: impl Fn(usize, usize, usize) -> f32) -> Vec<f32> {
    let mut values = Vec::with_capacity(shape.len());
    for c in 0..shape.c {
        for y in 0..shape.h {
            values.extend((0..shape.w).map(|x| f(c, y, x)));
        }
    }
    values
}

/// The taps of a window at one output pixel: row and column of the input, inside it or not.
fn taps(window: &Window, y: usize, x: usize) -> impl Iterator<Item = (isize, isize)> {
    let Window { kernel, stride, pad, dilation } = *window;
    let at = move |axis: usize, out: usize, tap: usize| {
        (out * stride[axis] + tap * dilation[axis]) as isize - pad[axis] as isize
    };
    (0..kernel[0]).flat_map(move |i| (0..kernel[1]).map(move |j| (at(0, y, i), at(1, x, j))))
}

fn convolve(conv: &Conv, shape: Shape, input: &ChannelMajor, o: usize, y: usize, x: usize) -> f32 {
    let n_inputs = input.shape.c / conv.groups;
    let first = o / (shape.c / conv.groups) * n_inputs;
    let n_taps = conv.window.kernel[0] * conv.window.kernel[1];
    let mut sum = conv.bias.as_ref().map_or(0.0, |bias| f64::from(bias[o]));
    for c in 0..n_inputs {
        for (tap, (row, column)) in taps(&conv.window, y, x).enumerate() {
            let weight = conv.weight[(o * n_inputs + c) * n_taps + tap];
            sum += f64::from(weight) * f64::from(input.at(first + c, row, column).unwrap_or(0.0));
        }
    }
    sum as f32
}

fn multiply(dense: &Dense, n_outputs: usize, input: &ChannelMajor) -> Vec<f32> {
    let output = |o: usize| {
        let weights = &dense.weight[o * input.values.len()..][..input.values.len()];
        let sum: f64 = weights.iter().zip(input.values).map(|(w, x)| f64::from(*w) * f64::from(*x)).sum();
        (sum + dense.bias.as_ref().map_or(0.0, |bias| f64::from(bias[o]))) as f32
    };
    (0..n_outputs).map(output).collect()
}

fn pooled(pool: &Pool, input: &ChannelMajor, c: usize, y: usize, x: usize) -> f32 {
    let valid: Vec<f32> = taps(&pool.window, y, x).filter_map(|(row, column)| input.at(c, row, column)).collect();
    let sum: f64 = valid.iter().map(|x| f64::from(*x)).sum();
    match pool.kind {
        PoolKind::Max => valid.iter().copied().fold(f32::NEG_INFINITY, f32::max),
        PoolKind::Average => (sum / valid.len() as f64) as f32,
        PoolKind::AverageWithPad { after } => {
            let end = [input.shape.h + after[0], input.shape.w + after[1]].map(|n| n as isize);
            let padded = taps(&pool.window, y, x).filter(|(row, column)| *row < end[0] && *column < end[1]);
            (sum / padded.count() as f64) as f32
        }
    }
}

fn normalised(lrn: &Lrn, input: &ChannelMajor, c: usize, y: usize, x: usize) -> f32 {
    let value = |c: usize| f64::from(input.at(c, y as isize, x as isize).unwrap_or(0.0));
    let first = c.saturating_sub((lrn.size - 1) / 2);
    let last = (c + lrn.size / 2).min(input.shape.c - 1);
    let sum: f64 = (first..=last).map(|c| value(c) * value(c)).sum();
    let base = f64::from(lrn.bias) + f64::from(lrn.alpha) / lrn.size as f64 * sum;
    (value(c) / base.powf(f64::from(lrn.beta))) as f32
}

/// A value after an activation, in channel `c`.
pub(super) fn activate(activation: &Activation, c: usize, x: f32) -> f32 {
    let exp_m1 = |alpha: f32| if x > 0.0 { x } else { alpha * x.exp_m1() };
    match activation {
        Activation::Relu => x.max(0.0),
        Activation::LeakyRelu(slope) => {
            if x > 0.0 {
                x
            } else {
                slope * x
            }
        }
        Activation::PRelu(slopes) => {
            if x > 0.0 {
                x
            } else {
                slopes[c] * x
            }
        }
        Activation::Clip(low, high) => x.max(*low).min(*high),
        Activation::Sigmoid => 1.0 / (1.0 + (-x).exp()),
        Activation::Tanh => x.tanh(),
        Activation::HardSigmoid(alpha, beta) => (alpha * x + beta).clamp(0.0, 1.0),
        Activation::Elu(alpha) => exp_m1(*alpha),
        Activation::Selu(gamma, alpha) => gamma * exp_m1(*alpha),
        Activation::Softplus => x.max(0.0) + (-x.abs()).exp().ln_1p(),
        Activation::Softsign => x / (1.0 + x.abs()),
    }
}

fn softmax(input: &ChannelMajor) -> Vec<f32> {
    let pixels = input.shape.h * input.shape.w;
    let mut values = vec![0.0; input.values.len()];
    for pixel in 0..pixels {
        let channels = || input.values.iter().skip(pixel).step_by(pixels).copied();
        let most = channels().fold(f32::NEG_INFINITY, f32::max);
        let sum: f64 = channels().map(|x| f64::from(x - most).exp()).sum();
        for (value, x) in values.iter_mut().skip(pixel).step_by(pixels).zip(channels()) {
            *value = (f64::from(x - most).exp() / sum) as f32;
        }
    }
    values
}
