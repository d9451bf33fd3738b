//! ARITHMETIC: panels times lanes.
//!
//! Sixteen replicas travel together in the lanes of one vector. For every row of a block and all replicas at once the
//! kernel adds `Σ_j w_ij s_j` to the row's local field, where the spins `s_j = ±1` are one bit each ([`Spins`]) and
//! the fields are [`Fields`]. It knows panels and lanes and nothing else.
//!
//! # Method
//! Columns are taken in **quads**. For a row and a quad there are only sixteen possible sums
//! `(±w₀ ± w₁) + (±w₂ ± w₃)`; they are tabulated once per panel and looked up by the four spin bits of each lane, one
//! permute and one add per row, quad and sixteen replicas: half an instruction per edge, against the one masked add of
//! the direct method. The tables live in the first-level cache and serve all row groups and replicas of a block.
//!
//! Where a table does not fit one register (AVX2, NEON) only its lower half is built and looked up, the eight sums with
//! `−w₃`: the three other signs are taken relative to the fourth spin, and the entry is multiplied by it, which is exact.
//!
//! A panel that only one row group in one plane uses (every edge has its own weight, at most sixteen replicas) needs
//! no tables with AVX-512: there the signs of the quad's columns are expanded once, and each row is summed directly.
//!
//! Where the weights differ from lane to lane ([`LaneValues`]) nothing can be tabulated; see [`Operands<LaneValues>`](Operands).
//!
//! | [`Isa`] | vector | table | per row, quad and sixteen replicas |
//! | --- | --- | --- | --- |
//! | `Avx512` | sixteen lanes | whole, one register | one permute, one addition |
//! | `Avx2` | eight lanes | half, one register | two permutes, two multiply-adds |
//! | `Neon` | four lanes | half, two registers | four look-ups, four multiply-adds |
//! | `Portable` | as compiled | whole, in memory | sixteen loads and additions |
//!
//! # Order of summation (part of the definition)
//! Dense block: `field += ((±w₀ ± w₁) + (±w₂ ± w₃))`, quad after quad over the concatenated columns of the block, the
//! last quad filled up with zero weights. Diagonal block: `field += ±w`, interval after interval. Every instruction set
//! gives the same bits as [`plain`], the loop that defines it. (Fields begin at `+0` and so are never `−0`: it does not
//! matter whether a sum of zero has a sign.)
//!
//! # Lane order
//! Lane `d` of a vector carries the replica whose spin is bit [`bit_of_lane`]`(d)` of a mask (the order in which a
//! 64-bit word of sixteen nibbles unpacks with one shift).
//!
//! # Images
//! [`multiply()`] is the same product with any values in the lanes in place of spins: one fused multiply-add per edge and
//! sixteen images.
//!
//! Cost: `edges × planes / 2` vector operations, plus tables (`6` per row and quad of a panel) and packing
//! (`~8` per quad of a row group). Scratch: about 1 MiB per thread.

mod dense;
mod diagonal;
mod gated;
mod lanes;
mod lanewise;
pub(crate) mod multiply;
#[cfg(target_arch = "aarch64")]
mod neon;
pub mod plain;
mod portable;
mod reading;
mod spins;
mod weights;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use gated::{Tapped, add_means};
pub use lanes::fields::Fields;
pub use lanes::isa::Isa;
pub use lanes::task::Task;
use lanes::vector::Line;
pub use lanes::vector::{LANES, bit_of_lane, lane_of_bit, mask_of, signed};
pub use lanewise::{LaneScratch, LaneValues};
pub use multiply::{Columns, multiply};
pub use reading::Local;
pub use spins::packed::Spins;
pub use spins::state;

use crate::graph::{Block, Blocks, Interval, NodeId, PanelKind};

/// Buffers that a thread reuses from block to block.
#[derive(Debug, Default)]
pub struct Scratch {
    dense: dense::Scratch,
    products: multiply::Buffers,
}

/// What a block's panels are multiplied by: the value store that their weights are in, and the spins of their columns.
///
/// The values are one graph's, a slice, or those of several graphs by lane ([`LaneValues`]).
#[derive(Debug)]
pub struct Operands<'a, V: ?Sized = [f32]> {
    /// How it is computed.
    pub isa: Isa,
    /// The value store.
    pub values: &'a V,
    /// The spins of every node that a block has as a column.
    pub spins: &'a Spins,
}

impl Operands<'_> {
    /// Adds all blocks of one direction of a frame to the fields of the frame's rows, for the planes of `fields`, which are
    /// some of those of the spins.
    ///
    /// # Panics
    /// If a block reaches outside the fields, the spins or the values (a stream's `read` has checked that).
    pub fn add_blocks(&self, blocks: &Blocks, fields: &mut Fields, scratch: &mut Scratch) {
        for block in &blocks.blocks {
            self.add_block(block, blocks.intervals(block), fields, scratch);
        }
    }

    /// As [`add_blocks`](Self::add_blocks), for one block and its intervals.
    ///
    /// # Panics
    /// As there.
    pub fn add_block(&self, block: &Block, intervals: &[Interval], fields: &mut Fields, scratch: &mut Scratch) {
        let &Self { isa, values, spins } = self;
        match block.kind {
            PanelKind::Dense => {
                dense::Dense { isa, block, intervals, spins }.add(values, fields, &mut scratch.dense);
            }
            PanelKind::Diagonal => isa.run(diagonal::Diagonal { block, intervals, values, spins, fields }),
        }
    }
}

/// Index of a row within a frame.
fn local(row: NodeId, first: NodeId) -> usize {
    (row - first) as usize
}

#[cfg(test)]
mod tests;
