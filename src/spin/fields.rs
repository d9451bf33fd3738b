//! Local fields of weights that are read in some way.

use crate::graph::Blocks;
use crate::graph::reading::{Reading, common_range};
use crate::kernel::{Fields, Isa, Local, Operands, Scratch, Spins};

/// [`Operands::add_blocks`] with weights that are read in some way.
pub(super) fn add_blocks(
    isa: Isa,
    (blocks, values): (&Blocks, &[f32]),
    reading: Reading,
    spins: &Spins,
    fields: &mut Fields,
    (scratch, local): (&mut Scratch, &mut Local),
) {
    let common = if reading == Reading::AsIs { None } else { common_range(blocks) };
    if let Some(range) = &common {
        local.load(isa, range.clone(), values, reading);
    }
    for block in &blocks.blocks {
        let intervals = blocks.intervals(block);
        let (intervals, values) = match common {
            Some(_) => local.of(intervals),
            None => local.read(isa, (block, intervals), values, reading),
        };
        Operands { isa, values, spins }.add_block(block, intervals, fields, scratch);
    }
}
