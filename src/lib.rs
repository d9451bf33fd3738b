//! Frustration of neural networks, out of core.
//!
//! A pretrained network becomes a stream of signed edge blocks; shards are one way to store that stream; the solver
//! reads any stream. [`guide`] says what the numbers mean and shows in pictures how they come about. The modules, in
//! reading order:
//!
//! 1. [`net`]: the network as a plain layer graph, from ONNX, safetensors or an initialiser;
//! 2. [`graph`]: the contract between all the others: nodes, layers, blocks, frames, the block stream;
//! 3. [`unroll`]: layer graph in, edge blocks out;
//! 4. [`shard`]: the same blocks on disk, memory-mapped;
//! 5. [`kernel`]: panels times lanes, the arithmetic;
//! 6. [`spin`]: the flip solvers;
//! 7. [`null`]: null models, the same graph with other weights;
//! 8. [`image`]: images on disk become inputs of a network;
//! 9. [`forward`]: logits and hidden states of images, with the same panels and kernel;
//! 10. [`active`]: what takes part in the answer to an image;
//! 11. [`perturb`]: do the outputs follow the order that the ground state predicts?
//! 12. [`table`]: Parquet out;
//! 13. [`import`], [`export`]: any signed graph in, plain sparse matrix out;
//! 14. [`report`]: statistics of solved graphs;
//! 15. [`run`]: long work that can be stopped and goes on where it was;
//! 16. `cli`: one file per subcommand, and the feature of that name, on by default: without it the library needs no `clap`.
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
