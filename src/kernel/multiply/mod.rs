//! Panels times vectors of images: one fused multiply-add per edge and sixteen images, or eight or four.
//!
//! # Method
//! Rows are taken in tiles of eight (then four, two, one) whose weights are packed `[column][row]`. A tile meets up to
//! three **items** (row groups, i.e. pixels) at a time: their 24 sums stay in registers, a column costs three loads of
//! images and eight broadcasts of weights. (Where there are fewer registers: four rows, two items.) The images are read
//! where they are.
//!
//! The forward pass has vectors of eight images, too: half the registers' width, half the cost. Vectors of four share a
//! register in pairs, one of each of two items.
//!
//! # Order of summation (part of the definition)
//! `field = w(row, k) · x[k] + field`, rounded once, over the concatenated columns of the block's intervals (dense) or
//! interval after interval (diagonal). Every instruction set gives the bits of [`plain::multiply`](super::plain::multiply).

#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;
#[cfg(target_arch = "x86_64")]
mod x86;

use super::{Fields, Isa, LANES, Scratch, Task, local};
use crate::graph::{Block, Interval, NodeId, PanelKind, Stretch};

/// Rows of a whole tile.
pub const ROWS: usize = 8;
/// Items that a tile meets at a time.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
const ITEMS: usize = 3;

/// Values of one element in sixteen images, or in eight or four.
pub type Vector<const L: usize = LANES> = [f32; L];

/// Values of consecutive columns, sixteen images each.
#[derive(Clone, Copy, Debug)]
pub struct Columns<'a> {
    /// The column of the first vector.
    pub first: NodeId,
    /// `[column − first][lane]`
    pub vectors: &'a [Vector],
}

/// Buffers reused from block to block.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    weights: Vec<f32>,
    spans: Vec<Span>,
    items: Vec<Item>,
}

/// Adds `Σ_k w(row, k) · x[k]` of one block to the fields of its rows.
///
/// Shapes: `fields` has one plane and holds the block's rows; `columns` holds its columns.
/// Cost: one fused multiply-add per edge; where a panel is not shared, as much again for packing it.
///
/// # Panics
/// If the block reaches outside `fields`, `columns` or `values`, or if `fields` has not exactly one plane.
pub fn multiply(
    isa: Isa,
    block: &Block,
    intervals: &[Interval],
    values: &[f32],
    columns: Columns<'_>,
    fields: &mut Fields,
    scratch: &mut Scratch,
) {
    assert_eq!(fields.n_planes(), 1, "images come in one plane");
    if block.kind == PanelKind::Diagonal {
        return isa.run(Diagonal { block, intervals, values, columns, fields });
    }
    let Buffers { weights, spans, items } = &mut scratch.products;
    spans.clear();
    let mut n_columns = 0;
    for &Interval { first_col, len, .. } in intervals {
        spans.push(Span { column: local(first_col, columns.first) as u32, k: n_columns, len });
        n_columns += len;
    }
    let mut add = |items: &[Item], value_shift: u64, fields: &mut Fields| {
        for (first, n_rows) in tiles(block.n_rows as usize) {
            let values = &values[value_shift as usize + first * block.row_stride as usize..];
            pack(block, intervals, values, n_rows, weights);
            let product = Product {
                weights,
                n_rows,
                spans,
                columns: columns.vectors,
                out: Stride { first: first * block.row_step as usize, row: block.row_step as usize, item: 1 },
                start: None,
                finish: &Finish::NONE,
                addend: None,
            };
            product.add(isa, items, fields.vectors_mut());
        }
    };
    items.clear();
    for group in block.groups() {
        items.push(Item { column: group.col_shift, group: local(group.first_row, fields.first_row()) as u32 });
        if !block.shares_panel() {
            add(items, group.value_shift, fields);
            items.clear();
        }
    }
    if block.shares_panel() {
        add(items, 0, fields);
    }
}

/// Weights of `n_rows` rows as `[column][row]`; row 0 begins where `values` does.
fn pack(block: &Block, intervals: &[Interval], values: &[f32], n_rows: usize, weights: &mut Vec<f32>) {
    weights.clear();
    let (row_stride, col_stride) = (block.row_stride as usize, block.col_stride as usize);
    for interval in intervals {
        for k in 0..interval.len as usize {
            let column = &values[interval.values as usize + k * col_stride..];
            weights.extend((0..n_rows).map(|row| column[row * row_stride]));
        }
    }
}

/// Cuts rows into tiles: first row and number of rows, which is 8, 4, 2 or 1.
pub fn tiles(n_rows: usize) -> impl Iterator<Item = (usize, usize)> {
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

/// One row group: by how much its columns are shifted, and its place in the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    /// Shift of the columns, in vectors.
    pub column: u32,
    /// Number of the group: see [`Stride::item`].
    pub group: u32,
}

/// Consecutive columns and the packed column where their weights begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First column of an item that is not shifted, in vectors.
    pub column: u32,
    /// Its index among the packed columns.
    pub k: u32,
    /// Number of columns.
    pub len: u32,
}

/// Where row `r` of group `g` is: vector `first + g · item + r · row`.
#[derive(Clone, Copy, Debug)]
pub struct Stride {
    /// Row 0 of group 0.
    pub first: usize,
    /// Between groups.
    pub item: usize,
    /// Between rows.
    pub row: usize,
}

impl Stride {
    /// Index of a vector.
    #[inline(always)]
    pub fn at(&self, group: u32, row: usize) -> usize {
        self.first + group as usize * self.item + row * self.row
    }
}

/// What happens to a sum before it is stored: `min(high, max(low, (sum · mul + add) + addend))`, the product rounded once.
#[derive(Clone, Debug)]
pub struct Finish {
    /// Factor and addend of every row, if any; of as many rows as there are biases.
    pub affine: Option<(Vec<f32>, Vec<f32>)>,
    /// Lower bound; `−∞` for none.
    pub low: f32,
    /// Upper bound; `∞` for none.
    pub high: f32,
}

impl Finish {
    /// Sums are stored as they are.
    pub const NONE: Self = Self { affine: None, low: f32::NEG_INFINITY, high: f32::INFINITY };

    /// One lane of `row` after its sum.
    #[inline(always)]
    pub fn apply(&self, row: usize, x: f32, addend: Option<f32>) -> f32 {
        let x = self.affine.as_ref().map_or(x, |(mul, add)| x.mul_add(mul[row], add[row]));
        clamp(addend.map_or(x, |addend| x + addend), self.low, self.high)
    }
}

/// `x` between two bounds; a NaN and the sign of a zero are kept.
#[inline(always)]
pub fn clamp(x: f32, low: f32, high: f32) -> f32 {
    let x = if low > x { low } else { x };
    if high < x { high } else { x }
}

/// The rows of one tile times their columns, for many items.
pub struct Product<'a, const L: usize> {
    /// `[column][row]`
    pub weights: &'a [f32],
    /// Rows: 8, 4, 2 or 1.
    pub n_rows: usize,
    /// The columns.
    pub spans: &'a [Span],
    /// What spans and items number.
    pub columns: &'a [Vector<L>],
    /// Where the fields are.
    pub out: Stride,
    /// First of the tile's rows among the biases, and what sums begin with (zero where there are none); without it they
    /// begin with the fields.
    pub start: Option<(usize, &'a [f32])>,
    /// What happens to them; rows are numbered as the biases are.
    pub finish: &'a Finish,
    /// Tensor that is added, and where its rows are.
    pub addend: Option<(&'a [Vector<L>], Stride)>,
}

impl<const L: usize> Product<'_, L> {
    /// Computes the fields of all items.
    ///
    /// # Panics
    /// If an item, a span or a row reaches outside its vectors.
    pub fn add(&self, isa: Isa, items: &[Item], fields: &mut [Vector<L>]) {
        const { assert!(matches!(L, 4 | 8 | LANES), "a vector is sixteen images, eight or four") };
        self.check(items, fields.len());
        match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => x86::avx512(self, items, fields),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => x86::avx2(self, items, fields),
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => neon::add(self, items, fields),
            Isa::Portable => portable::add(self, items, fields),
        }
    }

    /// What the vector files rely on.
    fn check(&self, items: &[Item], n_fields: usize) {
        assert!(matches!(self.n_rows, 1 | 2 | 4 | 8), "a tile has 8, 4, 2 or 1 rows");
        let end = |pick: fn(&Span) -> u32| self.spans.iter().map(|s| pick(s) as usize + s.len as usize).max();
        let shift = items.iter().map(|item| item.column).max().unwrap_or(0) as usize;
        assert!(
            end(|s| s.column).is_none_or(|end| end + shift <= self.columns.len()),
            "a block reaches outside its columns"
        );
        assert!(
            end(|s| s.k).is_none_or(|end| end * self.n_rows <= self.weights.len()),
            "a panel reaches outside its weights"
        );
        let last = items.iter().map(|item| item.group).max().unwrap_or(0);
        assert!(items.is_empty() || self.out.at(last, self.n_rows - 1) < n_fields, "a block reaches outside its frame");
        if let Some((tensor, stride)) = &self.addend {
            assert!(items.is_empty() || stride.at(last, self.n_rows - 1) < tensor.len(), "an addend has another shape");
        }
        if let Some((first, bias)) = self.start {
            assert!(bias.is_empty() || first + self.n_rows <= bias.len(), "a tile has a bias per row");
        }
        if let Some((mul, add)) = &self.finish.affine {
            let first = self.start.map_or(0, |start| start.0);
            assert!(first + self.n_rows <= mul.len().min(add.len()), "a tile has a factor per row");
        }
    }

    /// What the sums of a row begin with, unless with the fields.
    #[inline(always)]
    fn bias(&self, row: usize) -> Option<f32> {
        self.start.map(|(first, bias)| if bias.is_empty() { 0.0 } else { bias[first + row] })
    }

    /// Factor and addend of a row.
    #[cfg_attr(not(any(target_arch = "x86_64", target_arch = "aarch64")), expect(dead_code))]
    #[inline(always)]
    fn affine(&self, row: usize) -> Option<(f32, f32)> {
        let first = self.start.map_or(0, |start| start.0);
        self.finish.affine.as_ref().map(|(mul, add)| (mul[first + row], add[first + row]))
    }
}

/// Calls `$f::<R, P, L>(product, items, fields)` for all items, in pieces of one to three times `$sharing`.
#[cfg_attr(not(any(target_arch = "x86_64", target_arch = "aarch64")), expect(unused_macros))]
macro_rules! split_items {
    ($f:ident, $lanes:ident, $sharing:expr, $product:expr, $items:expr, $fields:expr) => {{
        for items in $items {
            match ($product.n_rows, items.len().div_ceil($sharing)) {
                (8, 3) => $f::<8, 3, $lanes>($product, items, $fields),
                (8, 2) => $f::<8, 2, $lanes>($product, items, $fields),
                (8, _) => $f::<8, 1, $lanes>($product, items, $fields),
                (4, 3) => $f::<4, 3, $lanes>($product, items, $fields),
                (4, 2) => $f::<4, 2, $lanes>($product, items, $fields),
                (4, _) => $f::<4, 1, $lanes>($product, items, $fields),
                (2, 3) => $f::<2, 3, $lanes>($product, items, $fields),
                (2, 2) => $f::<2, 2, $lanes>($product, items, $fields),
                (2, _) => $f::<2, 1, $lanes>($product, items, $fields),
                (_, 3) => $f::<1, 3, $lanes>($product, items, $fields),
                (_, 2) => $f::<1, 2, $lanes>($product, items, $fields),
                _ => $f::<1, 1, $lanes>($product, items, $fields),
            }
        }
    }};
}
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
use split_items;

struct Diagonal<'a> {
    block: &'a Block,
    intervals: &'a [Interval],
    values: &'a [f32],
    columns: Columns<'a>,
    fields: &'a mut Fields,
}

impl Task for Diagonal<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for group in self.block.groups() {
            let first_row = local(group.first_row, self.fields.first_row());
            let fields = self.fields.vectors_mut()[first_row..].iter_mut().step_by(self.block.row_step as usize);
            for (r, field) in (0..self.block.n_rows).zip(fields) {
                let mut sum = *field;
                for interval in self.intervals {
                    let Stretch { first_col, first_value, .. } = self.block.stretch(group, r, interval);
                    let column = &self.columns.vectors[local(first_col, self.columns.first)];
                    multiply_add(&mut sum, self.values[first_value as usize], column);
                }
                *field = sum;
            }
        }
    }
}

/// `sum = weight · x + sum`, rounded once.
#[inline(always)]
pub fn multiply_add<const L: usize>(sum: &mut Vector<L>, weight: f32, x: &Vector<L>) {
    for (sum, x) in sum.iter_mut().zip(x) {
        *sum = weight.mul_add(*x, *sum);
    }
}
