//! Dense blocks: tiles of rows × columns × items, where an item is one row group in one lane group.
//!
//! For at most [`ITEMS`] items and [`QUADS`] quads of columns at a time the spins are packed (sixteen nibbles to a
//! word); then for every [`ROWS`] rows the tables are built and looked up by all items.

#[cfg(target_arch = "aarch64")]
use super::neon;
#[cfg(target_arch = "x86_64")]
use super::x86;
use super::{Fields, Isa, LANES, Spins, local, portable};
use crate::graph::{Block, Interval};

/// Rows of a tile: with three items, twenty-four accumulators.
pub(super) const ROWS: usize = 8;
/// Quads of columns of a tile: its tables (64 bytes per row and quad) stay in the first-level cache.
pub(super) const QUADS: usize = 48;
/// Items of a tile: their packed spins stay in the second-level cache.
const ITEMS: usize = 768;

/// The sixteen sums of one row and quad.
pub(super) type Table = [f32; LANES];

/// Buffers reused from block to block.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// Offset of `w(0, column)` in the value store, per concatenated column, for group (0, 0).
    offsets: Vec<u64>,
    items: Vec<Item>,
    masks: Vec<u16>,
    /// `[item][quad]`
    packed: Vec<u64>,
    /// `[quad][row]`
    tables: Vec<Table>,
}

/// One row group in one lane group: where its columns and its fields are.
#[derive(Clone, Copy, Debug)]
struct Item {
    group: usize,
    col_shift: u32,
    /// Index of the vector of the first row in the fields.
    field: usize,
}

/// What one tile of rows works on; `field_step` is the distance between neighbouring rows' vectors.
pub(super) struct Tile<'a> {
    pub tables: &'a [Table],
    pub n_rows: usize,
    pub n_quads: usize,
    pub field_step: usize,
}

impl Tile<'_> {
    /// Panics unless the tables, and the words of that many items, are complete.
    pub fn check(&self, n_items: usize, packed: &[u64]) {
        assert!((1..=ROWS).contains(&self.n_rows) && (1..=QUADS).contains(&self.n_quads));
        assert!(self.tables.len() >= self.n_quads * self.n_rows);
        assert!(packed.len() >= n_items * self.n_quads);
    }

    /// Panics unless `fields` has the vectors of all rows of the item that begins at vector `first`.
    pub fn check_item(&self, first: usize, fields: &[[f32; LANES]]) {
        assert!(first + (self.n_rows - 1) * self.field_step < fields.len(), "a block reaches outside its frame");
    }
}

pub(super) fn add(
    isa: Isa,
    block: &Block,
    intervals: &[Interval],
    values: &[f32],
    spins: &Spins,
    fields: &mut Fields,
    scratch: &mut Scratch,
) {
    scratch.offsets.clear();
    for interval in intervals {
        let offset = |k| interval.values + u64::from(k) * u64::from(block.col_stride);
        scratch.offsets.extend((0..interval.len).map(offset));
    }
    let panel = Panel { isa, block, intervals, values, spins };
    if block.runs.iter().all(|run| run.value_step == 0 || run.count == 1) {
        scratch.items.clear();
        for a in 0..block.runs[0].count {
            for b in 0..block.runs[1].count {
                panel.push_items(a, b, fields, &mut scratch.items);
            }
        }
        return panel.add_items(0, fields, scratch);
    }
    for a in 0..block.runs[0].count {
        for b in 0..block.runs[1].count {
            scratch.items.clear();
            panel.push_items(a, b, fields, &mut scratch.items);
            panel.add_items(block.group(a, b).2, fields, scratch);
        }
    }
}

/// A block and its operands.
struct Panel<'a> {
    isa: Isa,
    block: &'a Block,
    intervals: &'a [Interval],
    values: &'a [f32],
    spins: &'a Spins,
}

impl Panel<'_> {
    fn push_items(&self, a: u32, b: u32, fields: &Fields, items: &mut Vec<Item>) {
        let (row, col_shift, _) = self.block.group(a, b);
        let first = local(row, fields.first_row()) * fields.n_groups();
        let item = |(index, &group)| Item { group, col_shift, field: first + index };
        items.extend(fields.groups().iter().enumerate().map(item));
    }

    /// Adds the panel at `value_shift` to all items.
    fn add_items(&self, value_shift: u64, fields: &mut Fields, scratch: &mut Scratch) {
        let Scratch { offsets, items, masks, packed, tables } = scratch;
        let n_rows = self.block.n_rows as usize;
        let field_step = self.block.row_step as usize * fields.n_groups();
        for items in items.chunks(ITEMS) {
            for (tile, offsets) in offsets.chunks(4 * QUADS).enumerate() {
                let first_col = tile * 4 * QUADS;
                let n_quads = offsets.len().div_ceil(4);
                packed.clear();
                for item in items {
                    self.gather(item, first_col, offsets.len(), masks);
                    pack(self.isa, masks, packed);
                }
                for first_row in (0..n_rows).step_by(ROWS) {
                    let n_rows = ROWS.min(n_rows - first_row);
                    let shift = value_shift + first_row as u64 * u64::from(self.block.row_stride);
                    self.build(offsets, shift, n_rows, tables);
                    let tile = Tile { tables, n_rows, n_quads, field_step };
                    let at = first_row * field_step;
                    look_up(self.isa, &tile, items.iter().map(|i| i.field + at), packed, fields.vectors_mut());
                }
            }
        }
    }

    /// Copies the masks of concatenated columns `first .. first + n` of one item, filled up to whole quads.
    fn gather(&self, item: &Item, first: usize, n: usize, masks: &mut Vec<u16>) {
        let plane = self.spins.plane(item.group);
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

    /// Tabulates `n_rows` rows from value offset `shift` on.
    fn build(&self, offsets: &[u64], shift: u64, n_rows: usize, tables: &mut Vec<Table>) {
        tables.resize(offsets.len().div_ceil(4) * n_rows, [0.0; LANES]);
        let weights = |quad: &[u64], row: usize| {
            let shift = shift + row as u64 * u64::from(self.block.row_stride);
            let mut w = [0.0; 4];
            for (w, offset) in w.iter_mut().zip(quad) {
                *w = self.values[(offset + shift) as usize];
            }
            w
        };
        match self.isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => x86::avx512::build(offsets, n_rows, weights, tables),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => x86::avx2::build(offsets, n_rows, weights, tables),
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => portable::build(offsets, n_rows, weights, tables),
            Isa::Portable => portable::build(offsets, n_rows, weights, tables),
        }
    }
}

/// Appends the packed form of whole quads of masks.
fn pack(isa: Isa, masks: &[u16], packed: &mut Vec<u64>) {
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 | Isa::Avx2 => x86::pack(masks, packed),
        #[cfg(target_arch = "aarch64")]
        Isa::Neon => portable::pack_relative(masks, packed),
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
