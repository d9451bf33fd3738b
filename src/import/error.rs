//! What can be wrong with an edge list.

use std::io;
use std::path::{Path, PathBuf};

use super::shown::Shown;

/// A graph that could not be imported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file of unknown kind.
    #[error(
        "{0} is no edge list that can be imported: its name must end in .csv, .tsv, .txt, .edges, .parquet or .mtx, or begin with out. as KONECT's do"
    )]
    Ending(PathBuf),
    /// The file cannot be read.
    #[error("cannot read {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// Columns are chosen of a file that has none.
    #[error(
        "{0} is a matrix and has no columns to choose; leave out --source, --target, --weight, --unweighted and --no-header"
    )]
    Matrix(PathBuf),
    /// Columns of a Parquet file have names.
    #[error("{0} is Parquet, whose columns have names; leave out --no-header")]
    HasNames(PathBuf),
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
    #[error("{0} holds no edge, once edges between the same two nodes are summed")]
    NoEdges(PathBuf),
}

/// What is wrong with a line, or with the edges together.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// Too few fields.
    #[error("found {0} fields, expected a source, a target and an optional weight")]
    Fields(usize),
    /// Not as many fields as the first line.
    #[error("found {0} fields, the first line has {1}")]
    Unequal(usize, usize),
    /// A node without a name.
    #[error("a node has no label")]
    EmptyLabel,
    /// A missing value.
    #[error("column `{0}` is null")]
    Null(String),
    /// The weight is no number.
    #[error("weight {0} is not a number")]
    NotANumber(Shown),
    /// Nobody says which columns are source and target.
    #[error("the columns are {0}: none are known as source and target; choose them with --source and --target")]
    NoEnds(Shown),
    /// Several pairs of columns may be source and target.
    #[error("the columns are {0}: several may be source and target; choose them with --source and --target")]
    SeveralEnds(Shown),
    /// Other columns than source and target, none of which is known as a weight.
    #[error("the columns are {0}: none is known as the weight; choose it with --weight, or say --unweighted")]
    NoWeight(Shown),
    /// Several columns may be the weight.
    #[error("the columns are {0}: several may be the weight; choose one with --weight, or several for their product")]
    SeveralWeights(Shown),
    /// The first line may be anything.
    #[error(
        "the first line is {0}, neither names of columns that are known nor clearly an edge; if it is names, choose with \
         --source, --target and --weight; if it is an edge, say --no-header and choose by number, as in --source 1 --target 2 \
         --weight 3"
    )]
    Unclear(Shown),
    /// A column that was asked for.
    #[error("there is no column `{0}`; the columns are {1}")]
    NoSuchColumn(String, Shown),
    /// A column that was asked for by number.
    #[error("`{0}` is no column; without names columns are chosen by number, here from 1 to {1}")]
    NoSuchNumber(String, usize),
    /// A name that is not clear.
    #[error("there are several columns `{0}`; the columns are {1}")]
    SameName(String, Shown),
    /// A column cannot be two things.
    #[error("column {0} is chosen twice")]
    ChosenTwice(Shown),
    /// A quote that is not closed.
    #[error("a quote opens here and does not close; expected a second one on the same line")]
    OpenQuote,
    /// Text behind a quoted field.
    #[error(
        "a quoted field is followed by more text; expected the end of the field (a quote in a field is written twice)"
    )]
    AfterQuote,
    /// No text.
    #[error("not UTF-8; save the file as UTF-8")]
    NotUtf8,
    /// Surely no edge.
    #[error("longer than {0} bytes, which no edge is")]
    LongLine(usize),
    /// Two sets of nodes that are numbered each by itself.
    #[error(
        "the comment calls this a network of two sides (bip), each numbered from 1; give the nodes of one side other names"
    )]
    Bipartite,
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
    #[error("found {0} entries, the header says {1}")]
    Count(u64, u64),
}

/// Why a text could not be read: the file itself, or what its last line that was read holds.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Failure {
    pub(super) fn in_line(self, path: &Path, number: u64) -> Error {
        match self {
            Self::Io(source) => Error::Io { path: path.into(), source },
            Self::Fault(fault) => Error::Line { path: path.into(), unit: "line", number, fault },
        }
    }
}
