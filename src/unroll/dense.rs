//! Dense layers: every input to every output, as a convolution whose window is the whole input.

use super::check;
use super::error::Error;
use super::filter::{Kernel, Weights, column_factors, factor_of};
use super::view::View;
use crate::graph::{LayerKind, PanelKind};
use crate::net::{Dense, Layer, Window};

/// Appends the weights to the value store as `[out][in]`, the inputs reordered to channels-last.
pub(super) fn weights(
    layer: &Layer,
    dense: &Dense,
    input: &View,
    row_factors: &[f32],
    values: &mut Vec<f32>,
) -> Result<Weights, Error> {
    let (n_pixels, n_channels) = (input.shape.h * input.shape.w, input.shape.c);
    let fan_in = n_pixels * n_channels;
    check::count(layer, "weights", dense.weight.len(), layer.shape.c * fan_in)?;
    let columns = column_factors(layer, input)?;
    let base = values.len() as u64;
    values.reserve(dense.weight.len());
    for (o, weights) in dense.weight.chunks_exact(fan_in).enumerate() {
        let row = factor_of(row_factors, o);
        for pixel in 0..n_pixels {
            values.extend((0..n_channels).map(|c| weights[c * n_pixels + pixel] * row * columns[c]));
        }
    }
    let taps = [input.shape.h, input.shape.w];
    let kernel = Kernel {
        kind: PanelKind::Dense,
        base,
        out_stride: fan_in as u64,
        tap_stride: n_channels as u64,
        groups: 1,
        group_outputs: layer.shape.c as u32,
        group_inputs: n_channels as u32,
        taps,
    };
    let window = Window { kernel: taps, stride: [1, 1], pad: [0, 0], dilation: [1, 1] };
    let params = base..values.len() as u64;
    Ok(Weights { kind: LayerKind::Dense, kernel, window, params, fan_in: fan_in as u32, taps: 1 })
}
