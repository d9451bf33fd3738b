//! NULL MODELS: what would the frustration be if training had not put the weights where they are?
//!
//! # Problem
//! A trained network has a frustration of, say, 0.407 (`fixtures/digits`, annealed). Whether that is little nobody can say who
//! has not seen graphs that are like it in everything but what training did. A null model is such a graph: the same nodes, the
//! same edges, other weights on them. Many of one kind, 80 by default, are a sample, and if the network lies far outside of it,
//! then by what that kind destroys.
//!
//! # The three kinds
//! After the paper, section "Numerical experiments". A convolution along a line, with a kernel of three taps `a b c`
//! and five inputs, has three outputs, so three rows of edges:
//!
//! ```text
//!   network            N1                 N2                 N3
//!   a b c · ·          c a b · ·          b c a · ·          x y z · ·
//!   · a b c ·          · c a b ·          · a a c ·          · x y z ·
//!   · · a b c          · · c a b          · · b c b          · · x y z
//! ```
//!
//! - **N1** permutes the parameters inside each convolution and each dense layer. All edges that had one weight still have one
//!   weight, another.
//! - **N2** permutes the weights of all edges of all convolutions and dense layers together, edge by edge: they also go from
//!   layer to layer.
//! - **N3** draws the parameters anew as before training: He normal or Xavier uniform ([`Init`]). The fan-in is that of
//!   the layer; the fan-out, for Xavier, PyTorch's: outputs times taps.
//!
//! | | edges | weights, wherever they are | sharing inside a layer | which weight is where |
//! |----|------|-------------------------------|-----------|-----------|
//! | N1 | kept | kept, layer by layer          | kept      | destroyed |
//! | N2 | kept | kept, all layers together     | destroyed | destroyed |
//! | N3 | kept | destroyed but for their scale | kept      | destroyed |
//!
//! The weights of pooling layers never change: they are no parameters.
//!
//! # How they are made
//! N1 and N3 change the value store only: [`n1()`] and [`n3()`] return another one, and [`Revalued`] is the graph with
//! it. The graph itself is never copied. In an N2 model every edge has a weight of its own: [`n2::Unshared`] is the
//! graph, made on disk and read as a one-way stream. [`schedule`] solves many of them.
//!
//! # Determinism
//! A null model depends on (seed, kind with distribution, index) and the graph only. Its layers have a stream of
//! ChaCha8 each, so that no layer's values depend on another's size. The bytes are a promise: they are the same on
//! every platform and in every later version.
//!
//! # Cost
//! 4 bytes and some nanoseconds a parameter (N3 about ten; N1 a cache miss where a layer is larger than the cache); N2
//! as much an edge.
//!
//! ```
//! use frustration::graph::BlockStream;
//! use frustration::net::arch::{self, Init, WeightSource};
//! use frustration::null::{self, Revalued};
//! use frustration::unroll::{Options, Unrolled};
//! let net = arch::build("digits", WeightSource::Init { scheme: Init::He, seed: 1 }, None)?;
//! let graph = Unrolled::new(&net, Options::default())?;
//! let model = Revalued::new(&graph, null::n1(&graph, 7, 0)?)?;
//! assert_eq!(model.totals().n_edges, graph.totals().n_edges);
//! assert_ne!(model.values(), graph.values());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod model;
mod n1;
pub mod n2;
mod n3;
mod parameters;
mod permutation;
pub mod schedule;
#[cfg(test)]
mod tests;

pub use crate::graph::Revalued;
pub use crate::net::arch::Init;
pub use model::{Kind, Model};
pub use n1::n1;
pub use n3::n3;
pub use parameters::{Error, check};
