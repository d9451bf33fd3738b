//! N3: the parameters of each layer drawn anew, as before training.

use super::model::{Kind, Model};
use super::parameters::{Error, fans, with_parameters};
use crate::graph::BlockStream;
use crate::net::arch::{self, Init};

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
