//! What cannot be evaluated.

use crate::unroll;

/// A network that has no forward pass here.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Layers that do not fit each other, or a window without taps.
    #[error(transparent)]
    Layer(#[from] unroll::Error),
    /// A network without layers, or one that begins with something else than its input.
    #[error("the network has no input layer at its beginning; the model file was misread")]
    NoInput,
    /// An image that enters twice.
    #[error("layer `{layer}` is a second input, expected one; the model file was misread")]
    SecondInput {
        /// The layer.
        layer: String,
    },
}

/// An output of a layer that is infinite or no number at all.
#[derive(Debug, PartialEq, thiserror::Error)]
#[error(
    "layer `{layer}` gives {value}, expected numbers of single precision; weights or inputs are too large (is the preprocessing that of the training?)"
)]
pub struct NotFinite {
    /// The layer, the first of them.
    pub layer: String,
    /// Its image.
    pub lane: usize,
    /// What was found.
    pub value: f32,
}
