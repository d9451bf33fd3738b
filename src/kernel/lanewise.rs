//! Blocks whose weights differ from lane to lane: several graphs that share all but their values, side by side.
//!
//! The replicas in the lanes have no table in common. But the sums of a pair of columns do not depend on the spins
//! beyond their signs: `s₀ w₀ + s₁ w₁` is `s₀ (w₀ + w₁)` or `s₀ (w₀ − w₁)`. So a panel is kept as both sums of every pair, by
//! lane; for a row and a quad two of four vectors are chosen, and added up with two multiply-adds whose products with a
//! sign are exact: the order of summation is that of [`Operands::add_blocks`], and so are the bits.
//!
//! Cost: four vector operations per row and quad of sixteen lanes, and twelve to make the sums, once for all row groups
//! that share a panel; they stay in the first-level cache.

use super::dense::{Dense, Item, ROWS};
#[cfg(target_arch = "x86_64")]
use super::x86;
use super::{Fields, Isa, LANES, Line, Operands, Spins, Task, bit_of_lane, diagonal, local};
use crate::graph::{Block, Blocks, Interval, PanelKind, RowGroup};

/// Quads of columns of a tile: 256 bytes for each of its rows.
const QUADS: usize = 8;
/// Quads of columns whose spins are packed at a time, a multiple of [`QUADS`].
const PACKED: usize = 48;

/// The values of several graphs, and which lane has which graph's.
#[derive(Clone, Debug)]
pub struct LaneValues {
    n_graphs: usize,
    /// By lane: its graph.
    graphs: [u32; LANES],
    /// `[value][graph]`, and [`LANES`] more, so that a whole vector can be read anywhere.
    values: Vec<f32>,
}

impl LaneValues {
    /// Zeros for the replicas `0..16`, of which each belongs to one of `n_graphs` graphs.
    ///
    /// Memory: 4 bytes per value and graph.
    ///
    /// # Panics
    /// Unless there are one to sixteen graphs, and replicas of no others.
    pub fn zero(n_values: usize, n_graphs: usize, graph_of_replica: [usize; LANES]) -> Self {
        assert!((1..=LANES).contains(&n_graphs) && graph_of_replica.iter().all(|&graph| graph < n_graphs));
        let graphs = std::array::from_fn(|lane| graph_of_replica[bit_of_lane(lane)] as u32);
        Self { n_graphs, graphs, values: vec![0.0; n_values * n_graphs + LANES] }
    }

    /// Sets the values of one graph, each times `factor`, a power of two.
    pub fn set(&mut self, graph: usize, values: &[f32], factor: f64) {
        assert_eq!(values.len(), self.n_values(), "a value store of another length");
        let to = self.values[graph..].iter_mut().step_by(self.n_graphs);
        to.zip(values).for_each(|(to, &value)| *to = (f64::from(value) * factor) as f32);
    }

    /// The values of one graph, as they were set.
    pub fn of_graph(&self, graph: usize) -> Vec<f32> {
        self.values[graph..].iter().step_by(self.n_graphs).take(self.n_values()).copied().collect()
    }

    /// Values of each graph.
    pub fn n_values(&self) -> usize {
        (self.values.len() - LANES) / self.n_graphs
    }

    /// The value at an offset, by lane.
    #[inline(always)]
    pub(super) fn vector(&self, offset: usize) -> [f32; LANES] {
        let of_graphs = &self.values[offset * self.n_graphs..][..LANES];
        let mut vector = [0.0; LANES];
        for (value, graph) in vector.iter_mut().zip(self.graphs) {
            *value = of_graphs[graph as usize % LANES];
        }
        vector
    }

    /// By lane, the position of its value among sixteen from [`pointer`](Self::pointer).
    #[cfg(target_arch = "x86_64")]
    pub(super) fn graphs(&self) -> &[u32; LANES] {
        &self.graphs
    }

    /// Where the values at an offset begin: sixteen can be read if the offset is in range.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    pub(super) fn pointer(&self, offset: usize) -> *const f32 {
        self.values.as_ptr().wrapping_add(offset * self.n_graphs)
    }
}

/// By lane: `w₀ + w₁`, `w₀ − w₁`, `w₂ + w₃` and `w₂ − w₃` of one row and quad.
pub(super) type Sums = [Line; 4];

/// Buffers reused from block to block.
#[derive(Debug, Default)]
pub struct LaneScratch {
    /// Offsets of `w(0, column)` for the concatenated columns of a block's group (0, 0).
    offsets: Vec<usize>,
    items: Vec<Item>,
    masks: Vec<u16>,
    /// `[item][quad]`
    packed: Vec<u64>,
    /// `[quad][row]`
    sums: Vec<Sums>,
}

/// Some rows and quads of a panel; `field_step` is the distance between neighbouring rows' vectors.
pub(super) struct Tile<'a> {
    /// `[quad][row]`
    pub sums: &'a [Sums],
    pub n_rows: usize,
    pub n_quads: usize,
    pub field_step: usize,
}

/// One item of a tile: its first vector, and per quad four masks in lane order: where `s₀ = +1`, where `s₁ = s₀`,
/// where `s₃ = s₂`, where `s₂ = s₀`.
#[derive(Clone, Copy)]
pub(super) struct ItemOfTile<'a> {
    pub first: usize,
    pub words: &'a [u64],
}

impl Tile<'_> {
    /// # Panics
    /// Unless the sums and the item's words are complete, and `fields` has the vectors of all rows.
    pub(super) fn check(&self, item: ItemOfTile<'_>, fields: &[[f32; LANES]]) {
        assert!(self.n_rows > 0 && self.sums.len() >= self.n_rows * self.n_quads && item.words.len() >= self.n_quads);
        assert!(item.first + (self.n_rows - 1) * self.field_step < fields.len(), "a block reaches outside its frame");
    }
}

/// The weights of some rows and at most [`QUADS`] quads of columns, all in range.
pub(super) struct Weights<'a> {
    values: &'a LaneValues,
    /// Of the first row: by column.
    offsets: &'a [usize],
    /// To be added to all offsets.
    shift: usize,
    pub n_rows: usize,
    row_stride: usize,
}

impl<'a> Weights<'a> {
    /// # Panics
    /// If they reach outside `values`.
    fn new(
        values: &'a LaneValues,
        offsets: &'a [usize],
        shift: usize,
        (n_rows, row_stride): (usize, usize),
    ) -> Weights<'a> {
        let bound = offsets.iter().copied().max().unwrap_or(0);
        let last = bound.saturating_add(shift).saturating_add((n_rows - 1).saturating_mul(row_stride));
        assert!(last < values.n_values(), "a panel reaches outside the value store");
        Self { values, offsets, shift, n_rows, row_stride }
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

impl Operands<'_, LaneValues> {
    /// As [`Operands::add_blocks`], every replica with the values of its own graph. There are sixteen replicas; further planes
    /// have the same graphs.
    ///
    /// # Panics
    /// As there.
    pub fn add_blocks(&self, blocks: &Blocks, fields: &mut Fields, scratch: &mut LaneScratch) {
        let &Self { isa, values, spins } = self;
        for block in &blocks.blocks {
            let intervals = blocks.intervals(block);
            match block.kind {
                PanelKind::Dense => add_dense(&Dense { isa, block, intervals, spins }, values, fields, scratch),
                PanelKind::Diagonal => isa.run(Diagonal { block, intervals, values, spins, fields }),
            }
        }
    }
}

fn add_dense(panel: &Dense<'_>, values: &LaneValues, fields: &mut Fields, scratch: &mut LaneScratch) {
    let Dense { block, intervals, .. } = *panel;
    scratch.offsets.clear();
    for interval in intervals {
        let (first, stride) = (interval.values as usize, block.col_stride as usize);
        scratch.offsets.extend((0..interval.len as usize).map(|k| first.saturating_add(k.saturating_mul(stride))));
    }
    let mut items = std::mem::take(&mut scratch.items);
    panel.each_shared(fields, &mut items, |items, value_shift, fields| {
        add_items(panel, (values, value_shift as usize), items, fields, scratch);
    });
    scratch.items = items;
}

/// Adds the panel at `value_shift` to all items.
fn add_items(
    panel: &Dense<'_>,
    (values, value_shift): (&LaneValues, usize),
    items: &[Item],
    fields: &mut Fields,
    scratch: &mut LaneScratch,
) {
    let LaneScratch { offsets, masks, packed, sums, .. } = scratch;
    let (n_rows, row_stride) = (panel.block.n_rows as usize, panel.block.row_stride as usize);
    let field_step = panel.block.row_step as usize * fields.n_planes();
    for first_col in (0..offsets.len()).step_by(4 * PACKED) {
        let offsets = &offsets[first_col..offsets.len().min(first_col + 4 * PACKED)];
        let n_packed = offsets.len().div_ceil(4);
        packed.clear();
        for item in items {
            panel.gather(item, first_col, offsets.len(), masks);
            packed.extend(masks.as_chunks().0.iter().map(|quad| pack(*quad)));
        }
        for row in (0..n_rows).step_by(ROWS) {
            let rows = (ROWS.min(n_rows - row), row_stride);
            for (k, offsets) in offsets.chunks(4 * QUADS).enumerate() {
                let weights = Weights::new(values, offsets, value_shift + row * row_stride, rows);
                let n_quads = weights.quads().len();
                sums.resize(rows.0 * n_quads, [Line([0.0; LANES]); 4]);
                build(panel.isa, &weights, sums);
                let tile = Tile { sums, n_rows: rows.0, n_quads, field_step };
                let words = packed.chunks_exact(n_packed).map(|words| &words[k * QUADS..][..n_quads]);
                let item = |(item, words): (&Item, _)| ItemOfTile { first: item.field + row * field_step, words };
                add_tile(panel.isa, &tile, items.iter().zip(words).map(item), fields.vectors_mut());
            }
        }
    }
}

/// The masks of four columns, lowest first, as [`ItemOfTile`] needs them.
fn pack([s0, s1, s2, s3]: [u16; 4]) -> u64 {
    let masks = [s0, !(s0 ^ s1), !(s2 ^ s3), !(s0 ^ s2)];
    let mut x = masks.iter().rev().fold(0, |x, &mask| x << 16 | u64::from(mask));
    // From the order of spin bits to that of lanes: interleaves the halves of each mask.
    for (shift, stay) in [(4, 0x00f0_00f0_00f0_00f0), (2, 0x0c0c_0c0c_0c0c_0c0c), (1, 0x2222_2222_2222_2222)] {
        let moved = (x ^ x >> shift) & stay;
        x ^= moved | moved << shift;
    }
    x
}

/// Adds up the pairs of the rows and quads of `weights`.
fn build(isa: Isa, weights: &Weights<'_>, sums: &mut [Sums]) {
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => x86::avx512::build_sums(weights, sums),
        _ => isa.run(Build { weights, sums }),
    }
}

/// Adds a tile to all items.
fn add_tile<'a>(
    isa: Isa,
    tile: &Tile<'_>,
    mut items: impl Iterator<Item = ItemOfTile<'a>>,
    fields: &mut [[f32; LANES]],
) {
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => {
            while let Some(item) = items.next() {
                match items.next() {
                    Some(next) => x86::avx512::add_sums(tile, [item, next], fields),
                    None => x86::avx512::add_sums(tile, [item], fields),
                }
            }
        }
        _ => items.for_each(|item| isa.run(Add { tile, item, fields })),
    }
}

struct Build<'a> {
    weights: &'a Weights<'a>,
    sums: &'a mut [Sums],
}

impl Task for Build<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { weights, sums } = self;
        for (quad, sums) in weights.quads().zip(sums.chunks_exact_mut(weights.n_rows)) {
            for (row, [p, m, q, n]) in sums.iter_mut().enumerate() {
                let mut w = [[0.0; LANES]; 4];
                for (w, offset) in w.iter_mut().zip(quad) {
                    *w = weights.values.vector(offset + weights.shift(row));
                }
                add_pair(&w[0], &w[1], p, m);
                add_pair(&w[2], &w[3], q, n);
            }
        }
    }
}

/// Sum and difference.
#[inline(always)]
fn add_pair(a: &[f32; LANES], b: &[f32; LANES], sum: &mut Line, difference: &mut Line) {
    for (lane, (sum, difference)) in sum.0.iter_mut().zip(&mut difference.0).enumerate() {
        (*sum, *difference) = (a[lane] + b[lane], a[lane] - b[lane]);
    }
}

/// Adds a tile to one item.
struct Add<'a> {
    tile: &'a Tile<'a>,
    item: ItemOfTile<'a>,
    fields: &'a mut [[f32; LANES]],
}

impl Task for Add<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { tile, item, fields } = self;
        for (&word, sums) in item.words.iter().zip(tile.sums.chunks_exact(tile.n_rows)) {
            let [up, first, second, same] = [0, 16, 32, 48].map(|shift| where_set((word >> shift) as u16));
            for (row, [p, m, q, n]) in sums.iter().enumerate() {
                let field = &mut fields[item.first + row * tile.field_step];
                for lane in 0..LANES {
                    let chosen = |mask: u32, a: f32, b: f32| a.to_bits() & mask | b.to_bits() & !mask;
                    let signed = |mask: u32, bits: u32| f32::from_bits(bits ^ !mask & 1 << 31);
                    let pair = f32::from_bits(chosen(first[lane], p.0[lane], m.0[lane]));
                    let pairs = pair + signed(same[lane], chosen(second[lane], q.0[lane], n.0[lane]));
                    field[lane] += signed(up[lane], pairs.to_bits());
                }
            }
        }
    }
}

/// All ones in the lanes whose bit is set, of a mask in lane order.
#[inline(always)]
fn where_set(mask: u16) -> [u32; LANES] {
    let mut ones = [0; LANES];
    for (lane, ones) in ones.iter_mut().enumerate() {
        *ones = 0u32.wrapping_sub(u32::from(mask) >> lane & 1);
    }
    ones
}

/// As [`diagonal::Diagonal`]: row after row, so that its weights serve all row groups that share them.
struct Diagonal<'a> {
    block: &'a Block,
    intervals: &'a [Interval],
    values: &'a LaneValues,
    spins: &'a Spins,
    fields: &'a mut Fields,
}

impl Task for Diagonal<'_> {
    type Output = ();

    #[inline(always)]
    fn run(mut self) {
        let mut weights = vec![[0.0; LANES]; self.intervals.len()];
        for r in 0..self.block.n_rows {
            let mut shift = None;
            for group in self.block.groups() {
                if shift != Some(group.value_shift) {
                    shift = Some(group.value_shift);
                    for (weight, interval) in weights.iter_mut().zip(self.intervals) {
                        *weight = self.values.vector(self.block.stretch(group, r, interval).first_value as usize);
                    }
                }
                for index in 0..self.fields.n_planes() {
                    self.add_row((group, r), index, &weights);
                }
            }
        }
    }
}

impl Diagonal<'_> {
    #[inline(always)]
    fn add_row(&mut self, (group, r): (RowGroup, u32), index: usize, weights: &[[f32; LANES]]) {
        let row = local(group.first_row + r * self.block.row_step, self.fields.first_row());
        let at = row * self.fields.n_planes() + index;
        let plane = self.spins.plane(self.fields.planes()[index]);
        let columns = self.intervals.iter().map(|interval| self.block.stretch(group, r, interval).first_col as usize);
        diagonal::add_all(&mut self.fields.vectors_mut()[at], columns.map(|column| plane[column]), weights);
    }
}
