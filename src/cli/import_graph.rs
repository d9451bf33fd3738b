//! `pipeline import-graph`

use std::path::PathBuf;

use super::flags::{Force, Quiet};

/// Turn any signed graph into a graph directory.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Edge list.
    #[arg(value_name = "EDGES")]
    edges: PathBuf,
    /// Graph directory to write.
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    #[command(flatten)]
    force: Force,
    #[command(flatten)]
    quiet: Quiet,
}

/// Runs the subcommand.
///
/// # Errors
/// If the edges cannot be read or the graph cannot be written.
pub fn run(args: Args) -> anyhow::Result<()> {
    let _ = (args.edges, args.output, args.force, args.quiet);
    anyhow::bail!("not available yet")
}
