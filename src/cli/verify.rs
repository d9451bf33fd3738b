//! `pipeline verify`: reads all of a graph directory and says whether it is what it claims to be.

use std::path::PathBuf;
use std::time::Instant;

use super::flags::{ByteSize, Quiet, Threads};
use super::print;
use crate::shard::{self, Depth};

/// Read a whole graph directory and check every checksum and every rule of the format.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Graph directory.
    #[arg(value_name = "DIR")]
    graph: PathBuf,
    /// Compare incoming and outgoing edges one by one however many there are; by default up to 50 million.
    #[arg(long)]
    deep: bool,
    #[command(flatten)]
    threads: Threads,
    #[command(flatten)]
    quiet: Quiet,
}

/// Runs the subcommand.
///
/// # Errors
/// The first thing that is wrong with the graph.
pub fn run(args: Args) -> anyhow::Result<()> {
    let start = Instant::now();
    let depth = if args.deep { Depth::Deep } else { Depth::Usual };
    let bar = super::progress::bar(args.quiet.quiet);
    let report = args.threads.pool()?.install(|| shard::verify(&args.graph, depth, &*bar));
    drop(bar);
    let report = report?;
    print(format_args!("{} is sound", args.graph.display()))?;
    print(format_args!(
        "checksums      {} frames in {} shards, {} values",
        report.n_frames, report.n_shards, report.n_values
    ))?;
    print(format_args!("counts         {} nodes, {} edges", report.totals.n_nodes, report.totals.n_edges))?;
    print(format_args!("sum |w|        {}", report.totals.sum_abs))?;
    print(match report.directions {
        true => "directions     incoming and outgoing edges agree one by one",
        false => "directions     counts and sums agree; --deep compares edge by edge",
    })?;
    print(format_args!("fingerprint    {}", report.fingerprint))?;
    let secs = start.elapsed().as_secs_f64();
    print(format_args!("{secs:.1} s, {} read", ByteSize(report.bytes)))
}
