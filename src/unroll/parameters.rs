//! The order of a layer's parameters: as model files have them, and as the value store has them.
//!
//! ONNX and PyTorch store a kernel as `[out][in][tap]`: for an output channel all taps of its first input channel, then all
//! of the second. The nodes of a pixel are numbered by channel, so what a window reads at one tap are consecutive nodes.
//! Their weights should be consecutive, too: the value store has a kernel as `[out][tap][in]`.
//!
//! ```text
//! two input channels a, b, four taps 0 to 3, one output channel
//!     model file    a0 a1 a2 a3 b0 b1 b2 b3        in · n_taps + tap
//!     value store   a0 b0 a1 b1 a2 b2 a3 b3        tap · n_inputs + in
//! ```
//!
//! A dense layer over a flattened tensor of `c × h × w` elements is the same with the pixels as its taps: files have
//! `[out][channel][pixel]`, the store `[out][pixel][channel]`. Output channels stay where they are, so that one layout serves
//! every row: [`ParameterOrder`].

use std::ops::Range;

use crate::net::{Conv, Shape};

/// Where the parameters of one layer are, in the model's order and in the value store's.
///
/// A 2×2 kernel with two input channels and two output channels:
/// ```
/// use frustration::unroll::ParameterOrder;
///
/// let order = ParameterOrder::new(2, 4);
/// let model: Vec<f32> = (0..16).map(|at| at as f32).collect();
/// let stored: Vec<f32> = model.chunks(order.fan_in()).flat_map(|unit| order.taps(unit).flatten().map(|(_, w)| w)).collect();
/// assert_eq!(stored[..8], [0.0, 4.0, 1.0, 5.0, 2.0, 6.0, 3.0, 7.0]);
/// assert_eq!(stored[8..], [8.0, 12.0, 9.0, 13.0, 10.0, 14.0, 11.0, 15.0]);
/// assert!((0..16).all(|at| stored[at] == model[order.in_model(at)]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParameterOrder {
    n_inputs: usize,
    n_taps: usize,
}

impl ParameterOrder {
    /// Of a layer whose units read `n_inputs` channels at `n_taps` taps or pixels.
    pub fn new(n_inputs: usize, n_taps: usize) -> Self {
        Self { n_inputs, n_taps }
    }

    /// Of a convolution of a tensor of `channels` channels.
    pub(crate) fn of_kernel(conv: &Conv, channels: usize) -> Self {
        Self::new(channels / conv.groups, conv.window.kernel[0] * conv.window.kernel[1])
    }

    /// Of a dense layer over the flattening of a tensor of shape `input`.
    pub(crate) fn of_dense(input: Shape) -> Self {
        Self::new(input.c, input.h * input.w)
    }

    /// Parameters of one unit, that is of one output channel.
    pub fn fan_in(self) -> usize {
        self.n_inputs * self.n_taps
    }

    /// Where in the model's parameters the one is that the value store has at `stored`, counted from the layer's first.
    pub fn in_model(self, stored: usize) -> usize {
        let (unit, within) = (stored / self.fan_in(), stored % self.fan_in());
        unit * self.fan_in() + within % self.n_inputs * self.n_taps + within / self.n_inputs
    }

    /// One unit's parameters in the order of the value store: tap by tap, each with its input channel.
    pub fn taps(self, unit: &[f32]) -> impl Iterator<Item = impl Iterator<Item = (usize, f32)>> {
        let Self { n_inputs, n_taps } = self;
        (0..n_taps).map(move |tap| (0..n_inputs).map(move |input| (input, unit[input * n_taps + tap])))
    }
}

/// Which of the value store's values are the parameters of a layer, one by one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredParameters {
    /// Index of the network layer.
    pub layer: usize,
    /// Where its parameters are in the value store.
    pub values: Range<u64>,
    /// In which order.
    pub order: ParameterOrder,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn both_orders_have_every_parameter_once(n_units in 1_usize..5, n_inputs in 1_usize..7, n_taps in 1_usize..10) {
            let order = ParameterOrder::new(n_inputs, n_taps);
            let n = n_units * order.fan_in();
            let found: Vec<usize> = (0..n).map(|stored| order.in_model(stored)).collect();
            let model: Vec<f32> = (0..n).map(|position| position as f32).collect();
            let stored: Vec<_> = model.chunks(order.fan_in()).flat_map(|unit| order.taps(unit).flatten()).collect();
            for (at, &(input, parameter)) in found.iter().zip(&stored) {
                prop_assert_eq!((*at as f32, at / n_taps % n_inputs), (parameter, input));
            }
            let mut sorted = found;
            sorted.sort_unstable();
            prop_assert!(sorted.into_iter().eq(0..n));
        }
    }
}
