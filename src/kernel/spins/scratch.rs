//! Buffers that a thread reuses from block to block.

use super::lanewise::pairs::PairSums;
use super::positions::Position;
#[cfg(target_arch = "x86_64")]
use super::table::direct::QuadSigns;
use super::table::sums::SumTable;
use super::tile::ColumnOffsets;

/// Buffers that a thread reuses from block to block: about 1 MiB.
#[derive(Debug, Default)]
pub struct Scratch {
    pub(super) offsets: ColumnOffsets,
    /// Of one panel.
    pub(super) positions: Vec<Position>,
    /// Of one position, before they are packed.
    pub(super) masks: Vec<u16>,
    /// `[position][quad]`
    pub(super) packed: Vec<u64>,
    /// `[quad][row]`
    pub(super) tables: Vec<SumTable>,
    /// `[quad]`
    #[cfg(target_arch = "x86_64")]
    pub(super) signs: Vec<QuadSigns>,
    /// `[quad][row]`
    pub(super) pairs: Vec<PairSums>,
}
