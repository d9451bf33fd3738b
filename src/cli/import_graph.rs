//! `pipeline import-graph`: from a list of edges to a graph directory and a table that says which node is which.
//!
//! Reading is [`import`]'s. Graph and table get their names together, so that one never stands without the other.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::flags::{Force, Quiet};
use super::output::{self, Output, Replaceable};
use crate::graph::BlockStream as _;
use crate::import::{self, Choice, Header, Imported, Weight};
use crate::shard::{self, Description, Existing, Target};
use crate::staging::together::Staged;
use crate::table::{NodeRow, Provenance};

/// Turn any signed graph into a graph directory that every other subcommand takes.
///
/// EDGES is text (.csv, .tsv, .txt, .edges, KONECT's out.NAME; fields between commas, semicolons, tabs or blanks) or Parquet,
/// whose node labels are text or integers. Columns are recognised by name, in any case: source and target (or from, to; src,
/// dst; u, v; i, j; FromNodeId, ToNodeId), and weight (or sign, polarity, rating, w). Text may have no names: lines of two
/// whole numbers, or of source, target and a number; comments (# or %) may be in front. What is not clear is refused:
/// --source, --target and --weight choose, --no-header says that the first line is an edge.
///
/// Or a Matrix Market coordinate file (.mtx), in which every stored entry is one edge, row i, column j from node j to node i,
/// in symmetric and skew-symmetric files too; a row and column without an entry is no node.
///
/// Edges that join the same two nodes, in either direction, are added up into one. Nodes are renumbered into classes
/// of mutually unconnected nodes; `DIR.nodes.parquet` (node, label, class) tells which is which.
///
/// The whole graph is held in memory: about 64 bytes per edge, and twice the labels.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Edge list: text, .parquet or .mtx.
    #[arg(value_name = "EDGES")]
    edges: PathBuf,
    /// Column of the nodes at which edges begin: its name, or with --no-header its number, from 1.
    #[arg(long, value_name = "COLUMN", requires = "target")]
    source: Option<String>,
    /// Column of the nodes at which they end.
    #[arg(long, value_name = "COLUMN", requires = "source")]
    target: Option<String>,
    /// Column of the weights; given several times, their product, e.g. of a size and a sign.
    #[arg(long, value_name = "COLUMN", conflicts_with = "unweighted")]
    weight: Vec<String>,
    /// There are no weights: each is +1.
    #[arg(long)]
    unweighted: bool,
    /// The first line is an edge, not names of columns.
    #[arg(long)]
    no_header: bool,
    /// Graph directory to write.
    #[arg(short, long, value_name = "DIR", value_parser = output::directory())]
    output: PathBuf,
    #[command(flatten)]
    force: Force,
    #[command(flatten)]
    quiet: Quiet,
}

impl Args {
    /// What the flags say of the columns.
    fn choice(&self) -> Choice {
        let weight = match (self.unweighted, self.weight.is_empty()) {
            (true, _) => Weight::One,
            (false, true) => Weight::Recognised,
            (false, false) => Weight::Product(self.weight.clone()),
        };
        let header = if self.no_header { Header::Absent } else { Header::Recognised };
        let ends = self.source.clone().zip(self.target.clone());
        Choice { ends: ends.map(|(source, target)| [source, target]), weight, header }
    }
}

/// Runs the subcommand.
///
/// # Errors
/// If the edges cannot be read or the graph cannot be written.
pub fn run(args: Args) -> anyhow::Result<()> {
    let nodes_path = nodes_path(&args.output);
    let replaceable = Replaceable::beside(&nodes_path, args.force);
    let mut target = Target::new(&args.output);
    if replaceable.force(&args.output).force {
        target.existing = Existing::Replace;
    }
    target.check()?;
    let nodes = Output::create(&nodes_path, replaceable.force(&nodes_path))?;

    let imported = import::read(&args.edges, &args.choice())?;
    for note in &imported.notes {
        super::note(args.quiet, note);
    }
    let mut description = Description::default();
    description.set("source", args.edges.display());
    let bar = super::progress::bar(args.quiet.quiet);
    let written = shard::stage(&imported.graph, &description, &target, &*bar);
    drop(bar);
    let (written, graph) = written.with_context(|| format!("cannot write graph {}", args.output.display()))?;

    let provenance = [("graph", written.fingerprint), ("source", args.edges.display().to_string())];
    let nodes = stage_nodes(&imported, nodes, &super::provenance(None, &provenance))?;
    output::commit(vec![graph, nodes])?;
    let (totals, n_classes) = (imported.graph.totals(), imported.graph.layers().len());
    super::print(format_args!(
        "{}: nodes {}, edges {}, classes {n_classes}",
        args.output.display(),
        totals.n_nodes,
        totals.n_edges
    ))
}

/// `<DIR>.nodes.parquet`, beside the graph.
fn nodes_path(dir: &Path) -> PathBuf {
    // Through `components` a trailing slash goes away.
    let mut path: OsString = dir.components().collect::<PathBuf>().into();
    path.push(".nodes.parquet");
    path.into()
}

/// Rows handed to the table at once.
const ROWS: usize = 1 << 16;

fn stage_nodes(imported: &Imported, out: Output, provenance: &Provenance) -> anyhow::Result<Staged> {
    let classes = (0..).zip(imported.graph.layers());
    let nodes = classes.flat_map(|(class, layer)| layer.nodes.clone().map(move |node| (node, class)));
    let label = |node| imported.labels[node as usize].clone();
    let mut rows = nodes.map(|(node, class)| NodeRow { node: i64::from(node), label: label(node), class });
    let batch = || Some(rows.by_ref().take(ROWS).collect::<Vec<_>>()).filter(|rows| !rows.is_empty());
    output::stage_rows(out, provenance, std::iter::from_fn(batch))
}
