//! Element by element: factors and addends, activations, sums.

use super::tensor::Slot;
use crate::kernel::images::{Vector, clamp};
use crate::kernel::{Isa, Task};
use crate::net::{Activation, BatchNorm, Scale, Shape};
use crate::unroll::ParameterOrder;

/// What happens to every element. Parameters repeat: element `e` of a tensor uses parameter `e % len`.
#[derive(Clone, Debug)]
pub(super) enum Elementwise {
    /// `x · mul + add`, rounded once.
    Affine(Vec<f32>, Vec<f32>),
    /// `min(high, max(low, x))`.
    Clamp(f32, f32),
    /// `x` if positive, else `slope · x`.
    Leaky(Vec<f32>),
    /// Another activation.
    Other(Activation),
}

impl Elementwise {
    /// Batch normalisation of a tensor of `shape` whose elements have the order `order`.
    pub fn norm(norm: &BatchNorm, shape: Shape, order: Shape) -> Self {
        let channel = |c: usize| {
            let [gamma, beta, mean, var] = [&norm.gamma, &norm.beta, &norm.mean, &norm.var].map(|v| f64::from(v[c]));
            let factor = gamma / (var + f64::from(norm.epsilon)).sqrt();
            (factor as f32, (beta - mean * factor) as f32)
        };
        let (mul, add): (Vec<f32>, Vec<f32>) = (0..norm.gamma.len()).map(channel).unzip();
        Self::Affine(ordered(&mul, shape, order), ordered(&add, shape, order))
    }

    /// Scaling and shifting of a tensor of `shape` whose elements have the order `order`.
    pub fn scale(scale: &Scale, shape: Shape, order: Shape) -> Self {
        let pixels = shape.h * shape.w;
        let mul = match scale.add.len() == scale.mul.len() {
            true => scale.mul.clone(),
            false => scale.mul.iter().flat_map(|mul| vec![*mul; pixels]).collect(),
        };
        Self::Affine(ordered(&mul, shape, order), ordered(&scale.add, shape, order))
    }

    /// An activation of a tensor of `shape` whose elements have the order `order`.
    pub fn activation(activation: &Activation, shape: Shape, order: Shape) -> Self {
        match activation {
            Activation::Relu => Self::Clamp(0.0, f32::INFINITY),
            Activation::Clip(low, high) => Self::Clamp(*low, *high),
            Activation::LeakyRelu(slope) => Self::Leaky(vec![*slope]),
            Activation::PRelu(slopes) => Self::Leaky(ordered(slopes, shape, order)),
            other => Self::Other(other.clone()),
        }
    }

    /// Applies it to some elements, the first of which is `first`, in place.
    pub fn apply<const L: usize>(&self, isa: Isa, first: usize, values: &mut [Vector<L>]) {
        match self {
            Self::Affine(mul, add) => {
                let f = |e: usize, x: f32| x.mul_add(mul[e], add[e]);
                isa.run(EachElement { values, f, first, period: mul.len().min(add.len()) });
            }
            Self::Clamp(low, high) => {
                isa.run(EachElement { values, f: |_: usize, x: f32| clamp(x, *low, *high), first: 0, period: 1 });
            }
            Self::Leaky(slopes) => {
                let f = |e: usize, x: f32| if x > 0.0 { x } else { slopes[e] * x };
                isa.run(EachElement { values, f, first, period: slopes.len() });
            }
            Self::Other(activation) => {
                values.as_flattened_mut().iter_mut().for_each(|x| *x = activate(activation, *x));
            }
        }
    }
}

/// Parameters per channel or per element (channel-major), in the order of the tensor's elements.
fn ordered(values: &[f32], shape: Shape, order: Shape) -> Vec<f32> {
    if values.len() == shape.c && order == shape {
        return values.to_vec();
    }
    let pixels = shape.h * shape.w;
    let value = |element: usize| values[if values.len() == shape.c { element / pixels } else { element }];
    let channels_last = ParameterOrder::of_dense(order);
    (0..order.len()).map(|at| value(channels_last.in_model(at))).collect()
}

/// `f(e mod period, x)` for all lanes of all elements `e`, from `first` on.
struct EachElement<'a, F, const L: usize> {
    values: &'a mut [Vector<L>],
    f: F,
    first: usize,
    period: usize,
}

impl<F: Fn(usize, f32) -> f32, const L: usize> Task for EachElement<'_, F, L> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let mut e = self.first % self.period;
        for values in self.values {
            for x in values {
                *x = (self.f)(e, *x);
            }
            e = if e + 1 == self.period { 0 } else { e + 1 };
        }
    }
}

/// A value after an activation that no other form covers.
fn activate(activation: &Activation, x: f32) -> f32 {
    let exp_m1 = |alpha: f32| if x > 0.0 { x } else { alpha * x.exp_m1() };
    match activation {
        Activation::Sigmoid => 1.0 / (1.0 + (-x).exp()),
        Activation::Tanh => x.tanh(),
        Activation::HardSigmoid(alpha, beta) => clamp(alpha * x + beta, 0.0, 1.0),
        Activation::Elu(alpha) => exp_m1(*alpha),
        Activation::Selu(gamma, alpha) => gamma * exp_m1(*alpha),
        Activation::Softplus => clamp(x, 0.0, f32::INFINITY) + (-x.abs()).exp().ln_1p(),
        Activation::Softsign => x / (1.0 + x.abs()),
        Activation::Relu | Activation::LeakyRelu(_) | Activation::PRelu(_) | Activation::Clip(..) => {
            unreachable!("these have a form of their own")
        }
    }
}

/// Adds tensors in order, from the first: `out` are the elements from `first` on.
pub(super) fn sum<const L: usize>(isa: Isa, inputs: &[&[Vector<L>]], first: usize, out: &mut [Vector<L>]) {
    isa.run(SumOfInputs { inputs, first, out });
}

struct SumOfInputs<'a, const L: usize> {
    inputs: &'a [&'a [Vector<L>]],
    first: usize,
    out: &'a mut [Vector<L>],
}

impl<const L: usize> Task for SumOfInputs<'_, L> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let range = self.first..self.first + self.out.len();
        self.out.copy_from_slice(&self.inputs[0][range.clone()]);
        for input in &self.inputs[1..] {
            for (out, x) in self.out.iter_mut().zip(&input[range.clone()]) {
                for lane in 0..L {
                    out[lane] += x[lane];
                }
            }
        }
    }
}

/// Copies the tensor `input` of `n` channels to its place among others', for the pixels of `out`, which begins with vector
/// `first` of the buffer.
pub(super) fn copy<const L: usize>(input: &[Vector<L>], n: usize, slot: Slot, first: usize, out: &mut [Vector<L>]) {
    let first_pixel = first / slot.channels;
    for (pixel, out) in out.chunks_mut(slot.channels).enumerate() {
        out[slot.offset..][..n].copy_from_slice(&input[(first_pixel + pixel) * n..][..n]);
    }
}
