//! CONTRACT: what a signed graph is to every other module.
//!
//! # Glossary
//! - **node**: an integer `0..n_nodes`. **edge**: `A[i][j] ≠ 0` goes from source `j` to target `i` and has a signed
//!   **weight**. `Au = A + Aᵀ`.
//! - **layer**: a run of consecutive nodes no two of which are adjacent (a layer of a network, a colour class of an
//!   imported graph). All nodes of a layer can be updated at once.
//! - **direction**: [`Direction::In`] are rows of `A` (the edges into a node), [`Direction::Out`] rows of `Aᵀ`.
//! - **row group**: a set of rows of one layer that have the same columns, e.g. all output channels at one pixel.
//! - **interval**: consecutive columns. The columns of a row group are a list of intervals.
//! - **panel**: the weights of a row group, `w(r, c)`, found in the **value store** by offsets and strides; many row
//!   groups share one panel.
//! - **block**: a two-dimensional [`Run`] of row groups (pixels) with panels of one shape whose rows, columns and
//!   values advance by constant steps; its columns lie in one layer. A whole convolution is a handful of blocks.
//! - **frame**: consecutive rows of one layer, with all their blocks in both directions. The unit of reading.
//! - **block stream**: a graph as a sequence of frames ([`BlockStream`]).
//!
//! # Order of summation
//! The local field of a row is summed over its In blocks, then its Out blocks, each in stored order, and inside a block
//! over the concatenated columns of its intervals. Fields must not depend on how rows are cut into frames, so the
//! blocks that meet one row, and their intervals, depend on the graph alone.

pub mod csr;
pub mod edges;
