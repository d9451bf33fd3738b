//! Pooling and additions: every channel meets itself.

use super::check;
use super::error::Error;
use super::filter::{Filter, StoredKernel, column_factors, factor_of};
use super::view::View;
use crate::graph::LayerKind;
use crate::net::{Layer, Pool, PoolKind, Shape, Window};

/// Weight of each valid element of a pool of one element; the maximum's and the average's alike.
const POOL_WEIGHT: f64 = 0.01;

/// True for a window of one element: it computes nothing, so the layer is dropped. With a stride it is a slice.
pub(crate) fn is_slice(pool: &Pool, input: Shape, output: Shape) -> bool {
    let Window { kernel, stride, pad, .. } = pool.window;
    let taken = |n: usize, stride: usize| (stride > 0).then(|| n.div_ceil(stride));
    let sides = [taken(input.h, stride[0]), taken(input.w, stride[1])];
    kernel == [1, 1] && pad == [0, 0] && input.c == output.c && sides == [Some(output.h), Some(output.w)]
}

/// Appends `0.01/√(kh·kw)` to the value store: once, or for every channel if some have factors.
pub(super) fn weights(
    layer: &Layer,
    pool: &Pool,
    input: &View,
    row_factors: &[f32],
    values: &mut Vec<f32>,
) -> Result<Filter, Error> {
    check::window(layer, &pool.window)?;
    let taps = pool.window.kernel;
    let weight = (POOL_WEIGHT / ((taps[0] * taps[1]) as f64).sqrt()) as f32;
    let columns = column_factors(layer, input)?;
    let factors: Vec<f32> = (0..input.shape.c).map(|c| factor_of(row_factors, c) * columns[c]).collect();
    let kind = match pool.kind {
        PoolKind::Max => LayerKind::MaxPool,
        PoolKind::Average | PoolKind::AverageWithPad { .. } => LayerKind::AveragePool,
    };
    Ok(per_channel((kind, pool.window), weight, &factors, values))
}

/// Appends the `+1` of one addend of an addition that is a layer, times its factors, to the value store.
pub(super) fn addend(layer: &Layer, input: &View, values: &mut Vec<f32>) -> Result<Filter, Error> {
    let window = Window { kernel: [1, 1], stride: [1, 1], pad: [0, 0], dilation: [1, 1] };
    Ok(per_channel((LayerKind::Add, window), 1.0, &column_factors(layer, input)?, values))
}

/// A filter in which every channel meets itself: one value for all, or where they have factors one for each.
fn per_channel((kind, window): (LayerKind, Window), weight: f32, factors: &[f32], values: &mut Vec<f32>) -> Filter {
    let (base, shared) = (values.len() as u64, factors.iter().all(|factor| *factor == 1.0));
    match shared {
        true => values.push(weight),
        false => values.extend(factors.iter().map(|factor| weight * factor)),
    }
    let kernel = StoredKernel::diagonal(base, factors.len(), [u64::from(!shared), 0], window.kernel);
    Filter { kind, kernel, window, params: 0..0, order: None, taps: 0 }
}
