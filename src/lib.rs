//! Frustration of neural networks, out of core.
//!
//! A pretrained network becomes a stream of signed edge blocks; shards are one way to store that stream; the solver
//! reads any stream. The modules, in reading order:
//!
//! 1. [`net`]: the network as a plain layer graph, from ONNX, safetensors or an initialiser;
//! 2. [`graph`]: the contract between all the others: nodes, layers, blocks, frames, the block stream;
//! 3. [`unroll`]: layer graph in, edge blocks out;
//! 4. [`shard`]: the same blocks on disk, memory-mapped;
//! 5. [`kernel`]: panels times lanes, the arithmetic;
//! 6. [`spin`]: the flip solvers;
//! 7. [`null`]: null models, the same graph with other weights;
//! 8. [`forward`]: logits and hidden states of images, with the same panels and kernel;
//! 9. [`image`]: images on disk become inputs of a network;
//! 10. [`table`]: Parquet out;
//! 11. [`import`], [`export`]: any signed graph in, plain sparse matrix out;
//! 12. [`report`]: statistics of solved graphs;
//! 13. [`cli`]: one file per subcommand.
#![deny(unsafe_code)]

pub mod cli;
pub mod export;
pub mod forward;
pub mod graph;
pub mod image;
pub mod import;
pub mod kernel;
pub mod net;
mod npy;
pub mod null;
pub mod progress;
pub mod report;
pub mod shard;
pub mod spin;
pub mod table;
mod temporary;
pub mod unroll;
