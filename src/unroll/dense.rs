//! Dense layers: every input to every output, as a convolution whose window is the whole input.

use super::check;
use super::filter::{Filter, StoredKernel};
use super::{Error, ParameterOrder};
use crate::graph::{LayerKind, PanelKind};
use crate::net::{Dense, Layer, Shape, Window};

/// The filter of a dense layer over the flattening of `input`, whose parameters begin at `base` in the value store.
pub(super) fn filter(layer: &Layer, dense: &Dense, input: Shape, base: u64) -> Result<Filter, Error> {
    let order = ParameterOrder::of_dense(input);
    check::count(layer, "weights", dense.weight.len(), layer.shape.c * order.fan_in())?;
    let taps = [input.h, input.w];
    let kernel = StoredKernel {
        kind: PanelKind::Dense,
        base,
        out_stride: order.fan_in() as u64,
        tap_stride: input.c as u64,
        groups: 1,
        group_outputs: layer.shape.c as u32,
        group_inputs: input.c as u32,
        taps,
    };
    let window = Window { kernel: taps, stride: [1, 1], pad: [0, 0], dilation: [1, 1] };
    let params = base..base + dense.weight.len() as u64;
    Ok(Filter { kind: LayerKind::Dense, kernel, window, params, order: Some(order), taps: 1 })
}
