//! NULL MODELS: what would the frustration be if training had not put the weights where they are?
//!
//! # Definitions
//! After the paper, section "Numerical experiments". The weights of pooling layers never change.
//!
//! - **N1** permutes the parameters inside each convolution and each dense layer. All copies of one parameter stay equal.
//! - **N2** permutes the weights of all edges of all convolutions and dense layers together, edge by edge.
//! - **N3** draws the parameters anew as before training: He normal or Xavier uniform ([`Init`]). The fan-in is that of
//!   the layer; the fan-out, for Xavier, PyTorch's: outputs times taps.
//!
//! # N1 and N3
//! They change the value store only: [`n1()`] and [`n3()`] return another one, and [`Revalued`] is the graph with it. The
//! graph itself is never copied.
//!
//! # N2
//! Every edge has a weight of its own: [`n2::Unshared`] is the graph, made on disk and read as a one-way stream.
//!
//! # Determinism
//! A null model depends on (seed, kind with distribution, index) and the graph only. Its layers have a stream of ChaCha8
//! each, so that no layer's values depend on another's size. The bytes are a promise: they are the same on every platform
//! and in every later version.
//!
//! # Cost
//! 4 bytes and some nanoseconds a parameter (N3 about ten; N1 a cache miss where a layer is larger than the cache).
//!
//! ```
//! use frustration::graph::BlockStream;
//! use frustration::net::arch::{self, Init, Weights};
//! use frustration::null::{self, Revalued};
//! use frustration::unroll::{Options, Unrolled};
//! let net = arch::build("digits", Weights::Init { scheme: Init::He, seed: 1 }, None)?;
//! let graph = Unrolled::new(&net, Options::default())?;
//! let model = Revalued::new(&graph, null::n1(&graph, 7, 0)?)?;
//! assert_eq!(model.totals().n_edges, graph.totals().n_edges);
//! assert_ne!(model.values(), graph.values());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod n1;
pub mod n2;
mod n3;
#[cfg(test)]
mod tests;

use std::fmt;

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

pub use crate::graph::Revalued;
use crate::graph::{BlockStream, Layer};
pub use crate::net::arch::Init;
pub use n1::n1;
pub use n3::n3;

/// How a null model's weights come about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Parameters permuted inside each layer.
    N1,
    /// Weights permuted over all edges.
    N2,
    /// New parameters.
    N3(Init),
}

impl Kind {
    /// Its name on the command line and in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::N1 => "n1",
            Self::N2 => "n2",
            Self::N3(_) => "n3",
        }
    }

    /// What new parameters are drawn from.
    pub fn distribution(self) -> Option<&'static str> {
        match self {
            Self::N1 | Self::N2 => None,
            Self::N3(Init::He) => Some("he"),
            Self::N3(Init::Xavier) => Some("xavier"),
        }
    }

    /// The half of a generator's key that tells the kinds apart.
    fn tag(self) -> &'static [u8; 16] {
        match self {
            Self::N1 => b"null model n1   ",
            Self::N2 => b"null model n2   ",
            Self::N3(Init::He) => b"null model n3 he",
            Self::N3(Init::Xavier) => b"null model n3 xa",
        }
    }
}

/// One null model of a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Model {
    /// How its weights come about.
    pub kind: Kind,
    /// Its number among those of its kind and distribution.
    pub index: u32,
}

impl Model {
    /// A seed for the solver, so that runs on different null models are independent.
    pub fn solver_seed(self, seed: u64) -> u64 {
        // Layers have the streams from 0.
        rng(seed, self, u64::MAX).next_u64()
    }
}

/// `n1-0`, `n3-he-0`.
impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.name())?;
        if let Some(distribution) = self.kind.distribution() {
            write!(f, "-{distribution}")?;
        }
        write!(f, "-{}", self.index)
    }
}

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
        Kind::N3(init) => parametrised(layers).try_for_each(|layer| n3::fans(layer, init).map(drop)),
    }
}

/// The layers that have parameters of their own.
fn parametrised(layers: &[Layer]) -> impl Iterator<Item = &Layer> {
    layers.iter().filter(|layer| !layer.params.is_empty())
}

/// The generator of one stream of a null model.
fn rng(seed: u64, model: Model, stream: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&u64::from(model.index).to_le_bytes());
    key[16..].copy_from_slice(model.kind.tag());
    let mut rng = ChaCha8Rng::from_seed(key);
    rng.set_stream(stream);
    rng
}

/// The value store of a null model that differs from `graph` in the parameters of its layers: `change` gets each layer
/// that has some, with its generator and its parameters.
fn with_parameters(
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
