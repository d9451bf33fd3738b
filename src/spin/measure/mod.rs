//! What is measured of a graph and of a state, before a search and after it.
//!
//! Before: how large the local fields of each layer are ([`Scales`]), from sums over rows ([`rows`]). After: the energy of a
//! state without any rounding ([`weigh`]), and where in the graph its frustrated edges are ([`frustrated`]).

pub mod frustrated;
pub(super) mod rows;
mod scale;
pub(super) mod sum;
pub mod weigh;

pub use scale::Scales;
