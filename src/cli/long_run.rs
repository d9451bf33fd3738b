//! What the subcommands that run long have in common: that they can be stopped and continued, and how the flags say so.
//!
//! What is done and saved is [`run`]'s. Here is when a table may be replaced, when there is nothing left to do, and what the
//! user reads when the run was stopped.

use std::path::Path;

use super::flags::{Force, Quiet, Threads};
use super::output::Replaceable;
use crate::null::schedule;
use crate::run::{self, Earlier, checkpoint_path};
use crate::table::{self, Provenance};
use crate::{perturb, spin};

/// `--threads`, `--resume`, `--force`, `--quiet`
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub(super) struct LongRun {
    #[command(flatten)]
    pub threads: Threads,
    /// Continue a run that was stopped: keep what its output already holds. Of a finished one nothing is done.
    #[arg(long)]
    pub resume: bool,
    #[command(flatten)]
    pub force: Force,
    #[command(flatten)]
    pub quiet: Quiet,
}

impl LongRun {
    /// Which tables may be replaced: by a resumed run also those that it had just written when it was killed at its end. It
    /// then has a checkpoint, or not yet `output`.
    pub fn replaceable(&self, output: &Path) -> Replaceable {
        let finished = Replaceable::beside(output, self.force);
        let is_unfinished = || checkpoint_path(output).exists() || !output.exists();
        match self.resume && is_unfinished() {
            true => Replaceable::beside(output, Force { force: true }),
            false => finished,
        }
    }

    /// Whether there is nothing left to do: with `--resume` and without `--force` all outputs are there, from a run that was
    /// to write the same. Their footers say so, and they appear only when a run is complete.
    pub fn is_complete(&self, outputs: &[&Path], provenance: &Provenance) -> bool {
        let is_same = |path: &&Path| table::read_provenance(path).is_ok_and(|found| found == *provenance);
        let is_unfinished = || outputs.iter().any(|path| checkpoint_path(path).exists());
        self.resume && !self.force.force && !is_unfinished() && outputs.iter().all(is_same)
    }

    /// What becomes of a checkpoint that is there.
    pub fn earlier(&self) -> Earlier {
        match (self.resume, self.force.force) {
            (true, _) => Earlier::Resume,
            (false, true) => Earlier::Discard,
            (false, false) => Earlier::Refuse,
        }
    }
}

/// Why a run has not ended: `interrupted`, which says how to continue, if it was stopped, and otherwise what failed, and that
/// therefore there is no table.
pub(super) fn explained(error: anyhow::Error, interrupted: run::Error, failed: String) -> anyhow::Error {
    match is_interruption(&error) {
        true => interrupted.into(),
        false => error.context(failed),
    }
}

/// Whether an error says that a run was stopped.
fn is_interruption(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(spin::Error::Interrupted))
        || matches!(error.downcast_ref(), Some(perturb::Error::Interrupted))
        || matches!(error.downcast_ref(), Some(schedule::Error::Spin(spin::Error::Interrupted)))
}

/// The line that says that there was nothing left to do.
pub(super) fn complete(output: &Path) -> String {
    format!("{}: complete", output.display())
}
