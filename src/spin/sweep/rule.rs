//! What decides which spins flip.

use crate::graph::NodeId;
use crate::kernel::LANES;

/// Decides flips from local fields.
pub(in crate::spin) trait Rule: Sync {
    /// What to add up.
    const SUMS: Summed = Summed::Flipped;
    /// The mask of replicas whose spin at `node` flips, given `r` (by lane) in a layer of index `layer`.
    fn flips(&self, layer: usize, node: NodeId, plane: usize, r: &[f32; LANES]) -> u16;
}

/// Which fields a rule wants added up.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::spin) enum Summed {
    /// Those of the spins that flip.
    Flipped,
    /// All.
    All,
}

/// Flips nothing, and sums every field.
pub(in crate::spin) struct NoFlips;

impl Rule for NoFlips {
    const SUMS: Summed = Summed::All;

    #[inline(always)]
    fn flips(&self, _: usize, _: NodeId, _: usize, _: &[f32; LANES]) -> u16 {
        0
    }
}
