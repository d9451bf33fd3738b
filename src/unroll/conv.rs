//! Convolutions: one edge per valid tap, weight = kernel value.

use super::check;
use super::filter::{Filter, StoredKernel};
use super::{Error, ParameterOrder};
use crate::graph::{LayerKind, PanelKind};
use crate::net::{Conv, Layer, Shape};

/// The filter of a convolution whose parameters begin at `base` in the value store.
pub(super) fn filter(layer: &Layer, conv: &Conv, input: Shape, base: u64) -> Result<Filter, Error> {
    let channels = [input.c, layer.shape.c];
    check::window(layer, &conv.window)?;
    for (what, found) in ["input channels", "output channels"].into_iter().zip(channels) {
        check::divides(layer, what, found, conv.groups)?;
    }
    let [inputs, outputs] = channels.map(|n| n / conv.groups);
    let order = ParameterOrder::of_kernel(conv, input.c);
    check::count(layer, "kernel values", conv.weight.len(), layer.shape.c * order.fan_in())?;
    let diagonal = conv.groups > 1 && inputs == 1 && outputs == 1;
    let taps = conv.window.kernel;
    let kernel = StoredKernel {
        kind: if diagonal { PanelKind::Diagonal } else { PanelKind::Dense },
        base,
        out_stride: order.fan_in() as u64,
        tap_stride: inputs as u64,
        groups: conv.groups as u32,
        group_outputs: outputs as u32,
        group_inputs: inputs as u32,
        taps,
    };
    let params = base..base + conv.weight.len() as u64;
    let taps = (taps[0] * taps[1]) as u32;
    Ok(Filter { kind: LayerKind::Conv, kernel, window: conv.window, params, order: Some(order), taps })
}
