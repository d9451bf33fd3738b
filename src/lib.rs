//! Frustration of neural networks, out of core.
//!
//! Give every unit of a network a sign, + or −. An edge between two units is frustrated if its weight contradicts the signs
//! at its ends: a positive weight asks for equal signs, a negative one for opposite signs. The **frustration** of the network
//! is the least share of the weight that must be frustrated, whatever the signs; it is 0 for a monotone network. To compute
//! it, the network is written as a graph whose edges are never listed. They are kept in **blocks**, which say once what
//! repeats (a padded convolution is nine); and solvers flip signs, layer by layer, for sixteen searches at a time.
//!
//! ```
//! use frustration::graph::BlockStream;
//! use frustration::kernel::Isa;
//! use frustration::net::arch::{self, Init, WeightSource};
//! use frustration::progress::Silent;
//! use frustration::spin::{self, Method, Plan};
//! use frustration::unroll::{Options, Unrolled};
//!
//! // A small network with new weights; `net::onnx` reads a trained one.
//! let network = arch::build("digits", WeightSource::Init { scheme: Init::He, seed: 1 }, None)?;
//! let graph = Unrolled::new(&network, Options::default())?;
//! assert_eq!((graph.totals().n_nodes, graph.totals().n_edges), (21_258, 1_563_776));
//!
//! let plan = Plan {
//!     method: Method::Sweep,
//!     replicas: 4,
//!     random_flips: 100_000,
//!     seed: 0,
//!     max_flips: u64::MAX,
//!     isa: Isa::detect(),
//!     memory: None,
//! };
//! let replicas = spin::solve(&graph, &plan, &Silent)?;
//! let least = replicas.iter().map(|replica| replica.energy).fold(1.0, f64::min);
//! assert!(0.4 < least && least < 0.45); // an upper bound of the frustration, found in four searches
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`guide`] says what the numbers mean and shows in pictures how they come about. The modules, in reading order:
//!
//! 1. [`net`]: the network as a plain list of layers, from ONNX, safetensors or an initialiser;
//! 2. [`graph`]: what a signed graph is to all other modules: nodes, layers, blocks, frames, the stream of blocks; and a
//!    glossary of the words that all of them use;
//! 3. [`unroll`]: the list of layers becomes a graph, whose blocks are computed whenever somebody reads them;
//! 4. [`shard`]: the same blocks on disk, memory-mapped;
//! 5. [`kernel`]: the arithmetic: the weights of a block times the signs of sixteen searches, in vector registers;
//! 6. [`spin`]: the solvers, which flip signs until no single flip lowers the energy;
//! 7. [`null`]: null models, the same graph with other weights;
//! 8. [`image`]: images on disk become inputs of a network;
//! 9. [`forward`]: logits and hidden outputs of images, with the blocks and vectors of the solvers;
//! 10. [`active`]: what takes part in the answer to an image;
//! 11. [`perturb`]: do the outputs follow the order that the ground state predicts?
//! 12. [`table`]: Parquet out;
//! 13. [`report`]: statistics of solved graphs;
//! 14. [`import`], [`export`]: any signed graph in, plain sparse matrix out;
//! 15. [`run`]: long work that can be stopped and goes on where it was;
//! 16. `cli`: one file per subcommand, and the feature of that name, on by default: without it the library needs no `clap`;
//! 17. [`progress`], [`byte_size`]: small things that several of these use.
//!
//! A name set as code without a link, such as `sweep` on the page of [`spin`], is a private module. It is in the folder of
//! the page that names it, here `src/spin/sweep/`; `cargo doc --document-private-items` makes pages of these, too.
#![deny(unsafe_code)]

pub mod active;
pub mod byte_size;
#[cfg(feature = "cli")]
pub mod cli;
mod columnar;
mod contained;
pub mod export;
pub mod forward;
pub mod graph;
pub mod guide;
pub mod image;
pub mod import;
pub mod kernel;
mod kind;
pub mod net;
mod npy;
pub mod null;
mod pages;
pub mod perturb;
pub mod progress;
mod random;
mod regular;
pub mod report;
pub mod run;
pub mod shard;
pub mod spin;
mod staging;
pub mod table;
#[cfg(test)]
mod testing;
mod threads;
pub mod unroll;
