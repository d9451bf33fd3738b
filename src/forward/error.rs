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
