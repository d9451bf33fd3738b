//! Dense blocks: tiles of rows × columns × items, where an item is one row group in one plane.
//!
//! For at most [`ITEMS`] items and [`QUADS`] quads of columns at a time the spins are packed (sixteen nibbles to a
//! word); then for every [`ROWS`] rows the tables are built and looked up by all items.

use std::ops::Range;

#[cfg(target_arch = "aarch64")]
use super::neon;
use super::weights::{Columns, Weights};
#[cfg(target_arch = "x86_64")]
use super::x86;
use super::{Fields, Isa, LANES, Line, Spins, local, portable};
use crate::graph::{Block, Interval, RowGroup};

/// Rows of a tile: their accumulators stay in registers.
pub(super) const ROWS: usize = 8;
/// Quads of columns of a tile: its tables (64 bytes per row and quad) stay in the first-level cache.
pub(super) const QUADS: usize = 48;
/// Items of a tile: their packed spins stay in the second-level cache.
const ITEMS: usize = 768;

/// The sixteen sums of one row and quad: entry `i` has `+w_b` where bit `b` of `i` is set.
pub(super) type Table = Line;

/// The spins of a quad's columns by lane, as [`Single`] needs them: ±1, sign bit, ±1, sign bit.
#[cfg(target_arch = "x86_64")]
pub(super) type Signs = [Line; 4];

/// Sign of `w_b` in entry `i` of a table: `[b][i]`.
pub(super) const SIGNS: [[f32; LANES]; 4] = {
    let mut signs = [[1.0; LANES]; 4];
    let mut at = 0;
    while at < 4 * LANES {
        let (b, i) = (at / LANES, at % LANES);
        if i >> b & 1 == 0 {
            signs[b][i] = -1.0;
        }
        at += 1;
    }
    signs
};

/// Buffers reused from block to block.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    columns: Columns,
    items: Vec<Item>,
    masks: Vec<u16>,
    /// `[item][quad]`
    packed: Vec<u64>,
    /// `[quad][row]`
    tables: Vec<Table>,
    /// `[quad]`
    #[cfg(target_arch = "x86_64")]
    signs: Vec<Signs>,
}

/// One row group in one plane: where its columns and its fields are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    plane: usize,
    col_shift: u32,
    /// Index of the vector of the first row in the fields.
    pub field: usize,
}

/// What one tile of rows works on; `field_step` is the distance between neighbouring rows' vectors.
pub(super) struct Tile<'a> {
    pub tables: &'a [Table],
    pub n_rows: usize,
    pub n_quads: usize,
    pub field_step: usize,
}

/// One item of a tile: its first vector and its packed words, one per quad.
pub(super) struct ItemOfTile<'a> {
    pub tile: &'a Tile<'a>,
    pub words: &'a [u64],
    first: usize,
}

impl Tile<'_> {
    /// Calls `f(item, fields)` for the items that begin at the given vectors.
    ///
    /// # Panics
    /// Unless tables and words are complete, and `fields` has the vectors of all rows of all items.
    #[inline(always)]
    pub fn each_item(
        &self,
        items: impl ExactSizeIterator<Item = usize>,
        packed: &[u64],
        fields: &mut [[f32; LANES]],
        mut f: impl FnMut(&ItemOfTile<'_>, &mut [[f32; LANES]]),
    ) {
        assert!(self.n_rows > 0 && self.n_quads > 0 && self.tables.len() >= self.n_quads * self.n_rows);
        assert!(packed.len() >= items.len() * self.n_quads);
        for (first, words) in items.zip(packed.chunks_exact(self.n_quads)) {
            assert!(first + (self.n_rows - 1) * self.field_step < fields.len(), "a block reaches outside its frame");
            f(&ItemOfTile { tile: self, words, first }, fields);
        }
    }
}

impl ItemOfTile<'_> {
    /// The vector of a row.
    #[inline(always)]
    pub fn vector(&self, row: usize) -> usize {
        self.first + row * self.tile.field_step
    }
    /// Where the tables of a row begin: those of the next quad are `n_rows` tables further.
    #[cfg_attr(not(any(target_arch = "x86_64", target_arch = "aarch64")), expect(dead_code))]
    #[inline(always)]
    pub fn tables(&self, row: usize) -> *const f32 {
        self.tile.tables[row..].as_ptr().cast()
    }
}

/// What is added for a panel that one item uses once: no tables, the signed sums themselves.
#[cfg(target_arch = "x86_64")]
pub(super) struct Single<'a> {
    pub weights: Weights<'a>,
    pub signs: &'a [Signs],
    /// The item's first vector.
    pub first: usize,
    pub field_step: usize,
}

/// Calls `$f::<R>(item, row, fields)` for `$n_rows` rows, `R` of them at a time: eight, four, two or one.
#[cfg_attr(not(any(target_arch = "x86_64", target_arch = "aarch64")), expect(unused_macros))]
macro_rules! split_rows {
    ($n_rows:expr, $f:ident, $item:expr, $fields:expr) => {{
        let (item, fields) = ($item, $fields);
        let (mut row, n_rows) = (0, $n_rows);
        while row < n_rows {
            match n_rows - row {
                8.. => ($f::<8>(item, row, fields), row += 8),
                4.. => ($f::<4>(item, row, fields), row += 4),
                2.. => ($f::<2>(item, row, fields), row += 2),
                _ => ($f::<1>(item, row, fields), row += 1),
            };
        }
    }};
}
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub(super) use split_rows;

/// A dense block and its spins.
#[derive(Clone, Copy)]
pub(super) struct Dense<'a> {
    pub isa: Isa,
    pub block: &'a Block,
    pub intervals: &'a [Interval],
    pub spins: &'a Spins,
}

/// Items that share a panel's values, and the values from the first one on.
#[derive(Clone, Copy)]
struct Shared<'a> {
    values: &'a [f32],
    items: &'a [Item],
}

impl Dense<'_> {
    /// Adds the block, whose panels are in `values`, to the fields of its rows.
    pub fn add(&self, values: &[f32], fields: &mut Fields, scratch: &mut Scratch) {
        scratch.columns.reset(self.intervals, self.block.col_stride);
        let mut items = std::mem::take(&mut scratch.items);
        self.each_shared(fields, &mut items, |items, value_shift, fields| {
            self.add_items(Shared { values: &values[value_shift as usize..], items }, fields, scratch);
        });
        scratch.items = items;
    }

    /// Calls `f(items, value shift, fields)` for the items that share their values: once, or for every row group.
    pub fn each_shared(
        &self,
        fields: &mut Fields,
        items: &mut Vec<Item>,
        mut f: impl FnMut(&[Item], u64, &mut Fields),
    ) {
        let is_shared = self.block.shares_panel();
        items.clear();
        for group in self.block.groups() {
            self.push_items(group, fields, items);
            if !is_shared {
                f(items, group.value_shift, fields);
                items.clear();
            }
        }
        if is_shared {
            f(items, 0, fields);
        }
    }

    fn push_items(&self, RowGroup { first_row, col_shift, .. }: RowGroup, fields: &Fields, items: &mut Vec<Item>) {
        let first = local(first_row, fields.first_row()) * fields.n_planes();
        let item = |(index, &plane)| Item { plane, col_shift, field: first + index };
        items.extend(fields.planes().iter().enumerate().map(item));
    }

    /// Adds the panel to all items, tile by tile.
    fn add_items(&self, shared: Shared<'_>, fields: &mut Fields, scratch: &mut Scratch) {
        let n_cols = scratch.columns.len();
        for items in shared.items.chunks(ITEMS) {
            for first_col in (0..n_cols).step_by(4 * QUADS) {
                let cols = first_col..n_cols.min(first_col + 4 * QUADS);
                scratch.packed.clear();
                for item in items {
                    self.gather(item, first_col, cols.len(), &mut scratch.masks);
                    pack(self.isa, &mut scratch.masks, &mut scratch.packed);
                }
                self.add_columns(cols, Shared { items, ..shared }, fields, scratch);
            }
        }
    }

    /// Adds some columns of the panel, at most a tile's, to the items whose spins there are packed.
    fn add_columns(&self, cols: Range<usize>, shared: Shared<'_>, fields: &mut Fields, scratch: &mut Scratch) {
        let Shared { values, items } = shared;
        let Scratch { columns, packed, tables, .. } = scratch;
        let (n_rows, row_stride) = (self.block.n_rows as usize, self.block.row_stride as usize);
        let n_quads = cols.len().div_ceil(4);
        let field_step = self.block.row_step as usize * fields.n_planes();
        let rows = (0..n_rows).step_by(ROWS).map(|row| {
            let values = &values[row * row_stride..];
            (row * field_step, columns.weights(cols.clone(), ROWS.min(n_rows - row), values, row_stride))
        });
        // A whole table that is looked up once costs more than it saves, unless there are too few rows to make up for the
        // expansion of the signs.
        #[cfg(target_arch = "x86_64")]
        if let (Isa::Avx512, [item], true) = (self.isa, items, n_rows >= 2 * ROWS) {
            let signs = &mut scratch.signs;
            x86::avx512::expand(packed, signs);
            for (at, weights) in rows {
                let single = Single { weights, signs, first: item.field + at, field_step };
                x86::avx512::add(&single, fields.vectors_mut());
            }
            return;
        }
        for (at, weights) in rows {
            tables.resize(n_quads * weights.n_rows(), Line([0.0; LANES]));
            build(self.isa, &weights, tables);
            let tile = Tile { tables, n_rows: weights.n_rows(), n_quads, field_step };
            look_up(self.isa, &tile, items.iter().map(|i| i.field + at), packed, fields.vectors_mut());
        }
    }

    /// Copies the masks of concatenated columns `first .. first + n` of one item, filled up to whole quads.
    pub fn gather(&self, item: &Item, first: usize, n: usize, masks: &mut Vec<u16>) {
        let plane = self.spins.plane(item.plane);
        masks.clear();
        let mut start = 0;
        for interval in self.intervals {
            let len = interval.len as usize;
            let (from, to) = (first.max(start), (first + n).min(start + len));
            if from < to {
                let column = (interval.first_col + item.col_shift) as usize + (from - start);
                match to - from {
                    1 => masks.push(plane[column]),
                    n => masks.extend_from_slice(&plane[column..column + n]),
                }
            }
            start += len;
            if start >= first + n {
                break;
            }
        }
        masks.resize(n.next_multiple_of(4), 0);
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

/// Tabulates the rows and quads of `weights`: `[quad][row]`, of half tables the lower half.
fn build(isa: Isa, weights: &Weights<'_>, tables: &mut [Table]) {
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

/// Adds the looked-up sums of all items, whose fields begin at the given vectors.
fn look_up(
    isa: Isa,
    tile: &Tile<'_>,
    items: impl ExactSizeIterator<Item = usize>,
    packed: &[u64],
    fields: &mut [[f32; LANES]],
) {
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => x86::avx512::look_up(tile, items, packed, fields),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => x86::avx2::look_up(tile, items, packed, fields),
        #[cfg(target_arch = "aarch64")]
        Isa::Neon => neon::look_up(tile, items, packed, fields),
        Isa::Portable => portable::look_up(tile, items, packed, fields),
    }
}
