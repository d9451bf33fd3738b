//! What the subcommands that run long have in common: that they can be stopped, and continued.

use super::flags::{Force, Quiet, Threads};

/// `--threads`, `--resume`, `--force`, `--quiet`
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct LongRun {
    #[command(flatten)]
    pub threads: Threads,
    /// Continue a run that was stopped: keep what its output already holds.
    #[arg(long)]
    pub resume: bool,
    #[command(flatten)]
    pub force: Force,
    #[command(flatten)]
    pub quiet: Quiet,
}
