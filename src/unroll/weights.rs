//! What a layer kind tells the walk about its weights.

use std::ops::Range;

use super::Error;
use super::panel::Kernel;
use super::view::View;
use crate::graph::LayerKind;
use crate::net::{Layer, Window};

/// Weights of a layer, and the window they slide along.
#[derive(Clone, Debug)]
pub(super) struct Weights {
    /// What the layer is.
    pub kind: LayerKind,
    /// Where the weights are.
    pub kernel: Kernel,
    /// Its window.
    pub window: Window,
    /// Its own trained parameters in the value store.
    pub params: Range<u64>,
    /// Inputs of one unit.
    pub fan_in: u32,
    /// Taps of a kernel; 1 for dense layers, 0 for layers without parameters.
    pub taps: u32,
}

/// Row factor of an output channel; 1 if there are none.
pub(super) fn factor_of(row_factors: &[f32], channel: usize) -> f32 {
    row_factors.get(channel).copied().unwrap_or(1.0)
}

/// What normalisation multiplied each input channel by.
pub(super) fn column_factors(layer: &Layer, input: &View) -> Result<Vec<f32>, Error> {
    let mut factors = vec![None; input.shape.c];
    for channel in input.pieces.iter().flat_map(|piece| piece.place.channels.iter()) {
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

/// That a parameter tensor has as many values as its layer's shapes ask for.
pub(super) fn check_length(layer: &Layer, what: &'static str, found: usize, expected: usize) -> Result<(), Error> {
    if found == expected {
        return Ok(());
    }
    Err(Error::Parameters { layer: layer.name.clone(), what, found, expected })
}
