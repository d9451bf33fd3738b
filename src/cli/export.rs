//! `pipeline export`

use std::path::PathBuf;

use super::flags::{Force, Quiet};

/// Write a graph as a SciPy sparse matrix.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Graph directory.
    #[arg(value_name = "DIR")]
    graph: PathBuf,
    /// Output file.
    #[arg(short, long, value_name = "FILE.npz")]
    output: PathBuf,
    #[command(flatten)]
    force: Force,
    #[command(flatten)]
    quiet: Quiet,
}

/// Runs the subcommand.
///
/// # Errors
/// If the graph cannot be read or the output cannot be written.
pub fn run(args: Args) -> anyhow::Result<()> {
    let _ = super::output::Output::create(&args.output, args.force)?;
    super::note(args.quiet, args.graph.display());
    anyhow::bail!("not available yet")
}
