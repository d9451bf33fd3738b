//! The loops: panels, tiles, positions.
//!
//! For at most [`POSITIONS`] positions and [`QUADS`] quads of columns at a time the spins are packed; then for every
//! [`ROWS`] rows the tables are built, and looked up at all these positions.

use std::ops::Range;

#[cfg(target_arch = "aarch64")]
use super::neon;
use super::portable;
use super::sums::SumTable;
use super::weights::TileWeights;
#[cfg(target_arch = "x86_64")]
use super::{direct::DirectTile, x86};
use crate::kernel::lanes::vector::{LANES, Line};
use crate::kernel::spins::positions::{DenseBlock, Position};
use crate::kernel::spins::tile::{BuiltTile, PackedPosition, ROWS, Tile};
use crate::kernel::{Fields, Isa, Scratch};

/// Quads of columns of a tile: its tables (64 bytes per row and quad) stay in the first-level cache.
const QUADS: usize = 48;
/// Positions that are packed at a time: their words stay in the second-level cache.
const POSITIONS: usize = 768;

/// Adds a block, whose panels are in `values`, to the fields of its rows.
pub(in crate::kernel::spins) fn add(
    block: &DenseBlock<'_>,
    values: &[f32],
    fields: &mut Fields,
    scratch: &mut Scratch,
) {
    scratch.offsets.reset(block.intervals, block.block.col_stride);
    let mut positions = std::mem::take(&mut scratch.positions);
    block.for_each_panel(fields, &mut positions, |positions, value_shift, fields| {
        SharedPanel { block, values: &values[value_shift..], positions }.add(fields, scratch);
    });
    scratch.positions = positions;
}

/// A panel, whose values begin where `values` does, and the positions that share it.
#[derive(Clone, Copy)]
struct SharedPanel<'a> {
    block: &'a DenseBlock<'a>,
    values: &'a [f32],
    positions: &'a [Position],
}

impl SharedPanel<'_> {
    /// Adds the panel at all positions, tile by tile.
    fn add(&self, fields: &mut Fields, scratch: &mut Scratch) {
        let n_cols = scratch.offsets.len();
        for positions in self.positions.chunks(POSITIONS) {
            for first_col in (0..n_cols).step_by(4 * QUADS) {
                let columns = first_col..n_cols.min(first_col + 4 * QUADS);
                scratch.packed.clear();
                for position in positions {
                    self.block.masks(position, columns.clone(), &mut scratch.masks);
                    pack(self.block.isa, &mut scratch.masks, &mut scratch.packed);
                }
                Self { positions, ..*self }.add_columns(columns, fields, scratch);
            }
        }
    }

    /// Adds some columns of the panel, at most a tile's, at the positions, whose spins there are packed.
    fn add_columns(&self, columns: Range<usize>, fields: &mut Fields, scratch: &mut Scratch) {
        let Scratch { offsets, packed, tables, .. } = scratch;
        let DenseBlock { isa, block, .. } = *self.block;
        let (n_rows, row_stride) = (block.n_rows as usize, block.row_stride as usize);
        let n_quads = columns.len().div_ceil(4);
        let row_step = self.block.row_step(fields);
        let rows = (0..n_rows).step_by(ROWS).map(|row| {
            let n_rows = ROWS.min(n_rows - row);
            let tile = Tile { all: offsets, columns: columns.clone(), n_rows, row_stride };
            (row * row_step, TileWeights::new(&tile, &self.values[row * row_stride..]))
        });
        // A whole table that is looked up once costs more than it saves, unless there are too few rows to make up for the
        // expansion of the signs.
        #[cfg(target_arch = "x86_64")]
        if let (Isa::Avx512, [position], true) = (isa, self.positions, n_rows >= 2 * ROWS) {
            let signs = &mut scratch.signs;
            x86::avx512::expand(packed, signs);
            for (row, weights) in rows {
                let tile = DirectTile { weights, signs, first: position.first + row, row_step };
                x86::avx512::add(&tile, fields.vectors_mut());
            }
            return;
        }
        for (row, weights) in rows {
            tables.resize(n_quads * weights.n_rows(), Line([0.0; LANES]));
            build(isa, &weights, tables);
            let tile = BuiltTile { entries: tables, n_rows: weights.n_rows(), n_quads, row_step };
            let words = packed.chunks_exact(n_quads);
            let position = |(p, words): (&Position, _)| PackedPosition { first: p.first + row, words };
            look_up(isa, &tile, self.positions.iter().zip(words).map(position), fields.vectors_mut());
        }
    }
}

/// True if a table does not fit one register.
fn has_half_tables(isa: Isa) -> bool {
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => true,
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => false,
        #[cfg(target_arch = "aarch64")]
        Isa::Neon => true,
        Isa::Portable => false,
    }
}

/// Builds the tables of a tile, `[quad][row]`; of half tables the lower half.
fn build(isa: Isa, weights: &TileWeights<'_>, tables: &mut [SumTable]) {
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => x86::avx512::build(weights, tables),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => x86::avx2::build(weights, tables),
        #[cfg(target_arch = "aarch64")]
        Isa::Neon => neon::build(weights, tables),
        Isa::Portable => portable::build(weights, tables),
    }
}

/// Appends the packed form of whole quads of masks; relative to the fourth mask where half tables are looked up.
fn pack(isa: Isa, masks: &mut [u16], packed: &mut Vec<u64>) {
    if has_half_tables(isa) {
        for quad in masks.chunks_exact_mut(4) {
            let last = quad[3];
            quad[..3].iter_mut().for_each(|mask| *mask ^= last);
        }
    }
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 | Isa::Avx2 => x86::pack(masks, packed),
        #[cfg(target_arch = "aarch64")]
        Isa::Neon => portable::pack(masks, packed),
        Isa::Portable => portable::pack(masks, packed),
    }
}

/// Adds the sums that are looked up at all positions.
fn look_up<'a>(
    isa: Isa,
    tile: &BuiltTile<'_, SumTable>,
    positions: impl Iterator<Item = PackedPosition<'a>>,
    fields: &mut [[f32; LANES]],
) {
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => x86::avx512::look_up(tile, positions, fields),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => x86::avx2::look_up(tile, positions, fields),
        #[cfg(target_arch = "aarch64")]
        Isa::Neon => neon::look_up(tile, positions, fields),
        Isa::Portable => portable::look_up(tile, positions, fields),
    }
}
