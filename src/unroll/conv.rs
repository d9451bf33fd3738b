//! Convolutions: one edge per valid tap, weight = kernel value.

use super::check;
use super::error::Error;
use super::filter::{Kernel, Weights, column_factors, factor_of};
use super::view::View;
use crate::graph::{LayerKind, PanelKind};
use crate::net::{Conv, Layer};

/// Appends the kernel to the value store as `[out][kh][kw][in/groups]`, rows and columns times their factors.
pub(super) fn weights(
    layer: &Layer,
    conv: &Conv,
    input: &View,
    row_factors: &[f32],
    values: &mut Vec<f32>,
) -> Result<Weights, Error> {
    let channels = [input.shape.c, layer.shape.c];
    check::window(layer, &conv.window)?;
    for (what, found) in ["input channels", "output channels"].into_iter().zip(channels) {
        check::divides(layer, what, found, conv.groups)?;
    }
    let [inputs, outputs] = channels.map(|n| n / conv.groups);
    let taps = conv.window.kernel;
    let n_taps = taps[0] * taps[1];
    let fan_in = n_taps * inputs;
    check::count(layer, "kernel values", conv.weight.len(), layer.shape.c * fan_in)?;
    let columns = column_factors(layer, input)?;
    let base = values.len() as u64;
    values.reserve(conv.weight.len());
    for (o, kernel) in conv.weight.chunks_exact(fan_in).enumerate() {
        let row = factor_of(row_factors, o);
        let first = o / outputs * inputs;
        for tap in 0..n_taps {
            values.extend((0..inputs).map(|c| kernel[c * n_taps + tap] * row * columns[first + c]));
        }
    }
    let diagonal = conv.groups > 1 && inputs == 1 && outputs == 1;
    let kernel = Kernel {
        kind: if diagonal { PanelKind::Diagonal } else { PanelKind::Dense },
        base,
        out_stride: fan_in as u64,
        tap_stride: inputs as u64,
        groups: conv.groups as u32,
        group_outputs: outputs as u32,
        group_inputs: inputs as u32,
        taps,
    };
    let params = base..values.len() as u64;
    let (fan_in, taps) = (fan_in as u32, n_taps as u32);
    Ok(Weights { kind: LayerKind::Conv, kernel, window: conv.window, params, fan_in, taps })
}
