//! What can go wrong with a graph directory.

use std::fmt;
use std::path::PathBuf;

/// A graph directory that could not be written or read. Each message says which file, what is wrong, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system could not read a file.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Its reason.
        #[source]
        source: std::io::Error,
    },
    /// There is something else than a graph directory.
    #[error("{path} is {found}")]
    NotADirectory {
        /// What is there.
        path: PathBuf,
        /// What it is, what was expected and what to do.
        found: String,
    },
    /// The operating system could not write a file.
    #[error("cannot write {path}")]
    Write {
        /// The file.
        path: PathBuf,
        /// Its reason.
        #[source]
        source: std::io::Error,
    },
    /// The output is there already.
    #[error("{0} exists; choose another name, or replace it with --force")]
    Exists(PathBuf),
    /// Only graph directories are replaced.
    #[error("{0} exists and is not a graph directory; remove it yourself or choose another name")]
    NotAGraph(PathBuf),
    /// The manifest is of a format that this program does not know.
    #[error("{path}: format version {found}, this program reads {reads}; update frustration")]
    Version {
        /// The manifest.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The version that is read.
        reads: u32,
    },
    /// The manifest is not JSON, or lacks something.
    #[error("{path} is not a graph manifest; rebuild the graph with pipeline build-graph")]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// Where it goes wrong.
        #[source]
        source: serde_json::Error,
    },
    /// A file has the wrong length.
    #[error(
        "{path}: {found} bytes, manifest says {expected}; the file was cut or replaced, rebuild the graph with pipeline build-graph"
    )]
    Size {
        /// The file.
        path: PathBuf,
        /// Its length.
        found: u64,
        /// The length it was written with.
        expected: u64,
    },
    /// Bytes are not what was written.
    #[error(
        "{path}{part}: checksum {found:08x}, manifest says {expected:08x}; the file is damaged, rebuild the graph with pipeline build-graph"
    )]
    Checksum {
        /// The file.
        path: PathBuf,
        /// Where in it.
        part: FilePart,
        /// CRC-32 of the bytes.
        found: u32,
        /// CRC-32 when they were written.
        expected: u32,
    },
    /// A rule of the format is broken although checksums agree, or before they could be checked.
    #[error("{path}{part} is damaged; rebuild the graph with pipeline build-graph")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where in it.
        part: FilePart,
        /// The rule.
        #[source]
        source: Fault,
    },
    /// A weight is NaN or infinite.
    #[error("value {offset} ({layer}) is {value}; weights must be finite, check the model file")]
    NotFinite {
        /// Position in the value store.
        offset: u64,
        /// The layer whose parameter it is.
        layer: String,
        /// The value.
        value: f32,
    },
    /// The graph to be written could not be read.
    #[error("cannot read the graph to be stored")]
    Stream(#[from] crate::graph::Error),
    /// The graph to be written breaks a rule of block streams.
    #[error("the graph to be stored breaks a rule{part}")]
    Unstorable {
        /// Where.
        part: FilePart,
        /// The rule.
        #[source]
        source: Fault,
    },
    /// Values are mapped in place, which needs their byte order.
    #[error("graph directories are little-endian and mapped in place; this machine is big-endian")]
    BigEndian,
}

/// A part of a file, for messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilePart {
    /// All of it.
    Whole,
    /// The directory of a shard.
    Directory,
    /// A frame, counted over the whole graph.
    Frame(usize),
    /// A piece of the value store.
    Piece(usize),
}

impl fmt::Display for FilePart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => Ok(()),
            Self::Directory => f.write_str(", directory"),
            Self::Frame(index) => write!(f, ", frame {index}"),
            Self::Piece(index) => write!(f, ", piece {index}"),
        }
    }
}

/// A broken rule of the format.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The bytes end too early.
    #[error("the bytes end inside a field")]
    Truncated,
    /// A number does not fit its type.
    #[error("a number is too large for its field")]
    TooLarge,
    /// Bytes after the end.
    #[error("{0} bytes after the end")]
    Trailing(usize),
    /// Not a shard file.
    #[error("it begins with {}, a shard file with {}", found.escape_ascii(), expected.escape_ascii())]
    Magic {
        /// First bytes.
        found: Vec<u8>,
        /// What they should be.
        expected: Vec<u8>,
    },
    /// A flag byte with unknown or contradictory bits.
    #[error("block flags {0:#04x} are unknown")]
    Flags(u8),
    /// A block has columns.
    #[error("a block has no intervals")]
    NoIntervals,
    /// The frame's compressed bytes cannot be expanded.
    #[error("the compressed bytes cannot be expanded")]
    Compression(#[source] std::io::Error),
    /// A block breaks a rule.
    #[error("{direction} block {block}: {rule}")]
    Block {
        /// `in` or `out`.
        direction: &'static str,
        /// Position in the frame's list.
        block: usize,
        /// The rule.
        rule: BlockRule,
    },
    /// A graph has one set of edges.
    #[error("in blocks and out blocks describe different edges")]
    Directions,
    /// Two statements about one thing differ.
    #[error("{what}: {found}, expected {expected}")]
    Differs {
        /// The thing.
        what: &'static str,
        /// What is there.
        found: String,
        /// What should be there.
        expected: String,
    },
}

impl Fault {
    /// `Ok` if both are equal.
    pub(super) fn unless_equal<T: PartialEq + fmt::Display>(
        what: &'static str,
        found: T,
        expected: T,
    ) -> Result<(), Self> {
        match found == expected {
            true => Ok(()),
            false => Err(Self::Differs { what, found: found.to_string(), expected: expected.to_string() }),
        }
    }
}

/// Rules that every block keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlockRule {
    /// Something is counted as zero.
    #[error("a count, a length or the row step is 0")]
    Empty,
    /// A diagonal panel is square.
    #[error("a diagonal interval has another length than the group has rows, or a column stride")]
    Diagonal,
    /// The interval range is not inside the list.
    #[error("its intervals are not in the frame's list")]
    Intervals,
    /// Rows belong to the frame.
    #[error("a row is outside the frame")]
    Rows,
    /// No row is in two groups of the block.
    #[error("the steps of its rows and runs are not nested, so that a row may be in two of its groups")]
    Groups,
    /// Columns belong to one layer, and not to that of the rows.
    #[error("its columns are not inside one other layer")]
    Columns,
    /// Values belong to the store.
    #[error("a weight is outside the value store")]
    Values,
}
