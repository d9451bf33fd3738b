//! Tiles: a panel is cut into pieces of a few rows and columns, so that what is made of a piece stays in the cache while it is
//! added at all positions.
//!
//! ```text
//!              columns, in quads
//!            0123 4567 89..                        for each tile (in this order):
//!          ┌─────────────────┬──────────┐            make its entries, one per row and quad,
//!  8 rows  │      tile       │   tile   │            from the weights: [quad][row]
//!          ├─────────────────┼──────────┤            for each position:
//!  8 rows  │      tile       │   tile   │              keep the fields of 8 rows in registers,
//!          ├─────────────────┼──────────┤              choose from the entries by the spins, quad after quad,
//!  the rest│      tile       │   tile   │              and add
//!          └─────────────────┴──────────┘
//! ```

use std::ops::Range;

use crate::graph::Interval;
use crate::kernel::lanes::vector::LANES;

/// Rows of a tile: their accumulators stay in registers.
pub(super) const ROWS: usize = 8;

/// Where `w(0, column)` is in the value store, for the concatenated columns of a block's group (0, 0).
#[derive(Debug, Default)]
pub(super) struct ColumnOffsets {
    offsets: Vec<usize>,
    /// No offset is larger.
    bound: usize,
}

impl ColumnOffsets {
    /// The columns of `intervals`; keeps the allocation.
    pub fn reset(&mut self, intervals: &[Interval], col_stride: u32) {
        self.offsets.clear();
        self.bound = 0;
        let stride = col_stride as usize;
        for interval in intervals {
            let (first, len) = (interval.values as usize, interval.len as usize);
            // Where this saturates nothing is in range, and the offsets do not matter.
            self.bound = self.bound.max(first.saturating_add(len.saturating_sub(1).saturating_mul(stride)));
            self.offsets.extend((0..len).map(|k| first.wrapping_add(k.wrapping_mul(stride))));
        }
    }

    /// Number of columns.
    pub fn len(&self) -> usize {
        self.offsets.len()
    }
}

/// Some rows and columns of a panel: `w(row, column) = values[offset(column) + row · row_stride]`, where row 0 is the tile's
/// first and begins with `values`.
#[derive(Clone)]
pub(super) struct Tile<'a> {
    pub all: &'a ColumnOffsets,
    pub columns: Range<usize>,
    pub n_rows: usize,
    pub row_stride: usize,
}

impl<'a> Tile<'a> {
    /// By column: offsets of the weights in the first row.
    pub fn offsets(&self) -> &'a [usize] {
        &self.all.offsets[self.columns.clone()]
    }

    /// # Panics
    /// Unless all weights lie in `n_values` values, the first of which is row 0's.
    pub fn check(&self, n_values: usize) {
        assert!((1..=ROWS).contains(&self.n_rows));
        let last = self.all.bound.saturating_add((self.n_rows - 1).saturating_mul(self.row_stride));
        assert!(last < n_values, "a panel reaches outside the value store");
    }
}

/// A tile whose entries have been made of its weights: for every row and quad something that the spins choose from.
pub(super) struct BuiltTile<'a, E> {
    /// `[quad][row]`
    pub entries: &'a [E],
    pub n_rows: usize,
    pub n_quads: usize,
    /// Distance between the vectors of neighbouring rows.
    pub row_step: usize,
}

/// A position whose spins are packed: the vector of the tile's first row there, and a word for every quad of the tile.
#[derive(Clone, Copy)]
pub(super) struct PackedPosition<'a> {
    pub first: usize,
    pub words: &'a [u64],
}

impl<E> BuiltTile<'_, E> {
    /// # Panics
    /// Unless there is an entry for every row and quad.
    #[inline(always)]
    pub fn check(&self) {
        assert!(self.n_rows > 0 && self.n_quads > 0 && self.entries.len() >= self.n_quads * self.n_rows);
    }

    /// # Panics
    /// Unless the position has a word for every quad, and `fields` the vectors of all rows.
    #[inline(always)]
    pub fn check_position(&self, position: &PackedPosition<'_>, fields: &[[f32; LANES]]) {
        assert!(position.words.len() == self.n_quads, "a word for every quad");
        let last = position.first + (self.n_rows - 1) * self.row_step;
        assert!(last < fields.len(), "a block reaches outside its frame");
    }

    /// The vector of a row.
    #[inline(always)]
    pub fn vector(&self, position: &PackedPosition<'_>, row: usize) -> usize {
        position.first + row * self.row_step
    }

    /// Where the entries of a row begin: those of the next quad are `n_rows` entries further.
    #[cfg_attr(not(any(target_arch = "x86_64", target_arch = "aarch64")), expect(dead_code))]
    #[inline(always)]
    pub fn pointer(&self, row: usize) -> *const f32 {
        self.entries[row..].as_ptr().cast()
    }
}

/// `split_rows!(n_rows, row => f::<…>(…, row, …))` calls `f::<R, …>` for all rows, `R` of them at a time: eight, four, two or
/// one, so that their number is known when it is compiled and the accumulators are registers.
#[cfg_attr(not(any(target_arch = "x86_64", target_arch = "aarch64")), expect(unused_macros))]
macro_rules! split_rows {
    ($n_rows:expr, $row:ident => $f:ident $(::<$other:ident>)? ($($argument:expr),*)) => {{
        let (mut $row, n_rows) = (0, $n_rows);
        while $row < n_rows {
            match n_rows - $row {
                8.. => ($f::<8 $(, $other)?>($($argument),*), $row += 8),
                4.. => ($f::<4 $(, $other)?>($($argument),*), $row += 4),
                2.. => ($f::<2 $(, $other)?>($($argument),*), $row += 2),
                _ => ($f::<1 $(, $other)?>($($argument),*), $row += 1),
            };
        }
    }};
}
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub(super) use split_rows;
