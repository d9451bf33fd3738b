//! UNROLLING: a layer graph becomes a stream of edge blocks, computed on the fly.
//!
//! # Problem
//! A network of a million parameters has a graph of some hundred million edges, because a convolution uses each parameter at
//! every pixel. No edge is stored here. A layer keeps a few numbers from which the blocks of any of its rows follow in no
//! time, and all blocks point into one **value store**, in which every parameter stands once.
//!
//! Nodes are the elements of the input and of the outputs of every convolution, pool and dense layer (with
//! [`ResidualRule::Node`] also of every addition). They are numbered layer by layer, and inside a layer channels-last: all
//! channels of a pixel, then those of the next. Every other operator has no nodes. It only changes which nodes the next
//! layer reads, and where.
//!
//! # A convolution is nine blocks
//! Take a 3×3 convolution with padding 1 that turns 3 channels of 8×8 pixels into 4. Its 256 rows have 5,808 edges. Which
//! of the nine taps lie inside the image (`#`) and which on the padding (`.`) depends on the pixel of the output, but all
//! pixels away from the border are alike, and so are those along one side of it:
//!
//! ```text
//!               x = 0       x = 1 … 6     x = 7
//!             ┌─────────┬───────────────┬─────────┐
//!             │  . . .  │     . . .     │  . . .  │    corners   4 blocks of 1 pixel each,   4 taps
//!     y = 0   │  . # #  │     # # #     │  # # .  │    sides     4 blocks of 6 pixels each,  6 taps
//!             │  . # #  │     # # #     │  # # .  │    middle    1 block of 36 pixels,       9 taps
//!             ├─────────┼───────────────┼─────────┤
//!             │  . # #  │     # # #     │  # # .  │    Two axes make this: down there are three kinds
//!  y = 1 … 6  │  . # #  │     # # #     │  # # .  │    of pixels, across there are three, and every
//!             │  . # #  │     # # #     │  # # .  │    pair of kinds is a block.
//!             ├─────────┼───────────────┼─────────┤
//!             │  . # #  │     # # #     │  # # .  │
//!     y = 7   │  . # #  │     # # #     │  # # .  │
//!             │  . . .  │     . . .     │  . . .  │
//!             └─────────┴───────────────┴─────────┘
//! ```
//!
//! The input has nodes 0 to 191 and the output nodes 192 to 447. At a pixel the block in the middle has four rows, the
//! output channels. They read three pixels of three image rows. Neighbouring pixels are neighbouring nodes, so that the
//! columns are three intervals of nine nodes:
//!
//! ```text
//!  pixel (1, 1): rows 228 … 231      columns          values of the first row; the next row's are 27 further
//!   kernel row 0 over image row 0      0 …  8            0 …  8     pixels 0, 1, 2 with channels 0, 1, 2 each
//!   kernel row 1 over image row 1     24 … 32            9 … 17
//!   kernel row 2 over image row 2     48 … 56           18 … 26
//!  one pixel further across           rows + 4,  columns + 3,  the same values
//!  one pixel further down             rows + 32, columns + 24, the same values
//! ```
//!
//! The corner at the top left keeps the taps that are inside: intervals of six nodes from 0 and from 24, with values from
//! 12 and from 21. Out blocks, which hold the rows of `Aᵀ`, are the same game seen from the pixels of the input. They point
//! into the same values, column by column instead of row by row.
//!
//! ```
//! use frustration::graph::{BlockStream, Frame, Repeat};
//! use frustration::net::{Conv, Layer, Network, Op, Shape, Window};
//! use frustration::unroll::{Options, Unrolled};
//!
//! let window = Window { kernel: [3, 3], stride: [1, 1], pad: [1, 1], dilation: [1, 1] };
//! let conv = Conv { weight: (0..108).map(|w| w as f32 - 50.5).collect(), bias: None, window, groups: 1 };
//! let input = Layer { name: "x".into(), op: Op::Input, inputs: vec![], shape: Shape::new(3, 8, 8) };
//! let output = Layer { name: "y".into(), op: Op::Conv(conv), inputs: vec![0], shape: Shape::new(4, 8, 8) };
//! let net = Network { name: "nine".into(), layers: vec![input, output], warnings: vec![] };
//!
//! let graph = Unrolled::new(&net, Options::default())?;
//! let mut frame = Frame::default();
//! graph.read(graph.frames().len() - 1, &mut frame)?;
//!
//! let blocks = &frame.inward.blocks;
//! assert_eq!((graph.totals().n_edges, blocks.len()), (5808, 9));
//! let middle = &blocks[4];
//! assert_eq!((middle.first_row, middle.n_rows, middle.row_stride), (228, 4, 27));
//! assert_eq!(middle.repeats[1], Repeat { count: 6, row_step: 4, col_step: 3, value_step: 0 });
//! let intervals = |block| frame.inward.intervals(block).iter().map(|i| (i.first_col, i.len, i.values)).collect::<Vec<_>>();
//! assert_eq!(intervals(middle), [(0, 9, 0), (24, 9, 9), (48, 9, 18)]);
//! assert_eq!(intervals(&blocks[0]), [(0, 6, 12), (24, 6, 21)]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # How it is done
//! One pass over the layers gives every tensor a **view**: a list of graph layers, and for each which of its nodes stand for
//! which elements of the tensor. A convolution begins a graph layer, and its view is that layer. A concatenation appends
//! views; an addition lets several graph layers stand for the same elements; a slice, a padding and a shuffle move them.
//!
//! A layer with nodes has a **filter**: a kernel, where its values are, and the window in which it slides. When it reads a
//! view, each entry becomes a **connection**: three lists, of the kinds of pixels down, of those across (as `y = 0`,
//! `y = 1 … 6` and `y = 7` above), and of the sets of channels that meet. Every choice of one from each list is a block, cut
//! to the rows of a frame.
//!
//! The same with a kernel of one row, edge by edge. Three inputs are nodes 0 to 2, three outputs nodes 3 to 5:
//!
//! ```
//! use frustration::graph::edges::for_each_edge;
//! use frustration::graph::{BlockStream, Frame};
//! use frustration::net::{Conv, Layer, Network, Op, Shape, Window};
//! use frustration::unroll::{Options, Unrolled};
//!
//! let window = Window { kernel: [1, 3], stride: [1, 1], pad: [0, 1], dilation: [1, 1] };
//! let conv = Conv { weight: vec![1.0, -2.0, 3.0], bias: None, window, groups: 1 };
//! let shape = Shape::new(1, 1, 3);
//! let input = Layer { name: "x".into(), op: Op::Input, inputs: vec![], shape };
//! let output = Layer { name: "y".into(), op: Op::Conv(conv), inputs: vec![0], shape };
//! let net = Network { name: "tiny".into(), layers: vec![input, output], warnings: vec![] };
//!
//! let graph = Unrolled::new(&net, Options::default())?;
//! let (mut frame, mut edges) = (Frame::default(), Vec::new());
//! for index in 0..graph.frames().len() {
//!     graph.read(index, &mut frame)?;
//!     for_each_edge(&frame.inward, graph.values(), |target, source, weight| edges.push((target, source, weight)));
//! }
//! assert_eq!(edges[..2], [(3, 0, -2.0), (3, 1, 3.0)]); // the first tap is on the padding
//! assert_eq!(edges[2..5], [(4, 0, 1.0), (4, 1, -2.0), (4, 2, 3.0)]);
//! assert_eq!(edges[5..], [(5, 1, 1.0), (5, 2, -2.0)]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where to change what
//! What has nodes, and what edges it has, is decided in `src/unroll/unroller.rs`, in one match over the operators. A kind of
//! layer is a file that makes its filter: `conv.rs`, `dense.rs`, `pool.rs`. What else a new one needs is listed in
//! [the guide](crate::guide::architecture#an-edge-rule).
//!
//! # Frames
//! A frame is whole image rows of one layer: as many as make 2²⁰ edges (in and out together) or 2¹³ nodes. Image rows of
//! more than 2¹⁶ nodes are cut between pixels, layers of one pixel between multiples of eight channels.
//!
//! # Cost
//! [`Unrolled::new`] reads every parameter twice; time and memory beyond the value store are proportional to image
//! sides, channels and layers. Reading a frame costs O(blocks), typically nine for each layer that is read through a padded
//! window.
//!
//! # Determinism
//! The blocks that meet a row, and their intervals, depend on the network and the options alone, not on frames.

mod alone;
mod axis;
mod blocks;
mod chain;
mod channel_order;
mod channel_pairs;
pub(crate) mod check;
mod conv;
mod dense;
mod element_map;
mod error;
mod filter;
mod frames;
mod join;
mod limits;
mod node_layer;
mod norm;
mod options;
mod parameters;
pub(crate) mod pool;
mod route;
#[cfg(test)]
mod tests;
mod unrolled;
mod unroller;
mod view;

pub(crate) use alone::LayerAlone;
pub use chain::shuffle_groups;
pub use element_map::ElementMap;
pub use error::Error;
pub use options::{BatchNormRule, Options, ResidualRule};
pub use parameters::{ParameterOrder, StoredParameters};
pub use route::{GateLayer, Gates, Route};
pub use unrolled::Unrolled;
