//! The weights of a tile, quad by quad of its columns.

use crate::kernel::spins::tile::{ROWS, Tile};

/// The weights of a tile, all in range.
pub(super) struct TileWeights<'a> {
    values: &'a [f32],
    offsets: &'a [usize],
    n_rows: usize,
    row_stride: usize,
    /// `[row][column]`: a last quad that is not whole, filled up with zeros.
    rest: [f32; 4 * ROWS],
}

impl<'a> TileWeights<'a> {
    /// The weights of a tile whose first row begins where `values` does.
    ///
    /// # Panics
    /// If they reach outside `values`.
    pub fn new(tile: &Tile<'a>, values: &'a [f32]) -> Self {
        tile.check(values.len());
        let (offsets, n_rows, row_stride) = (tile.offsets(), tile.n_rows, tile.row_stride);
        let mut rest = [0.0; 4 * ROWS];
        let short = offsets.chunks_exact(4).remainder();
        for (row, rest) in rest.chunks_exact_mut(4).take(n_rows).enumerate() {
            for (weight, offset) in rest.iter_mut().zip(short) {
                *weight = values[offset + row * row_stride];
            }
        }
        Self { values, offsets, n_rows, row_stride, rest }
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Quad after quad.
    pub fn quads(&self) -> impl Iterator<Item = Quad<'_>> {
        let whole = self.offsets.chunks_exact(4);
        let rest = Quad { values: &self.rest, offsets: [0, 1, 2, 3], row_stride: 4 };
        let rest = (!whole.remainder().is_empty()).then_some(rest);
        let quad = |offsets: &[usize]| Quad {
            values: self.values,
            offsets: [offsets[0], offsets[1], offsets[2], offsets[3]],
            row_stride: self.row_stride,
        };
        whole.map(quad).chain(rest)
    }
}

/// Four columns of [`TileWeights`], which have checked that the last row's are in range.
pub(super) struct Quad<'a> {
    values: &'a [f32],
    offsets: [usize; 4],
    row_stride: usize,
}

impl Quad<'_> {
    /// The weights of one row.
    #[inline(always)]
    pub fn row(&self, row: usize) -> [f32; 4] {
        self.offsets.map(|offset| self.values[offset + row * self.row_stride])
    }

    /// Where the weights of one row are: readable if the [`TileWeights`] have that row.
    #[cfg_attr(not(any(target_arch = "x86_64", target_arch = "aarch64")), expect(dead_code))]
    #[inline(always)]
    pub fn pointers(&self, row: usize) -> [*const f32; 4] {
        self.offsets.map(|offset| self.values.as_ptr().wrapping_add(offset + row * self.row_stride))
    }
}
