//! What decides which spins flip.

use crate::graph::NodeId;
use crate::kernel::LANES;

/// Decides flips from local fields: from what one node sees in sixteen replicas at one visit, and from nothing earlier.
pub(in crate::spin) trait Rule: Sync {
    /// What to add up.
    const SUMS: Summed = Summed::Flipped;
    /// The mask of replicas whose spin at `node` flips, given its local fields
    /// `r_i = s_i Σ_j Au_ij s_j`, by lane: where one is negative a flip lowers the energy. `layer` is the index of its layer.
    ///
    /// Called on many threads at once, for the nodes of a layer in any order, before any of them flips.
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
