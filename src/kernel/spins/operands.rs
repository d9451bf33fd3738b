//! What a block is multiplied by, and which loops do it.

use super::lanewise::{self, values::LaneValues};
use super::positions::DenseBlock;
use super::{diagonal, table};
use crate::graph::{Block, Blocks, Interval, PanelKind};
use crate::kernel::{Fields, Isa, Scratch, Spins};

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
            PanelKind::Dense => table::add(&DenseBlock { isa, block, intervals, spins }, values, fields, scratch),
            PanelKind::Diagonal => isa.run(diagonal::Diagonal { block, intervals, values, spins, fields }),
        }
    }
}

impl Operands<'_, LaneValues> {
    /// As [`Operands::add_blocks`], every replica with the values of its own graph. There are sixteen replicas; further planes
    /// have the same graphs.
    ///
    /// # Panics
    /// As there.
    pub fn add_blocks(&self, blocks: &Blocks, fields: &mut Fields, scratch: &mut Scratch) {
        let &Self { isa, values, spins } = self;
        for block in &blocks.blocks {
            let intervals = blocks.intervals(block);
            match block.kind {
                PanelKind::Dense => {
                    lanewise::add(&DenseBlock { isa, block, intervals, spins }, values, fields, scratch);
                }
                PanelKind::Diagonal => {
                    isa.run(lanewise::diagonal::Diagonal { block, intervals, values, spins, fields });
                }
            }
        }
    }
}
