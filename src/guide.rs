//! THE GUIDE: the pages of `docs/`, for readers who want to know what the numbers mean and how they come about.
//!
//! 1. [`definitions`]: edge rules, energy, methods, null models, active subnetworks, Ω and λ;
//! 2. [`architecture`]: the stages, the ideas in pictures, the modules, and where to add what;
//! 3. [`images`]: formats, preprocessing, labels, running a network;
//! 4. [`memory`]: what each command holds, and what `--memory` does;
//! 5. [`tables`]: every column of every table.
//!
//! The format of graph directories is specified in [`shard`](crate::shard).

// A page links to files. What is defined here first, under the same names, leads to pages of this documentation instead.

/// [4 bytes an edge]: memory#disk
/// [tables.md]: tables
///
#[doc = include_str!("../docs/definitions.md")]
pub mod definitions {}

/// [edge rules]: definitions#edge-rules
/// [definitions]: definitions#methods
/// [graph directory]: crate::shard
/// [`--memory`]: memory
/// [images]: images
/// [tables.md]: tables
/// [`net`]: crate::net
/// [`graph`]: crate::graph
/// [`unroll`]: crate::unroll
/// [`shard`]: crate::shard
/// [`kernel`]: crate::kernel
/// [`spin`]: crate::spin
/// [`null`]: crate::null
/// [`image`]: crate::image
/// [`forward`]: crate::forward
/// [`active`]: crate::active
/// [`perturb`]: crate::perturb
/// [`table`]: crate::table
/// [`report`]: crate::report
/// [`import`]: crate::import
/// [`export`]: crate::export
/// [`run`]: crate::run
/// [`cli`]: crate::cli
///
#[doc = include_str!("../docs/architecture.md")]
pub mod architecture {}

/// [channel shuffle]: definitions#order-of-nodes
///
#[doc = include_str!("../docs/images.md")]
pub mod images {}

/// [`src/spin/memory.rs`]: crate::spin::memory
///
#[doc = include_str!("../docs/memory.md")]
pub mod memory {}

#[doc = include_str!("../docs/tables.md")]
pub mod tables {}
