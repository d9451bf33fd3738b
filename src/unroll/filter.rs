//! Filters: a kernel, where its values are, and the window in which it slides over the input.
//!
//! Every layer with nodes is one to the unroller. A dense layer has a window as large as its input; a pool and an addition
//! have a kernel in which every channel meets itself alone.

use std::ops::Range;

use super::view::View;
use super::{Error, ParameterOrder};
use crate::graph::{LayerKind, PanelKind};
use crate::net::{Layer, Window};

/// Filter of a layer, and the window they slide along.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    /// What the layer is.
    pub kind: LayerKind,
    /// Where the weights are.
    pub kernel: StoredKernel,
    /// Its window.
    pub window: Window,
    /// Its own trained parameters in the value store.
    pub params: Range<u64>,
    /// Their order; none for layers without.
    pub order: Option<ParameterOrder>,
    /// Taps of a kernel; 1 for dense layers, 0 for layers without parameters.
    pub taps: u32,
}

/// Where the weights of a layer are: output channel `o`, tap `t` (row-major), input channel `c` of its group at
/// `base + o · out_stride + t · tap_stride + c`.
#[derive(Clone, Copy, Debug)]
pub(super) struct StoredKernel {
    /// Dense, or diagonal where every channel meets only itself.
    pub kind: PanelKind,
    /// First value.
    pub base: u64,
    /// Values between output channels.
    pub out_stride: u64,
    /// Values between taps.
    pub tap_stride: u64,
    /// Channel groups; all channels if diagonal.
    pub groups: u32,
    /// Output channels in a group.
    pub group_outputs: u32,
    /// Input channels in a group.
    pub group_inputs: u32,
    /// Vertical and horizontal taps.
    pub taps: [usize; 2],
}

impl StoredKernel {
    /// The kernel of a layer that pairs `channels` channels one to one.
    pub fn diagonal(base: u64, channels: usize, strides: [u64; 2], taps: [usize; 2]) -> Self {
        let [out_stride, tap_stride] = strides;
        let (kind, groups) = (PanelKind::Diagonal, channels as u32);
        Self { kind, base, out_stride, tap_stride, groups, group_outputs: 1, group_inputs: 1, taps }
    }
    /// `Σ|w|` over the outputs that read each tap and input channel, `[tap][channel]`, summed in output order; one tap
    /// for all if they share their values.
    pub fn column_sums(&self, values: &[f32]) -> Vec<f64> {
        let n_channels = (self.groups * self.group_inputs) as usize;
        let n_taps = if self.tap_stride == 0 { 1 } else { self.taps[0] * self.taps[1] };
        let mut sums = vec![0.0; n_taps * n_channels];
        for o in 0..self.groups * self.group_outputs {
            let first_channel = (o / self.group_outputs * self.group_inputs) as usize;
            for (tap, sums) in sums.chunks_exact_mut(n_channels).enumerate() {
                let at = (self.base + u64::from(o) * self.out_stride + tap as u64 * self.tap_stride) as usize;
                let weights = &values[at..at + self.group_inputs as usize];
                for (sum, w) in sums[first_channel..].iter_mut().zip(weights) {
                    *sum += f64::from(w.abs());
                }
            }
        }
        sums
    }
}

/// Appends a layer's own parameters to the value store, each times the factors of its row and of its column.
pub(super) fn store(values: &mut Vec<f32>, weights: &[f32], filter: &Filter, [rows, columns]: [&[f32]; 2]) {
    let Some(order) = filter.order else { return };
    let [outputs, inputs] = [filter.kernel.group_outputs, filter.kernel.group_inputs].map(|n| n as usize);
    values.reserve(weights.len());
    for (output, unit) in weights.chunks_exact(order.fan_in()).enumerate() {
        let (row, columns) = (factor_of(rows, output), &columns[output / outputs * inputs..]);
        for tap in order.taps(unit) {
            values.extend(tap.map(|(input, weight)| weight * row * columns[input]));
        }
    }
}

/// Row factor of an output channel; 1 if there are none.
pub(super) fn factor_of(row_factors: &[f32], channel: usize) -> f32 {
    row_factors.get(channel).copied().unwrap_or(1.0)
}

/// What normalisation multiplied each input channel by.
pub(super) fn column_factors(layer: &Layer, input: &View) -> Result<Vec<f32>, Error> {
    let mut factors = vec![None; input.shape.c];
    for channel in input.contributions.iter().flat_map(|contribution| contribution.elements.channels.iter()) {
        let index = channel.tensor as usize;
        match factors[index].replace(channel.factor) {
            Some(first) if first != channel.factor => {
                let second = channel.factor;
                return Err(Error::MixedFactors { layer: layer.name.clone(), channel: index, first, second });
            }
            _ => {}
        }
    }
    Ok(factors.into_iter().map(|factor| factor.unwrap_or(1.0)).collect())
}
