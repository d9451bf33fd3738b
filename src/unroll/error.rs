//! What cannot be unrolled.

use crate::net::Shape;

/// A network that has no signed graph, by the rules of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Node numbers are 32-bit.
    #[error(
        "layer `{layer}` brings the graph to {found} nodes, expected fewer than {limit}; use a smaller input image",
        limit = u32::MAX
    )]
    TooManyNodes {
        /// The layer at which the count went over.
        layer: String,
        /// Nodes up to and including that layer.
        found: u64,
    },
    /// A layer that does not fit its inputs.
    #[error("layer `{layer}` has shape {found}, expected {expected} from its inputs; check the reader's shapes")]
    Shape {
        /// The layer.
        layer: String,
        /// Shape in the network.
        found: Shape,
        /// Shape that follows from the inputs.
        expected: Shape,
    },
    /// A parameter tensor of the wrong length, or a count that must divide another.
    #[error("layer `{layer}` has {found} {what}, expected {expected}; the model file is damaged or was misread")]
    Parameters {
        /// The layer.
        layer: String,
        /// What was counted.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// A tensor whose elements cannot be numbered, whether they are nodes or not.
    #[error("layer `{layer}` has shape {found}, expected fewer than {limit} elements; use a smaller input image",
        limit = u32::MAX)]
    TooLarge {
        /// The layer.
        layer: String,
        /// Its shape.
        found: Shape,
    },
    /// More than memory or time allows: what the graph stands for is far beyond the file.
    #[error(
        "layer `{layer}` brings the graph to more than {most} {what}, far more than networks have; \
         use a smaller input image, or `--residual node` if it adds many tensors"
    )]
    TooLong {
        /// The layer at which the count went over.
        layer: String,
        /// What was counted.
        what: &'static str,
        /// How many there may be.
        most: u64,
    },
    /// Nearly all nodes are pixels that nothing reads.
    #[error(
        "the network has {nodes} nodes and {edges} edges: nearly all of the image is not read; use a smaller input image"
    )]
    TooSparse {
        /// Nodes.
        nodes: u64,
        /// Edges.
        edges: u64,
    },
    /// A window without taps, one that does not move, or one beyond reason.
    #[error("layer `{layer}` has {what} {found}, expected {least} to {most}; the model file is damaged or was misread")]
    Window {
        /// The layer.
        layer: String,
        /// `kernel size`, `stride`, `dilation`, `padding`, `step` or `groups`.
        what: &'static str,
        /// Its value.
        found: usize,
        /// Smallest value that makes sense.
        least: usize,
        /// Largest value that is accepted.
        most: usize,
    },
    /// An operator after a flattening that hides which channel and pixel an element came from.
    #[error(
        "layer `{layer}` ({op}) reads a tensor flattened from {origin}, expected one with channels and pixels; \
         move the flattening after it, or apply it to 1×1 pixels"
    )]
    Flattened {
        /// The layer.
        layer: String,
        /// Its operator.
        op: &'static str,
        /// Shape before flattening.
        origin: Shape,
    },
    /// Several addends of one channel, scaled differently by batch normalisation.
    #[error(
        "layer `{layer}` reads channel {channel} of a sum whose addends are normalised by {first} and {second}, \
         expected one factor; use `--batch-norm ignore` or `--residual node`"
    )]
    MixedFactors {
        /// The layer that reads the sum.
        layer: String,
        /// Channel of its input.
        channel: usize,
        /// One addend's factor.
        first: f32,
        /// Another addend's.
        second: f32,
    },
}
