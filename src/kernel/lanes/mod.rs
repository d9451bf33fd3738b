//! Sixteen replicas side by side: vectors of their numbers, and the instruction sets that work on such vectors.
//!
//! - [`vector`]: the lanes of a vector, and which replica each belongs to;
//! - [`fields`]: the fields `Σ_j w_ij s_j` of some rows, a vector for every row and plane;
//! - [`isa`]: the instruction sets of the machine; [`task`]: plain loops that are compiled once for each of them.

pub(super) mod fields;
pub(super) mod isa;
pub(super) mod task;
pub(super) mod vector;
#[cfg(target_arch = "x86_64")]
mod x86;
