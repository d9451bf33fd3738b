//! Streams whose frames hold In blocks only.

pub(super) mod behind;
pub(super) mod out_blocks;
pub(super) mod waves;
