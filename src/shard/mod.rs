//! ON DISK: a graph as a directory of files. This page is the only specification of the format, version 1.
//!
//! [`write()`] stores any [`BlockStream`](crate::graph::BlockStream); [`Shards`] opens one, memory-mapped, and
//! [`Shards::verified`] makes a block stream of it; [`verify()`] reads everything and checks every rule. Good for graphs of any
//! size, solved many times; not for changing a graph: a directory is immutable, and a changed graph is a new directory.
//!
//! ```text
//! manifest.json ──┬─▶ values.bin           w₀ w₁ w₂ w₃ …   every weight once, mapped and used in place
//!   totals        │       ▲
//!   layers        │       ╰─────────────────────────────────────────────────╮ offsets and strides
//!   checksums     └─▶ frames-00000.shard   header │ frame │ frame │ … │ directory │ footer
//!                                                   ╰─▶ zstd: In blocks, Out blocks of some rows
//! ```
//!
//! ```
//! use frustration::graph::csr::Csr;
//! use frustration::graph::sums::sum_abs;
//! use frustration::graph::{BlockStream, Frame};
//! use frustration::progress::Silent;
//! use frustration::shard::{self, Description, Shards};
//!
//! let triangle = Csr::from_edges_unclassed(3, &[(0, 1, 1.0), (0, 2, 0.5), (1, 2, -2.0)]);
//! let folder = tempfile::tempdir()?;
//! let dir = folder.path().join("triangle");
//! shard::write(&triangle, &Description::default(), &dir, &Silent)?;
//!
//! let shards = Shards::open(&dir)?;         // checks all tables
//! let graph = shards.verified(&Silent)?;    // checks all values: now it can be computed with
//! let (mut frame, mut sum) = (Frame::default(), 0.0);
//! for index in 0..graph.frames().len() {
//!     graph.read(index, &mut frame)?;       // checks the frame
//!     sum += sum_abs(&frame.inward, graph.values());
//! }
//! assert_eq!(sum, 3.5);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Files
//! | file                 | contents                                                                                 |
//! |----------------------|------------------------------------------------------------------------------------------|
//! | `values.bin`         | the value store: `f32`, IEEE 754, one after the other, nothing else                      |
//! | `frames-NNNNN.shard` | consecutive frames, compressed; numbered from 00000, five digits or more, in row order   |
//! | `manifest.json`      | totals, layers, lengths and checksums of the other files                                 |
//!
//! All numbers are little-endian, all offsets and lengths in bytes unless said otherwise. Checksums are CRC-32 (the one
//! of zip and PNG). The words node, block, frame and so on are those of [`crate::graph`].
//!
//! # Shard file
//! | offset | bytes    | field        | meaning                                                                     |
//! |-------:|---------:|--------------|-----------------------------------------------------------------------------|
//! |      0 |        8 | magic        | `SPINSHD1`                                                                  |
//! |      8 |        4 | index        | number of this shard                                                        |
//! |     12 |        4 | first_row    | first row of the first frame                                                |
//! |     16 |        F | frames       | the frames' stored bytes, one after the other                               |
//! |   16+F |   40 · n | directory    | one entry per frame, in row order                                           |
//! | −16    |        8 | frames_bytes | F                                                                           |
//! |  −8    |        4 | n_frames     | n                                                                           |
//! |  −4    |        4 | checksum     | of header (bytes 0–15), directory and footer up to here                     |
//!
//! A directory entry:
//!
//! | offset | bytes | field        | meaning                                                                        |
//! |-------:|------:|--------------|--------------------------------------------------------------------------------|
//! |      0 |     4 | first_row    | the row after the last one of the frame before                                 |
//! |      4 |     4 | n_rows       | at least 1                                                                     |
//! |      8 |     4 | layer        | position of the layer of all these rows                                        |
//! |     12 |     4 | raw_bytes    | length after expansion, at most 2²⁶                                            |
//! |     16 |     4 | stored_bytes | length in the file                                                             |
//! |     20 |     4 | checksum     | of the stored bytes                                                            |
//! |     24 |     8 | n_edges_in   | edges into the rows                                                            |
//! |     32 |     8 | n_edges_out  | edges out of the rows                                                          |
//!
//! # Frame
//! Stored bytes are one zstd frame. Expanded, they are the In blocks, then the Out blocks. Each list is a **number** of
//! blocks and then the blocks:
//!
//! | field       | coding | meaning                                                                                |
//! |-------------|--------|----------------------------------------------------------------------------------------|
//! | flags       | byte   | 0 dense, 1 diagonal, 2 the shape and kind of the block before in this list             |
//! | first_row   | delta  | to the block before, 0 for the first one                                               |
//! | shape       | number | unless flags are 2: n_rows, row_step; of the outer, then the inner repeat: count, row_step, col_step, value_step; row_stride, col_stride |
//! | n_intervals | number | at least 1                                                                             |
//! | intervals   |        | first_col (delta), len (number), values (delta), for each                              |
//!
//! A **number** is a varint: seven bits a byte, low bits first, the top bit set in all bytes but the last. A **delta** is
//! the difference to a predicted value modulo 2⁶⁴, zigzag-coded (0, −1, 1, −2 become 0, 1, 2, 3), as a number. An
//! interval is predicted to follow the one before it in the list, in this block or an earlier one: its first column is
//! `first_col + len`, its values `values + len · col_stride` of that block; both are 0 for the first interval of the list.
//!
//! # Manifest
//! A JSON object. `format_version`, `fingerprint`, `n_nodes`, `n_edges`, `sum_abs` and `description` (strings by name, free);
//! `one_way`, true if frames hold In blocks only (`n_edges_out` of every frame is then 0; absent otherwise); `layers`, in node
//! order: `name`, `kind`, `first_node`, `n_nodes`, `shape`, `n_edges`, `sum_abs`, `first_param` and `n_params` (in values),
//! `fan_in`, `taps` and `shuffle_groups` unless they are 0 (`kind` is `input`, `conv`, `dense`, `max_pool`, `average_pool`,
//! `add` or `class`: [`LayerKind`](crate::graph::LayerKind)); `values`: `n_values`, `piece_bytes` (2²⁰), `checksums` of the
//! pieces; `shards`, in row order: `file`, `first_row`, `n_rows`, `n_frames`, `bytes`, `checksum` (the one in the footer).
//! Checksums are eight hexadecimal digits. The last key is `checksum`, and the file ends with the line
//! `  "checksum": "xxxxxxxx"`, `}` and a newline: it belongs to all bytes before the comma that ends the line before.
//!
//! The fingerprint is a SHA-256 over layers (without names, taps and shuffles), frames and values. Equal graphs have equal ones
//! whatever their description, shard size and compression; cutting the rows into other frames changes it.
//!
//! # Guarantees
//! A directory appears under its name at once and complete: it is written under a temporary name beside it (hidden,
//! ending in `.tmp`, removed on failure, and if the process is killed by the next one that writes a directory of that
//! name), every file synced and read-only, the manifest last, then renamed. A directory that it replaces first gets a
//! hidden name ending in `.old`, and is removed last. [`write_revalued`] gives a graph's frames to another directory as
//! hard links: the two share files that neither changes.
//!
//! - [`Shards::open`] checks: manifest (checksum, version, layers and shards cover the nodes, counts add up), length of
//!   every file, tables of every shard (magic, checksum, frames cover the rows, each in one layer, edge counts of layers
//!   and totals). Not: frames, values.
//! - Reading a frame checks: its checksum, its encoding, that every row lies in the frame, that no row is in two groups of
//!   a block, that the columns of a block lie in one layer other than that of the rows, that every weight lies in the value
//!   store, and the number of edges. Not: the values themselves, which [`Shards::verified`] does before it gives a
//!   stream that can be read. Of rows in two groups it is enough that they could be: the rows of a group, the outer and the
//!   inner repeat must be *nested* in some order, which means that, sorted by row step and leaving out counts of 1, each step
//!   is greater than the sum of (count − 1) · row_step of those before it.
//! - [`verify()`] checks all of that for every frame; the checksum of every piece of the value store; that every value is
//!   finite; `sum_abs` of every layer and of the graph, over In and over Out blocks; the fingerprint; and, in graphs of
//!   at most 50 million edges or on demand, that In and Out blocks describe the same edges. Not: that no edge occurs
//!   twice, and the order of blocks, which is the maker's.

mod check;
mod codec;
mod error;
mod file;
mod fingerprint;
mod fuzz;
mod layout;
mod manifest;
mod map;
mod reader;
mod revalued;
mod stream;
mod target;
#[cfg(test)]
mod tests;
mod values;
mod varint;
mod verify;
mod writer;

pub use error::{BlockRule, Error, Fault, FilePart};
#[doc(hidden)]
pub use fuzz::fuzz_frame;
pub use manifest::{Checksum, Description, FORMAT_VERSION, LayerRecord, Manifest, ShardRecord, ValuesRecord};
pub use map::{Bytes, Map};
pub use reader::Shards;
pub use revalued::{Topology, write_revalued};
pub use stream::ShardStream;
pub use target::{Existing, Target};
pub use values::Fill;
pub use verify::{Depth, Report, verify};
#[cfg(feature = "cli")]
pub(crate) use writer::stage;
pub use writer::{Generated, Summary, write, write_generated, write_to};
