//! Panels times spins: `Σ_j w_ij s_j` for sixteen replicas at a time.
//!
//! - [`packed`]: the spins, one bit each; [`state`]: one replica's as bytes;
//! - [`operands`]: what a block is multiplied by, and which of the following does it;
//! - [`plain`]: the loops that define the sums;
//! - [`table`]: dense blocks, by tables of sums; [`diagonal`]: diagonal blocks, term by term;
//! - [`lanewise`]: blocks whose weights differ from lane to lane;
//! - [`gated`]: spins and edges that only some replicas have;
//! - [`reading`]: weights that are scaled, or cut into digits, before they are used;
//! - what [`table`] and [`lanewise`] share: [`positions`] at which a panel is added, [`tile`]s that it is cut into,
//!   [`scratch`] buffers.

mod diagonal;
pub(super) mod gated;
pub(super) mod lanewise;
pub(super) mod operands;
pub(super) mod packed;
pub mod plain;
mod positions;
pub(super) mod reading;
pub(super) mod scratch;
pub mod state;
mod table;
mod tile;

#[cfg(test)]
mod tests;
