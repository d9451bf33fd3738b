//! Panels times spins.

pub(super) mod packed;
pub mod state;
