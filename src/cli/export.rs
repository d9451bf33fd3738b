//! `pipeline export`: from a graph to a sparse matrix that SciPy reads.

use std::ops::Range;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Context as _, bail};

use super::flags::{Force, Quiet};
use super::graph_dir::GraphDir;
use super::output::{self, Output};
use crate::export::{Selection, write_npz};
use crate::graph::Direction;

/// Write the adjacency matrix, or some of its rows, as plain CSR for scipy.sparse.load_npz.
///
/// The matrix is A (row i holds the edges into node i), or with `--direction out` its transpose. Columns ascend in each
/// row; edges that join the same two nodes are summed. `data` is float32.
///
/// Takes 8 bytes per edge on disk, and as much again for temporary files beside the output while it runs. Memory: 8
/// bytes per row and about 100 MB.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Graph directory, from `build-graph` or `import-graph`.
    #[arg(value_name = "DIR")]
    graph: GraphDir,
    /// File to write.
    #[arg(short, long, value_name = "FILE.npz", value_parser = output::file("npz"))]
    output: PathBuf,
    /// Only rows A up to, not including, B; the matrix then has B - A rows and all columns.
    #[arg(long, value_name = "A..B")]
    rows: Option<Rows>,
    /// Edges into each row's node, or out of it.
    #[arg(long, value_name = "in|out", value_enum, default_value_t = Side::In)]
    direction: Side,
    #[command(flatten)]
    force: Force,
    #[command(flatten)]
    quiet: Quiet,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Side {
    In,
    Out,
}

/// `A..B`
#[derive(Clone, Debug)]
struct Rows(Range<u64>);

/// Why a text is no range of rows.
#[derive(Debug, thiserror::Error)]
#[error("expected two numbers A..B with A <= B, e.g. 1000..2000")]
struct RowsError;

impl FromStr for Rows {
    type Err = RowsError;

    fn from_str(text: &str) -> Result<Self, RowsError> {
        let (first, end) = text.split_once("..").ok_or(RowsError)?;
        let number = |text: &str| text.trim().parse::<u64>().map_err(|_| RowsError);
        let rows = number(first)?..number(end)?;
        if rows.start <= rows.end { Ok(Self(rows)) } else { Err(RowsError) }
    }
}

/// Runs the subcommand.
///
/// # Errors
/// If the graph cannot be read, the rows are not its, or the output cannot be written.
pub fn run(args: Args) -> anyhow::Result<()> {
    let mut out = Output::create(&args.output, args.force)?;
    let graph = args.graph.open()?;
    let direction = match args.direction {
        Side::In => Direction::In,
        Side::Out => Direction::Out,
    };
    if graph.is_one_way() && direction == Direction::Out {
        bail!("{} stores rows of A only; export these and transpose them", args.graph);
    }
    let selection = Selection { direction, rows: args.rows.map(|rows| rows.0) };
    let bar = super::progress::bar(args.quiet.quiet);
    let scratch = output::folder(&args.output)?;
    let summary = graph
        .verified(&*bar)
        .map_err(anyhow::Error::from)
        .and_then(|graph| Ok(write_npz(&graph, &selection, &mut out, scratch, &*bar)?));
    drop(bar);
    let summary = summary.with_context(|| format!("cannot export {}", args.graph))?;
    out.commit()?;
    super::print(format_args!(
        "{}: {} x {}, entries {}",
        args.output.display(),
        summary.n_rows,
        summary.n_columns,
        summary.n_entries
    ))
}
