//! CONTRACT: what a signed graph is to every other module.
//!
//! # Glossary
//! - **node**: an integer `0..n_nodes`. **edge**: `A[i][j] ≠ 0` goes from source `j` to target `i` and has a signed
//!   **weight**. `Au = A + Aᵀ`.
//! - **layer**: consecutive nodes, no two of which are adjacent (a layer of a network, a colour class of an
//!   imported graph). All nodes of a layer can be updated at once.
//! - **direction**: [`Direction::In`] are rows of `A` (the edges into a node), [`Direction::Out`] rows of `Aᵀ`.
//! - **row group**: a set of rows of one layer that have the same columns, e.g. all output channels at one pixel.
//! - **interval**: consecutive columns. The columns of a row group are a list of intervals.
//! - **panel**: the weights of a row group, `w(r, c)`, found in the **value store** by offsets and strides; many row
//!   groups share one panel.
//! - **block**: a two-dimensional array of row groups (pixels: a [`Repeat`] down and one across) with panels of one shape,
//!   whose rows, columns and values advance by constant steps; its columns lie in one layer. A whole convolution is a
//!   handful of blocks.
//! - **frame**: consecutive rows of one layer, with all their blocks in both directions. The unit of reading.
//! - **block stream**: a graph as a sequence of frames ([`BlockStream`]).
//! - **one-way stream**: one whose frames hold In blocks only. Where every edge has a weight of its own, storing it once
//!   halves what must be read; the Out blocks of *other* frames' rows follow by [`transpose`].
//!
//! # Order of summation
//! The local field of a row is summed over its In blocks, then its Out blocks, each in stored order, and inside a block
//! over the concatenated columns of its intervals. Fields must not depend on how rows are cut into frames, so the
//! blocks that meet one row, and their intervals, depend on the graph alone.

pub mod csr;
pub mod edges;
pub mod reading;
mod revalued;
pub mod sums;
pub mod transpose;
mod walk;

use std::ops::Range;

pub use revalued::Revalued;
pub use walk::{RowGroup, Stretch, layer_of};

/// A node's number. Graphs have fewer than 2³² nodes; edges are counted in `u64`.
pub type NodeId = u32;

/// Rows of `A` (edges into a node) or of `Aᵀ` (edges out of it).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Row `i` holds the edges `j → i`.
    In,
    /// Row `j` holds the edges `j → i`.
    Out,
}

/// What produced a layer's nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LayerKind {
    /// The network's input tensor.
    Input,
    /// Output of a convolution.
    Conv,
    /// Output of a dense layer.
    Dense,
    /// Output of a max-pooling layer.
    MaxPool,
    /// Output of an average-pooling layer.
    AveragePool,
    /// Output of an addition, with `--residual node`.
    Add,
    /// An independent class of an imported graph.
    Class,
}

/// One layer of the graph. Within a network's layer nodes are channels-last: node = `first + (y·w + x)·c + channel`.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Layer {
    /// Name of the network layer, or `class K`.
    pub name: String,
    /// What it is.
    pub kind: LayerKind,
    /// Its nodes.
    pub nodes: Range<NodeId>,
    /// Channels, height, width; `[n, 1, 1]` for an imported class.
    pub shape: [u32; 3],
    /// Edges into the layer.
    pub n_edges: u64,
    /// `Σ|w|` over those edges.
    pub sum_abs: f64,
    /// The layer's own trained parameters in the value store (kernel as `[out][kh][kw][in/groups]`, dense as
    /// `[out][in, channels-last]`); empty for layers without.
    pub params: Range<u64>,
    /// Inputs of one unit (`in/groups · kh · kw`, or dense inputs); 0 for layers without parameters.
    pub fan_in: u32,
    /// Taps of a kernel, `kh · kw`; 1 for dense layers; 0 for layers without parameters, or where nobody knows.
    pub taps: u32,
    /// Groups of the channel shuffle that numbers the layer's channels, if nothing else reads the layer: of `c` channels in `g`
    /// groups, channel `k` of the tensor is number `(k mod c/g) · g + k div (c/g)` among the nodes of a pixel. 0 where nodes
    /// have the order of the tensor.
    pub shuffle_groups: u32,
}

/// Node, edge and weight totals of a graph.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Totals {
    /// Number of nodes.
    pub n_nodes: u32,
    /// Number of edges, i.e. stored entries of `A`.
    pub n_edges: u64,
    /// `Σ_ij |A_ij|`.
    pub sum_abs: f64,
}

/// How a block's row groups repeat along one of two axes: `count` groups, each a step from the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Repeat {
    /// Number of row groups along this axis, at least 1.
    pub count: u32,
    /// Rows advance by this many.
    pub row_step: u32,
    /// Columns of every interval advance by this many.
    pub col_step: u32,
    /// Values of every interval advance by this many; 0 where groups share one panel.
    pub value_step: u64,
}

/// How a panel pairs rows and columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PanelKind {
    /// Every row of the group meets every column: `w(r, k) = values[interval.values + r·row_stride + k·col_stride]`
    /// for column `interval.first_col + k`, `k < interval.len`.
    Dense,
    /// Row `r` of the group meets one column per interval, `interval.first_col + r`, with
    /// `w = values[interval.values + r·row_stride]`; `interval.len == n_rows` and `col_stride == 0`.
    Diagonal,
}

/// Consecutive columns of a row group and where their weights begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// First column, for the first row group of the block.
    pub first_col: NodeId,
    /// Number of columns, at least 1.
    pub len: u32,
    /// Offset of `w(0, 0)` of the first row group in the value store, in values.
    pub values: u64,
}

/// A two-dimensional array of row groups that share one panel shape. Group `(a, b)`, `a < repeats[0].count`,
/// `b < repeats[1].count`, has rows `first_row + a·repeats[0].row_step + b·repeats[1].row_step + r·row_step` for `r < n_rows`. No row is
/// in two groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// First row of group (0, 0).
    pub first_row: NodeId,
    /// Rows in a group, at least 1.
    pub n_rows: u32,
    /// Distance between neighbouring rows of a group, at least 1 (above 1 after a channel shuffle).
    pub row_step: u32,
    /// Outer and inner axis of the array, `[down, across]`.
    pub repeats: [Repeat; 2],
    /// Dense or diagonal.
    pub kind: PanelKind,
    /// Values between neighbouring rows of a panel.
    pub row_stride: u32,
    /// Values between neighbouring columns of a panel.
    pub col_stride: u32,
    /// Position of the block's intervals in its frame's list: `intervals_start .. intervals_start + n_intervals`.
    pub intervals_start: u32,
    /// Number of intervals, at least 1.
    pub n_intervals: u32,
}

impl Repeat {
    /// One group.
    pub const ONE: Self = Self { count: 1, row_step: 0, col_step: 0, value_step: 0 };
}

impl Block {
    /// One row whose weights are consecutive values; [`Blocks::push`] gives it its columns.
    pub fn single(row: NodeId) -> Self {
        Self {
            first_row: row,
            n_rows: 1,
            row_step: 1,
            repeats: [Repeat::ONE; 2],
            kind: PanelKind::Dense,
            row_stride: 0,
            col_stride: 1,
            intervals_start: 0,
            n_intervals: 0,
        }
    }
    /// Row groups in the block.
    pub fn n_groups(&self) -> u64 {
        u64::from(self.repeats[0].count) * u64::from(self.repeats[1].count)
    }
    /// Columns that a row of the block with these intervals meets.
    pub fn n_columns(&self, intervals: &[Interval]) -> u64 {
        match self.kind {
            PanelKind::Dense => intervals.iter().map(|i| u64::from(i.len)).sum(),
            PanelKind::Diagonal => intervals.len() as u64,
        }
    }
    /// Where the values of the block with these intervals, at least one, lie: from the first to one after the last.
    pub fn value_range(&self, intervals: &[Interval]) -> Range<u64> {
        let groups: u64 = self.repeats.iter().map(|repeat| u64::from(repeat.count - 1) * repeat.value_step).sum();
        let rows = u64::from(self.n_rows - 1) * u64::from(self.row_stride);
        let last = |i: &Interval| i.values + u64::from(i.len - 1) * u64::from(self.col_stride) + rows + groups;
        let start = intervals.iter().map(|i| i.values).min().unwrap_or(0);
        start..intervals.iter().map(last).max().map_or(start, |last| last + 1)
    }
}

/// The blocks of one direction of a frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blocks {
    /// Blocks in stored order.
    pub blocks: Vec<Block>,
    /// Intervals of all blocks, block after block.
    pub intervals: Vec<Interval>,
}

impl Blocks {
    /// Forgets the contents, keeps the capacity.
    pub fn clear(&mut self) {
        self.blocks.clear();
        self.intervals.clear();
    }
    /// The intervals of `block`, one of this list's.
    pub fn intervals(&self, block: &Block) -> &[Interval] {
        &self.intervals[block.intervals_start as usize..][..block.n_intervals as usize]
    }
    /// Appends a block, filling in its interval range.
    pub fn push(&mut self, mut block: Block, intervals: &[Interval]) {
        block.intervals_start = self.intervals.len() as u32;
        block.n_intervals = intervals.len() as u32;
        self.blocks.push(block);
        self.intervals.extend_from_slice(intervals);
    }
    /// Where the values lie that row groups do not share: from the first to one after the last.
    pub fn own_values(&self) -> Range<u64> {
        let (mut start, mut end) = (u64::MAX, 0);
        let is_own = |b: &&Block| b.n_groups() == 1 || b.repeats.iter().any(|repeat| repeat.value_step > 0);
        for block in self.blocks.iter().filter(is_own) {
            let range = block.value_range(self.intervals(block));
            (start, end) = (start.min(range.start), end.max(range.end));
        }
        start.min(end)..end
    }
    /// Entries of a block: rows × columns × groups (dense), rows × intervals × groups (diagonal).
    pub fn n_edges(&self, block: &Block) -> u64 {
        block.n_groups() * u64::from(block.n_rows) * block.n_columns(self.intervals(block))
    }
}

/// Both directions of consecutive rows, decoded. Reused as a buffer between reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// Rows of `A`.
    pub inward: Blocks,
    /// Rows of `Aᵀ`.
    pub outward: Blocks,
}

impl Frame {
    /// Forgets the contents, keeps the capacity.
    pub fn clear(&mut self) {
        self.inward.clear();
        self.outward.clear();
    }
    /// The blocks of one direction.
    pub fn direction(&self, direction: Direction) -> &Blocks {
        match direction {
            Direction::In => &self.inward,
            Direction::Out => &self.outward,
        }
    }
}

/// What a reader knows of a frame before reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameInfo {
    /// The frame's rows, all in one layer.
    pub rows: Range<NodeId>,
    /// Index of that layer.
    pub layer: u32,
    /// Edges into the rows.
    pub n_edges_in: u64,
    /// Edges out of the rows.
    pub n_edges_out: u64,
}

/// A graph as a sequence of frames in row order, plus the store that their panels point into.
///
/// The solver knows this trait only. Implemented by `shard` (memory-mapped, any size) and [`csr::Csr`] (small, in
/// memory). Reading is from `&self` and may happen on many threads at once.
pub trait BlockStream: Sync {
    /// Totals.
    fn totals(&self) -> Totals;
    /// Layers in node order; together they cover `0..n_nodes`.
    fn layers(&self) -> &[Layer];
    /// Frames in row order; together they cover `0..n_nodes`.
    fn frames(&self) -> &[FrameInfo];
    /// Decodes frame `index` into `frame`, replacing its contents. After success every row, column and value offset
    /// of every block is in range, so that callers index without further checks.
    ///
    /// # Errors
    /// [`Error`] if the storage is unreadable or damaged.
    fn read(&self, index: usize, frame: &mut Frame) -> Result<(), Error>;
    /// The value store.
    fn values(&self) -> &[f32];
    /// Do frames hold In blocks only?
    fn is_one_way(&self) -> bool {
        false
    }
    /// The values of this range will be read soon.
    fn prefetch(&self, _: Range<u64>) {}
    /// The values of this range will not be read soon: the stream may drop what it holds of them.
    fn release(&self, _: Range<u64>) {}
}

/// A block stream that could not be read: the storage's own error, as a source.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(#[from] Box<dyn std::error::Error + Send + Sync>);

impl Error {
    /// Wraps a storage error.
    pub fn new(source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self(Box::new(source))
    }
}
