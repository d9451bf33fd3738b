//! The weights of a tile, by lane.

use super::values::LaneValues;
use crate::kernel::spins::tile::Tile;

/// The weights of a tile, all in range.
pub(super) struct LaneWeights<'a> {
    values: &'a LaneValues,
    /// Of the first row: by column.
    offsets: &'a [usize],
    /// To be added to all offsets.
    shift: usize,
    n_rows: usize,
    row_stride: usize,
}

impl<'a> LaneWeights<'a> {
    /// The weights of a tile whose first row begins with value `shift`.
    ///
    /// # Panics
    /// If they reach outside `values`.
    pub fn new(tile: &Tile<'a>, values: &'a LaneValues, shift: usize) -> Self {
        tile.check(values.n_values().saturating_sub(shift));
        Self { values, offsets: tile.offsets(), shift, n_rows: tile.n_rows, row_stride: tile.row_stride }
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Per quad the offsets in the first row; the last may be short.
    pub fn quads(&self) -> impl ExactSizeIterator<Item = &[usize]> {
        self.offsets.chunks(4)
    }

    /// How far the values of a row are from its columns' offsets.
    #[inline(always)]
    pub fn shift(&self, row: usize) -> usize {
        self.shift + row * self.row_stride
    }

    /// The value stores.
    pub fn values(&self) -> &'a LaneValues {
        self.values
    }
}
