//! CONTRACT: what a signed graph is to every other module, and the words that all of them use.
//!
//! A convolution of a million parameters is a graph of a billion edges, nearly all of which are the same few weights at other
//! places. This module says how such a graph is written down without listing its edges: as **blocks**, which say once what
//! repeats and how. Whoever makes edges ([`unroll`](crate::unroll), [`shard`](crate::shard), [`csr`]) makes blocks; whoever
//! needs edges (the solvers, the null models, the exports) reads a [`BlockStream`] and never learns where it comes from.
//!
//! # A block
//! Two channels at each of two pixels read three pixels of two channels each, through one kernel of 2 × 6 weights. Nodes are
//! numbered pixel by pixel with the channels inside, so the three pixels are consecutive columns:
//!
//! ```text
//! column      0    1 │  2    3 │  4    5 │  6    7
//!            ├──────────────────────────┤              interval: first_col 0, len 6, values 0
//! row 10     w₀   w₁   w₂   w₃   w₄   w₅               ╮ row group 0: rows 10 and 11
//! row 11     w₆   w₇   w₈   w₉   w₁₀  w₁₁              ╯
//!                      ├──────────────────────────┤    the interval, two columns further
//! row 12               w₀   w₁   w₂   w₃   w₄   w₅     ╮ row group 1: the same panel again
//! row 13               w₆   w₇   w₈   w₉   w₁₀  w₁₁    ╯
//! ```
//!
//! A dozen numbers say all that: [`Block`] and its [`Interval`]s ([`unroll`](crate::unroll) has those of a whole convolution).
//! The block repeats `across` two pixels, with rows and columns two further each time and values at the same place.
//! [`Block::groups`] and its relatives walk through it.
//!
//! ```
//! use frustration::graph::edges::for_each_edge;
//! use frustration::graph::{Block, Blocks, Interval, Repeat};
//!
//! let across = Repeat { count: 2, row_step: 2, col_step: 2, value_step: 0 };
//! let block = Block { n_rows: 2, row_stride: 6, repeats: [Repeat::ONE, across], ..Block::single(10) };
//! let mut blocks = Blocks::default();
//! blocks.push(block, &[Interval { first_col: 0, len: 6, values: 0 }]);
//! let kernel: Vec<f32> = (0..12).map(|k| k as f32).collect();
//!
//! let mut edges = Vec::new();
//! for_each_edge(&blocks, &kernel, |row, column, weight| edges.push((row, column, weight)));
//! assert_eq!(edges.len(), 24);
//! assert!(edges.contains(&(11, 5, 11.0)) && edges.contains(&(13, 7, 11.0)));
//! ```
//!
//! # A stream of frames
//! Every reader of edges is this loop. Here the graph is the smallest frustrated one: three nodes, of which the first wants
//! to be like the two others, and these want to differ.
//!
//! ```
//! use frustration::graph::csr::Csr;
//! use frustration::graph::edges::for_each_edge;
//! use frustration::graph::{BlockStream, Frame};
//!
//! let graph = Csr::from_edges_unclassed(3, &[(0, 1, 1.0), (0, 2, 1.0), (1, 2, -1.0)]);
//! let spins = [1.0, 1.0, 1.0];
//! let (mut frame, mut fields) = (Frame::default(), [0.0; 3]);
//! for index in 0..graph.frames().len() {
//!     graph.read(index, &mut frame)?;
//!     for blocks in [&frame.inward, &frame.outward] {
//!         for_each_edge(blocks, graph.values(), |row, column, w| fields[row as usize] += w * spins[column as usize]);
//!     }
//! }
//! // Node 0 is content; 1 and 2 do not care. Whatever the spins, one of the three edges is frustrated.
//! assert_eq!(fields, [2.0, 0.0, 0.0]);
//! # Ok::<(), frustration::graph::Error>(())
//! ```
//!
//! # Glossary
//! One word for one idea, in all modules, messages and tables.
//!
//! *The graph*
//! - **node**: an integer `0..n_nodes`. **edge**: `A[i][j] ≠ 0` goes from source `j` to target `i` and has a signed
//!   **weight**. `Au = A + Aᵀ`.
//! - **layer**: consecutive nodes, no two of which are adjacent (the outputs of a layer of a network, a colour class of an
//!   imported graph). All nodes of a layer can be updated at once. Where the network's own layers are meant, which also
//!   include those without nodes, it says *network layer* ([`net::Layer`](crate::net::Layer)).
//! - **direction**: [`Direction::In`] are **rows** of `A` (the edges into a node), [`Direction::Out`] rows of `Aᵀ`. **columns**
//!   are what a row meets: its neighbours in that direction.
//! - **row group**, or group: a set of rows of one layer that have the same columns, e.g. all output channels at one pixel.
//!   The groups of a grouped convolution are *conv groups*.
//! - **interval**: consecutive columns. The columns of a row group are a list of intervals. **stretch**: the columns of an
//!   interval that one row meets, and where their weights are.
//! - **tap**: a position of a kernel; of a 3×3 kernel there are nine. A pixel whose tap lies on padding has no edge there.
//! - **value store**: all weights, each once. **value**: one of its numbers; **parameter**: a number that was trained. A value
//!   becomes the weights of many edges.
//! - **panel**: the weights of a row group, `w(r, c)`, found in the value store by offsets and strides; many row groups share
//!   one panel.
//! - **block**: a two-dimensional array of row groups (pixels: a [`Repeat`] down and one across) with panels of one shape,
//!   whose rows, columns and values advance by constant steps; its columns lie in one layer. A whole convolution is a
//!   handful of blocks. A **step** says how much further the next row or row group is, in nodes (`row_step`, `col_step`) or
//!   values (`value_step`); a **stride** how far apart the values of neighbouring rows or columns of a panel are.
//! - **layer pair**: two layers and all edges from the one to the other, however many blocks they are.
//! - **frame**: consecutive rows of one layer, with all their blocks in both directions. The unit of reading.
//! - **block stream**: a graph as a sequence of frames ([`BlockStream`]).
//! - **one-way stream**: one whose frames hold In blocks only. Where every edge has a weight of its own, storing it once
//!   halves what must be read; the Out blocks of *other* frames' rows follow by [`transpose`].
//! - **shard**: a file of consecutive frames. **graph directory**: the shards, the value store and the manifest of a graph.
//! - **null model**: the same graph with other weights. **siblings**: null models that share rows and columns and are solved
//!   together.
//!
//! *Solving*
//! - **spin**: +1 or −1. **state**: the spins of all nodes. **energy**: `½ (1 − Σ s Au s / Σ |Au|)`, between 0 and 1.
//! - **field** of a node: what its neighbours ask of it, `h_i = Σ_j Au_ij s_j`; positive if they ask for `+1`. **local field**:
//!   `r_i = s_i h_i`, the field along the node's own spin; negative if flipping the node alone lowers the energy. An edge whose
//!   term `s_i A_ij s_j` is negative is **frustrated**.
//! - **replica**: one search, with its start and its result; **walker**: a replica under way; **ensemble**: walkers that
//!   travel through the graph together.
//! - **vector**: sixteen numbers, one for each of sixteen replicas or images, in registers. **lane**: one of the sixteen
//!   places. **plane**: sixteen replicas side by side, a bit each in a mask. **batch**: images side by side.
//! - **pass**: one reading of all edges. **sweep**: a pass that flips spins.
//!
//! *Networks*
//! - **tensor**: what a network layer computes for one image; **element**: one of its numbers. Every node is an element of the
//!   tensor of its layer; an element of another tensor (behind a ReLU, a sum, a shuffle) stands for one or several nodes.
//! - **tap**: one position of a kernel or of a pooling window.
//! - **weights**: the trained parameters of a network, as long as nobody speaks of a graph.
//! - **hidden outputs**: the tensors of all layers for a batch ([`forward::States`](crate::forward::States)); not to be confused
//!   with the state of a solver.
//! - **stage**, in [`forward`](crate::forward): network layers that are computed in one go.
//!
//! *Work*
//! - **run**: one command with its output, that can be killed and resumed. **piece**: what a run computes and saves at a time.
//!   **part**: the share of a run's work that one machine does (`--part 2/4`).
//!
//! # Order of summation
//! The field of a row is summed over its In blocks, then its Out blocks, each in stored order, and inside a block
//! over the concatenated columns of its intervals. Fields must not depend on how rows are cut into frames, so the
//! blocks that meet one row, and their intervals, depend on the graph alone.

mod block;
pub mod csr;
pub mod edges;
mod frame;
mod layer;
pub mod reading;
mod revalued;
mod stream;
pub mod sums;
pub mod transpose;
mod walk;

pub use block::{Block, Blocks, Interval, PanelKind, Repeat};
pub use frame::{Direction, Frame, FrameInfo};
pub use layer::{Layer, LayerKind, NodeId, Totals, layer_of};
pub use revalued::Revalued;
pub use stream::{BlockStream, Error};
pub use walk::{RowGroup, Stretch};
