//! N3: the parameters of each layer drawn anew, as before training.

use super::{Error, Init, Kind, Model, with_parameters};
use crate::graph::{BlockStream, Layer, LayerKind};
use crate::net::arch;

/// The value store of N3 model `index`: new parameters for every layer that has some.
///
/// # Errors
/// If no layer has parameters, or a layer does not say what its distribution depends on.
pub fn n3(graph: &dyn BlockStream, init: Init, seed: u64, index: u32) -> Result<Vec<f32>, Error> {
    let model = Model { kind: Kind::N3(init), index };
    with_parameters(graph, (seed, model), |layer, rng, params| {
        let (fan_in, fan_out) = fans(layer, init)?;
        arch::draw(init, fan_in, fan_out, rng, params);
        Ok(())
    })
}

/// Fan-in and fan-out of a layer by PyTorch's definition, as [`arch::fans`] has them; the latter 0 for He, which does not
/// depend on it.
pub(super) fn fans(layer: &Layer, init: Init) -> Result<(usize, usize), Error> {
    let (n_params, fan_in) = (layer.params.end - layer.params.start, layer.fan_in);
    let name = || layer.name.clone();
    if fan_in == 0 || n_params % u64::from(fan_in) != 0 {
        return Err(Error::FanIn { layer: name(), n_params, fan_in });
    }
    let taps = match (init, layer.kind, layer.taps) {
        (Init::He, ..) => 0,
        (Init::Xavier, LayerKind::Dense, _) => 1,
        (Init::Xavier, _, 0) => return Err(Error::Taps { layer: name() }),
        (Init::Xavier, _, taps) => taps,
    };
    let n_outputs = n_params / u64::from(fan_in);
    Ok((fan_in as usize, n_outputs as usize * taps as usize))
}
