//! UNROLLING: a layer graph becomes a stream of edge blocks, computed on the fly.
//!
//! Nodes are the elements of the input and of the outputs of every convolution, pool and dense layer (with
//! [`ResidualRule::Node`] also of every addition), channels-last. Every other operator only changes which nodes the next
//! layer reads (`view`, `join`). No edge is ever stored: a layer keeps, per source and axis, which positions share their
//! taps (`axis`), and which channels meet (`panel`); a frame's blocks are their products (`blocks`).
//!
//! Rows of `A` and of `Aᵀ` point into one value store, in which every parameter appears once: a kernel as
//! `[out][kh][kw][in/groups]`, read along rows or along columns.
//!
//! ```
//! use frustration::graph::BlockStream;
//! use frustration::net::{Dense, Layer, Network, Op, Shape};
//! use frustration::unroll::{Options, Unrolled};
//! let input = Layer { name: "x".into(), op: Op::Input, inputs: vec![], shape: Shape::new(2, 1, 1) };
//! let dense = Op::Dense(Dense { weight: vec![0.5, -1.0], bias: None });
//! let output = Layer { name: "y".into(), op: dense, inputs: vec![0], shape: Shape::new(1, 1, 1) };
//! let net = Network { name: "tiny".into(), layers: vec![input, output], warnings: vec![] };
//! let graph = Unrolled::new(&net, Options::default())?;
//! assert_eq!((graph.totals().n_nodes, graph.totals().n_edges, graph.totals().sum_abs), (3, 2, 1.5));
//! # Ok::<(), frustration::unroll::Error>(())
//! ```
//!
//! # Frames
//! A frame is whole image rows of one layer: as many as make 2²⁰ edges (in and out together) or 2¹³ nodes. Image rows of
//! more than 2¹⁶ nodes are cut between pixels, layers of one pixel between multiples of eight channels.
//!
//! # Cost
//! [`Unrolled::new`] reads every parameter twice; time and memory beyond the value store are proportional to image
//! sides, channels and layers. Reading a frame costs O(blocks), typically nine per source for a padded convolution.
//!
//! # Determinism
//! The blocks that meet a row, and their intervals, depend on the network and the options alone, not on frames.

mod alone;
mod axis;
mod blocks;
mod chain;
mod channel_order;
mod channel_pairs;
pub(crate) mod check;
mod conv;
mod dense;
mod element_map;
mod error;
mod filter;
mod frames;
mod join;
mod limits;
mod node_layer;
mod norm;
mod options;
mod parameters;
pub(crate) mod pool;
mod route;
#[cfg(test)]
mod tests;
mod unrolled;
mod unroller;
mod view;

pub(crate) use alone::LayerAlone;
pub use chain::shuffle_groups;
pub use element_map::ElementMap;
pub use error::Error;
pub use options::{BatchNormRule, Options, ResidualRule};
pub use parameters::{ParameterOrder, StoredParameters};
pub use route::{Gate, Gates, Route};
pub use unrolled::Unrolled;
