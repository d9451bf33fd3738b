//! What is measured of a graph and of a state, before a search and after it.

pub mod frustrated;
pub(super) mod rows;
mod scale;
pub(super) mod sum;
pub mod weigh;

pub use scale::Scales;
