//! What decides which spins flip.

use crate::graph::NodeId;
use crate::kernel::LANES;

/// Decides flips from local fields.
pub(in crate::spin) trait Rule: Sync {
    /// What to add up.
    const TALLY: Tallied = Tallied::Flipped;
    /// The mask of replicas whose spin at `node` flips, given `r` (by lane) in a layer of index `layer`.
    fn flips(&self, layer: usize, node: NodeId, group: usize, r: &[f32; LANES]) -> u16;
}

/// Which fields a rule wants added up.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::spin) enum Tallied {
    /// Those of the spins that flip.
    Flipped,
    /// All.
    All,
}

/// Flips nothing, and tallies every field.
pub(in crate::spin) struct Look;

impl Rule for Look {
    const TALLY: Tallied = Tallied::All;

    #[inline(always)]
    fn flips(&self, _: usize, _: NodeId, _: usize, _: &[f32; LANES]) -> u16 {
        0
    }
}
