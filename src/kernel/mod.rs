//! ARITHMETIC: panels times lanes.
//!
//! A search asks one thing of a graph over and over: the field `h_i = Σ_j w_ij s_j` of every node, in every replica. (Times the
//! node's own spin it is the *local field* `r_i = s_i h_i`, from which the solver decides flips; [`signed`] multiplies.) This
//! module computes it, block by block, and knows nothing of layers, searches or files. Two things make it fast:
//!
//! - **Lanes.** Sixteen replicas travel together: their spins at one node are one [mask](Spins) of sixteen bits, their fields
//!   one vector of sixteen numbers ([`Fields`]), in the registers of whatever [`Isa`] the machine has.
//! - **Tables.** Spins are `±1`, so four columns contribute one of only sixteen sums, whatever the replica and the pixel. The
//!   sums are tabulated once, and then looked up.
//!
//! ```
//! use frustration::graph::{Block, Blocks, Interval};
//! use frustration::kernel::{Fields, Isa, Operands, Scratch, Spins};
//!
//! // Nodes 4 and 5 have edges from nodes 0, 1, 2 and 3: a panel of two rows and four columns.
//! let values = [1.0, 2.0, 4.0, 8.0, 0.5, 0.5, 0.5, 0.5];
//! let mut blocks = Blocks::default();
//! let block = Block { n_rows: 2, row_stride: 4, ..Block::single(4) };
//! blocks.push(block, &[Interval { first_col: 0, len: 4, values: 0 }]);
//!
//! // Sixteen replicas with all spins +1, but for nodes 1 and 3 in replica 9.
//! let mut spins = Spins::all_up(6, 1);
//! spins.flip(9, 1);
//! spins.flip(9, 3);
//!
//! let mut fields = Fields::default();
//! fields.reset(4..6, [0]); // nodes 4 and 5, in the first sixteen replicas
//! let operands = Operands { isa: Isa::detect(), values: &values[..], spins: &spins };
//! operands.add_blocks(&blocks, &mut fields, &mut Scratch::default());
//!
//! assert_eq!(fields.get(4, 0, 0), 1.0 + 2.0 + 4.0 + 8.0);
//! assert_eq!(fields.get(4, 0, 9), 1.0 - 2.0 + 4.0 - 8.0);
//! assert_eq!(fields.get(5, 0, 9), 0.5 - 0.5 + 0.5 - 0.5);
//! ```
//!
//! # Method
//! Columns are taken in **quads**; the spin of the first is the lowest bit of an index. For a row and a quad there are only
//! sixteen possible sums `(±w₀ ± w₁) + (±w₂ ± w₃)`. Each lane has its four spins as a number from 0 to 15, and one permute
//! instruction picks the sums of all lanes:
//!
//! ```text
//! w = (1, 2, 4, 8):   entry    0    1    2    3    4    5    6    7    8    9   10   11   12   13   14   15
//!                     sum    −15  −13  −11   −9   −7   −5   −3   −1    1    3    5    7    9   11   13   15
//!
//! lane                          0             1             2      …
//! its spins s₃ s₂ s₁ s₀      + + + +       − + − +       − − − +
//! as bits, an index        1111 = 15      0101 = 5      0001 = 1
//! looked up                    +15           −5           −13            one permute,
//! field                       += 15         += −5        += −13          one addition
//! ```
//!
//! So a row, a quad and sixteen replicas cost two instructions, half an instruction per edge and sixteen replicas, where the
//! obvious loop has one masked addition for each. The tables stay in the first-level cache and serve all row groups and
//! replicas of a block (`spins/table`).
//!
//! Where a table does not fit one register (AVX2, NEON) only its lower half is built and looked up, the eight sums with `−w₃`:
//! the upper half is the lower one backwards, with the opposite sign.
//!
//! A panel that is used once (every edge has a weight of its own, and there are at most sixteen replicas) needs no tables with
//! AVX-512: there the spins of the quad's columns become sixteen signs each, once for all rows, and a row adds up its signed
//! weights directly.
//!
//! Where the weights differ from lane to lane ([`LaneValues`]) nothing can be tabulated; there the sums and differences of
//! pairs of columns are made once, and chosen from. Diagonal blocks, in which a row has one column per interval, are added term
//! by term.
//!
//! | [`Isa`] | vector | table | per row, quad and sixteen replicas |
//! | --- | --- | --- | --- |
//! | `Avx512` | sixteen lanes | whole, one register | one permute, one addition |
//! | `Avx2` | eight lanes | half, one register | two permutes, two multiply-adds |
//! | `Neon` | four lanes | half, two registers | four look-ups, four multiply-adds |
//! | `Portable` | as compiled | whole, in memory | sixteen loads and additions |
//!
//! Cost: `edges × planes / 2` vector operations, plus tables (`6` per row and quad of a panel) and packing
//! (`~8` per quad of a row group). Scratch: about 1 MiB per thread.
//!
//! # Order of summation (part of the definition)
//! Floating-point sums depend on their order, so it is fixed. Dense block: `field += ((±w₀ ± w₁) + (±w₂ ± w₃))`, quad after
//! quad over the concatenated columns of the block, the last quad filled up with zero weights. Diagonal block: `field += ±w`,
//! interval after interval. Every instruction set gives the same bits as [`plain`], the loop that defines it. (Fields begin at
//! `+0` and so are never `−0`: it does not matter whether a sum of zero has a sign.)
//!
//! # Words
//! - **plane**: sixteen replicas. **mask**: their spins at one node, a `u16`. **vector**: sixteen numbers of theirs.
//! - **quad**: four columns of a panel that follow each other. **tile**: at most eight rows of it, and some quads.
//! - **position**: a row group in a plane, where a panel is added.
//!
//! # Rooms
//! - `lanes`: vectors of sixteen replicas, which lane is whose ([`bit_of_lane`]), instruction sets ([`Isa`], [`Task`]);
//! - `spins`: panels times spins: packed spins and all the ways to add a block;
//! - `images`: the same product with any values in the lanes in place of spins, for the forward pass.
//!
//! In each the vector files (`x86.rs`, `neon.rs`) stand beside the plain loop that defines what they compute.

pub(crate) mod images;
mod lanes;
mod spins;

pub use lanes::fields::Fields;
pub use lanes::isa::Isa;
pub use lanes::task::Task;
pub use lanes::vector::{LANES, bit_of_lane, lane_of_bit, mask_of, signed};
pub use spins::gated::{MaskedBlock, add_means};
pub use spins::lanewise::values::LaneValues;
pub use spins::operands::Operands;
pub use spins::packed::Spins;
pub use spins::reading::{ReadStore, ReadValues};
pub use spins::scratch::Scratch;
pub use spins::{plain, state};
