//! Where the weights of a panel are, by quads of columns: `w(row, column) = values[offset(column) + row · row_stride]`.

use std::ops::Range;

use super::dense::ROWS;
use crate::graph::Interval;

/// Offsets of `w(0, column)` for the concatenated columns of a block's group (0, 0).
#[derive(Debug, Default)]
pub(super) struct Columns {
    offsets: Vec<usize>,
    /// No offset is larger.
    bound: usize,
}

impl Columns {
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

    /// The weights of some columns and of `n_rows` rows, the first of which begins where `values` does.
    ///
    /// # Panics
    /// If they reach outside `values`.
    pub fn weights<'a>(
        &'a self,
        columns: Range<usize>,
        n_rows: usize,
        values: &'a [f32],
        row_stride: usize,
    ) -> Weights<'a> {
        assert!((1..=ROWS).contains(&n_rows));
        let last = self.bound.saturating_add((n_rows - 1).saturating_mul(row_stride));
        assert!(last < values.len(), "a panel reaches outside the value store");
        let offsets = &self.offsets[columns];
        let mut rest = [0.0; 4 * ROWS];
        let short = offsets.chunks_exact(4).remainder();
        for (row, rest) in rest.chunks_exact_mut(4).take(n_rows).enumerate() {
            for (weight, offset) in rest.iter_mut().zip(short) {
                *weight = values[offset + row * row_stride];
            }
        }
        Weights { values, offsets, n_rows, row_stride, rest }
    }
}

/// Some rows and columns of a panel, all in range.
pub(super) struct Weights<'a> {
    values: &'a [f32],
    offsets: &'a [usize],
    n_rows: usize,
    row_stride: usize,
    /// `[row][column]`: a last quad that is not whole, filled up with zeros.
    rest: [f32; 4 * ROWS],
}

impl Weights<'_> {
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

/// Four columns of [`Weights`]: `Columns::weights` has checked the largest offset in the last row.
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

    /// Where the weights of one row are: readable if the [`Weights`] have that row.
    #[cfg_attr(not(any(target_arch = "x86_64", target_arch = "aarch64")), expect(dead_code))]
    #[inline(always)]
    pub fn pointers(&self, row: usize) -> [*const f32; 4] {
        self.offsets.map(|offset| self.values.as_ptr().wrapping_add(offset + row * self.row_stride))
    }
}
