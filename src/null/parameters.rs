//! The parameters of layers, which null models permute or draw anew.

use rand_chacha::ChaCha8Rng;

use super::model::{Kind, Model, rng};
use crate::graph::{BlockStream, Layer, LayerKind};
use crate::net::arch::Init;

/// Why a graph has no such null model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nothing to permute or to draw.
    #[error(
        "no layer of the graph has parameters of its own; null models are of networks, from pipeline build-graph, not of imported graphs"
    )]
    NoParameters,
    /// The numbers that a distribution depends on make no sense.
    #[error(
        "layer `{layer}` has {n_params} parameters and a fan-in of {fan_in}, expected a multiple; rebuild the graph with pipeline build-graph"
    )]
    FanIn {
        /// The layer.
        layer: String,
        /// Its parameters.
        n_params: u64,
        /// Inputs of a unit.
        fan_in: u32,
    },
    /// The fan-out of a convolution is outputs times taps.
    #[error(
        "the graph does not say how many taps the kernels of layer `{layer}` have, which Xavier's bound depends on; rebuild it with pipeline build-graph"
    )]
    Taps {
        /// The layer.
        layer: String,
    },
}

/// Whether a graph has null models of a kind. Cost: O(layers).
///
/// # Errors
/// Why it has none. What makes them fails the same way.
pub fn check(layers: &[Layer], kind: Kind) -> Result<(), Error> {
    if parametrised(layers).next().is_none() {
        return Err(Error::NoParameters);
    }
    match kind {
        Kind::N1 | Kind::N2 => Ok(()),
        Kind::N3(init) => parametrised(layers).try_for_each(|layer| fans(layer, init).map(drop)),
    }
}

/// The layers that have parameters of their own.
fn parametrised(layers: &[Layer]) -> impl Iterator<Item = &Layer> {
    layers.iter().filter(|layer| !layer.params.is_empty())
}

/// The value store of a null model that differs from `graph` in the parameters of its layers: `change` gets each layer
/// that has some, with its generator and its parameters.
pub(super) fn with_parameters(
    graph: &dyn BlockStream,
    (seed, model): (u64, Model),
    mut change: impl FnMut(&Layer, &mut ChaCha8Rng, &mut [f32]) -> Result<(), Error>,
) -> Result<Vec<f32>, Error> {
    check(graph.layers(), model.kind)?;
    let mut values = graph.values().to_vec();
    for (stream, layer) in (0..).zip(parametrised(graph.layers())) {
        let params = &mut values[layer.params.start as usize..layer.params.end as usize];
        change(layer, &mut rng(seed, model, stream), params)?;
    }
    Ok(values)
}

/// Fan-in and fan-out of a layer by PyTorch's definition, as [`arch::fans`](crate::net::arch) has them; the latter 0 for He, which does not
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
