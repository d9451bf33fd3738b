//! What cannot be perturbed or measured.

use crate::forward::NotFinite;

/// What cannot be perturbed or measured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No λ of nothing.
    #[error("there are no output alignment fractions")]
    Empty,
    /// Not a fraction.
    #[error("an output alignment fraction is {omega}, expected a number from 0 to 1")]
    Omega {
        /// What was found.
        omega: f64,
    },
    /// A state of another graph.
    #[error("the state has {found} bytes, expected {expected} for {n_nodes} nodes; solve this graph")]
    State {
        /// Bytes of the state.
        found: usize,
        /// Bytes of a state of the graph.
        expected: usize,
        /// Nodes of the graph.
        n_nodes: u32,
    },
    /// The last layer of the graph is not what the network returns.
    #[error(
        "the logits are the output of layer `{logits}`, but the last layer of the graph is `{layer}` and `{between}` changes more than values on the way; perturbations need a network that ends in a convolution, a pool or a dense layer"
    )]
    Output {
        /// The layer that gives the logits.
        logits: String,
        /// The last layer of the graph.
        layer: String,
        /// What is between them.
        between: String,
    },
    /// A network that overflows.
    #[error("image {image}, counted from 0, or a perturbation of it")]
    NotFinite {
        /// Index of the image.
        image: usize,
        /// Which layer.
        #[source]
        source: NotFinite,
    },
    /// Stored values are not the network's parameters, one by one.
    #[error(
        "the graph's weights were multiplied by batch normalisation or scaling, so new ones are not the network's parameters; build the graph with --batch-norm ignore"
    )]
    Scaled,
    /// The work was ended from outside.
    #[error("interrupted")]
    Interrupted,
}
