//! What can be wrong with an edge list.

use std::path::PathBuf;

/// A graph that could not be imported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file of unknown kind.
    #[error("{path} is no edge list that can be imported: its name must end in .csv, .parquet or .mtx")]
    Ending {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be read.
    #[error("cannot read {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The file is no CSV.
    #[error("{path} is no well-formed CSV")]
    Csv {
        /// The file.
        path: PathBuf,
        /// Where and why.
        #[source]
        source: ::csv::Error,
    },
    /// The file is no Parquet.
    #[error("{path} is no intact Parquet file")]
    Parquet {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: ::parquet::errors::ParquetError,
    },
    /// A column of a Parquet file is of the wrong type.
    #[error("{path}, column `{column}` holds {found}, expected {expected}")]
    Column {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// Its type.
        found: arrow_schema::DataType,
        /// What it should hold.
        expected: &'static str,
    },
    /// A line is wrong.
    #[error("{path}, {unit} {number}: {fault}")]
    Line {
        /// The file.
        path: PathBuf,
        /// `line`, or `row` of a Parquet file.
        unit: &'static str,
        /// Its number, from 1.
        number: u64,
        /// What is wrong.
        fault: Fault,
    },
    /// The lines are right, but the graph is not.
    #[error("{path}: {fault}")]
    Graph {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        fault: Fault,
    },
    /// Nothing to import.
    #[error("{path} holds no edge, once edges between the same two nodes are summed")]
    NoEdges {
        /// The file.
        path: PathBuf,
    },
}

/// What is wrong with a line, or with the edges together.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// Too few fields.
    #[error("found {found} fields, expected a source, a target and an optional weight")]
    Fields {
        /// Fields found.
        found: usize,
    },
    /// Not as many fields as the first line.
    #[error("found {found} fields, the first line has {expected}")]
    Unequal {
        /// Fields found.
        found: u64,
        /// Fields of the first line.
        expected: u64,
    },
    /// A node without a name.
    #[error("a node has no label")]
    EmptyLabel,
    /// A missing value.
    #[error("column `{0}` is null")]
    Null(String),
    /// The weight is no number.
    #[error("weight `{0}` is not a number")]
    NotANumber(String),
    /// The weight is infinite or not a number.
    #[error("weight {0} is not finite")]
    NotFinite(f64),
    /// The weight does not fit single precision.
    #[error("weight {0} exceeds single precision, in which weights are stored")]
    TooLarge(f64),
    /// Both ends are one node.
    #[error("node `{0}` is joined to itself; a signed graph has no loops")]
    Loop(String),
    /// Too many nodes.
    #[error("more than {} nodes", u32::MAX - 1)]
    TooManyNodes,
    /// A sum of weights does not fit single precision.
    #[error("the weights between `{0}` and `{1}` add up to {2}, which exceeds single precision")]
    Overflow(String, String, f64),
    /// Nothing is left.
    #[error("no edge is left")]
    NoEdges,
    /// No Matrix Market banner.
    #[error("expected `%%MatrixMarket matrix coordinate <field> <symmetry>`")]
    Banner,
    /// A kind of matrix that is no signed graph.
    #[error("`{0}` is not supported; expected {1}")]
    Unsupported(String, &'static str),
    /// The size line is wrong.
    #[error("expected the number of rows, columns and entries")]
    Size,
    /// The matrix is not square.
    #[error("the matrix has {0} rows and {1} columns; an adjacency matrix is square")]
    NotSquare(u64, u64),
    /// An entry is wrong.
    #[error("expected a row, a column{0}, both between 1 and {1}")]
    Entry(&'static str, u64),
    /// An entry on the wrong side.
    #[error("entry ({0}, {1}) lies above the diagonal of a symmetric matrix")]
    Above(u64, u64),
    /// Too few or too many entries.
    #[error("found {found} entries, the header says {expected}")]
    Count {
        /// Entries found.
        found: u64,
        /// Entries announced.
        expected: u64,
    },
}
