//! A tile of rows times its columns, and where weights, images and outputs lie.

use super::finish::Finish;
use crate::kernel::lanes::vector::LANES;

/// Rows of a whole tile.
const ROWS: usize = 8;
/// Pixels that a tile meets at a time.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub(super) const PIXELS: usize = 3;

/// Values of one element in sixteen images, or in eight or four.
pub(crate) type Vector<const L: usize = LANES> = [f32; L];

/// Cuts rows into tiles: first row and number of rows, which is 8, 4, 2 or 1.
pub(crate) fn tiles(n_rows: usize) -> impl Iterator<Item = (usize, usize)> {
    let mut first = 0;
    std::iter::from_fn(move || {
        let n = match n_rows - first {
            0 => return None,
            1 => 1,
            2..4 => 2,
            4..8 => 4,
            _ => ROWS,
        };
        first += n;
        Some((first - n, n))
    })
}

/// One row group, a pixel of the output: by how much its columns are shifted, and its number in the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OutputPixel {
    /// How far its columns are from those of the spans, in vectors.
    pub shift: u32,
    /// Its number: see [`Strides::at`].
    pub index: u32,
}

/// Consecutive columns, and the packed column where their weights begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ColumnSpan {
    /// First column of a pixel that is not shifted, in vectors.
    pub column: u32,
    /// Its index among the packed columns.
    pub k: u32,
    /// Number of columns.
    pub len: u32,
}

/// Where the rows of pixels are in a tensor, in vectors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Strides {
    /// Row 0 of pixel 0.
    pub first: usize,
    /// Between pixels.
    pub pixel: usize,
    /// Between rows.
    pub row: usize,
}

impl Strides {
    /// The vector of a row of the pixel with this number.
    #[inline(always)]
    pub fn at(&self, pixel: u32, row: usize) -> usize {
        self.first + pixel as usize * self.pixel + row * self.row
    }
}

/// The rows of one tile times their columns, for many pixels.
pub(crate) struct Product<'a, const L: usize> {
    /// `[column][row]`
    pub weights: &'a [f32],
    /// Rows: 8, 4, 2 or 1.
    pub n_rows: usize,
    /// The columns.
    pub spans: &'a [ColumnSpan],
    /// What spans and shifts count: the input's vectors.
    pub columns: &'a [Vector<L>],
    /// Where the sums go.
    pub out: Strides,
    /// Number of the tile's first row in the layer: biases and factors are counted from the layer's.
    pub first_row: usize,
    /// What the sum of each of the layer's rows begins with; none: zero.
    pub bias: &'a [f32],
    /// What happens to the sums before they are stored.
    pub finish: &'a Finish,
    /// A tensor that is added to the sums, and where its rows are.
    pub addend: Option<(&'a [Vector<L>], Strides)>,
}

impl<const L: usize> Product<'_, L> {
    /// What the vector files rely on.
    ///
    /// # Panics
    /// If a pixel, a span or a row reaches outside its vectors.
    pub(super) fn check(&self, pixels: &[OutputPixel], n_fields: usize) {
        const { assert!(matches!(L, 4 | 8 | LANES), "a vector is sixteen images, eight or four") };
        assert!(matches!(self.n_rows, 1 | 2 | 4 | 8), "a tile has 8, 4, 2 or 1 rows");
        let end = |first: fn(&ColumnSpan) -> u32| self.spans.iter().map(|s| first(s) as usize + s.len as usize).max();
        let shift = pixels.iter().map(|pixel| pixel.shift).max().unwrap_or(0) as usize;
        let columns = end(|span| span.column).map_or(0, |end| end + shift);
        assert!(columns <= self.columns.len(), "a block reaches outside its columns");
        let packed = end(|span| span.k).unwrap_or(0);
        assert!(packed * self.n_rows <= self.weights.len(), "a panel reaches outside its weights");
        if let Some(last) = pixels.iter().map(|pixel| pixel.index).max() {
            assert!(self.out.at(last, self.n_rows - 1) < n_fields, "a block reaches outside its frame");
            let fits = |(tensor, strides): &(&[_], Strides)| strides.at(last, self.n_rows - 1) < tensor.len();
            assert!(self.addend.as_ref().is_none_or(fits), "an addend has another shape");
        }
        let end_row = self.first_row + self.n_rows;
        assert!(self.bias.is_empty() || end_row <= self.bias.len(), "a tile has a bias per row");
        if let Some((mul, add)) = &self.finish.affine {
            assert!(end_row <= mul.len().min(add.len()), "a tile has a factor per row");
        }
    }

    /// What the sum of a row of the tile begins with.
    #[inline(always)]
    pub(super) fn bias(&self, row: usize) -> f32 {
        if self.bias.is_empty() { 0.0 } else { self.bias[self.first_row + row] }
    }

    /// Factor and addend of a row of the tile.
    #[cfg_attr(not(any(target_arch = "x86_64", target_arch = "aarch64")), expect(dead_code))]
    #[inline(always)]
    pub(super) fn affine(&self, row: usize) -> Option<(f32, f32)> {
        let row = self.first_row + row;
        self.finish.affine.as_ref().map(|(mul, add)| (mul[row], add[row]))
    }
}

/// Calls `$f::<R, P, L>(product, pixels, fields)` for all pixels, in pieces of one to three registers, each with the images of
/// `$sharing` pixels: a function of its own for every number of rows `R` and of registers `P`.
#[cfg_attr(not(any(target_arch = "x86_64", target_arch = "aarch64")), expect(unused_macros))]
macro_rules! split_pixels {
    ($f:ident, $lanes:ident, $sharing:expr, $product:expr, $pixels:expr, $fields:expr) => {{
        for pixels in $pixels {
            match ($product.n_rows, pixels.len().div_ceil($sharing)) {
                (8, 3) => $f::<8, 3, $lanes>($product, pixels, $fields),
                (8, 2) => $f::<8, 2, $lanes>($product, pixels, $fields),
                (8, _) => $f::<8, 1, $lanes>($product, pixels, $fields),
                (4, 3) => $f::<4, 3, $lanes>($product, pixels, $fields),
                (4, 2) => $f::<4, 2, $lanes>($product, pixels, $fields),
                (4, _) => $f::<4, 1, $lanes>($product, pixels, $fields),
                (2, 3) => $f::<2, 3, $lanes>($product, pixels, $fields),
                (2, 2) => $f::<2, 2, $lanes>($product, pixels, $fields),
                (2, _) => $f::<2, 1, $lanes>($product, pixels, $fields),
                (_, 3) => $f::<1, 3, $lanes>($product, pixels, $fields),
                (_, 2) => $f::<1, 2, $lanes>($product, pixels, $fields),
                _ => $f::<1, 1, $lanes>($product, pixels, $fields),
            }
        }
    }};
}
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub(super) use split_pixels;
