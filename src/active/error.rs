//! What can go wrong with active subnetworks.

use crate::graph;
use crate::net::Shape;

/// An active subnetwork that cannot be told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No node reaches the output, which is padding.
    #[error("the network's output is padding and no layer's, so nothing takes part in it; check the end of the model")]
    NoOutput,
    /// The graph could not be read.
    #[error(transparent)]
    Graph(#[from] graph::Error),
    /// An edge that is active by one route and not by another.
    #[error(
        "layer `{reader}` reads `{source_layer}` in two routes, through different activations or at different places, so \
         that an edge between them can be active and inactive at once; active subnetworks of such networks are not defined"
    )]
    TwoWays {
        /// The layer that reads.
        reader: String,
        /// The layer that is read.
        source_layer: String,
    },
    /// The forward pass numbers a tensor's elements in another route than the graph.
    #[error(
        "the output of the model's layer {layer} has the order of elements of {found}, expected that of {expected}; such networks are not supported"
    )]
    Order {
        /// Its index.
        layer: usize,
        /// Shape whose order the forward pass has.
        found: Shape,
        /// Shape whose order the graph has.
        expected: Shape,
    },
}
