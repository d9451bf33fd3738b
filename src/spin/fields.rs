//! Fields by weights that are read in some way: scaled, or a digit of them.

use crate::graph::Blocks;
use crate::graph::reading::{Reading, common_range};
use crate::kernel::{Fields, Operands, ReadStore, ReadValues, Scratch, Spins};

/// [`Operands`] whose weights are read in some way.
pub(super) struct ReadOperands<'a> {
    pub store: ReadStore<'a>,
    pub spins: &'a Spins,
}

/// What a thread reuses: the kernel's buffers, and those of weights that have been read.
pub(super) type Buffers = (Scratch, ReadValues);

impl ReadOperands<'_> {
    /// As [`Operands::add_blocks`].
    pub fn add_blocks(&self, blocks: &Blocks, fields: &mut Fields, (scratch, read): &mut Buffers) {
        let Self { store, spins } = self;
        // Where blocks have values in common, all are read once before; else block by block, which takes less room.
        let common = if store.reading == Reading::AsIs { None } else { common_range(blocks) };
        if let Some(range) = &common {
            store.range(range.clone(), read);
        }
        for block in &blocks.blocks {
            let intervals = blocks.intervals(block);
            let (intervals, values) = match common {
                Some(_) => read.of(intervals),
                None => store.block(block, intervals, read),
            };
            Operands { isa: store.isa, values, spins }.add_block(block, intervals, fields, scratch);
        }
    }
}
