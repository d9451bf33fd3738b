//! What the subcommands that run long have in common: that they can be stopped, and continued.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use tempfile::NamedTempFile;

use super::flags::{Force, Quiet, Threads};
use super::output::{Replaceable, folder};
use crate::regular;
use crate::table::{self, Provenance};
use crate::temporary::{self, Held};

/// `--threads`, `--resume`, `--force`, `--quiet`
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct LongRun {
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

    /// Claims the checkpoint of a run with this output, and reads it if the run is to go on from there. What was being
    /// written when an earlier run was killed is removed; the checkpoint before that is intact.
    ///
    /// # Errors
    /// If another run has claimed it, if there is one and neither `--resume` nor `--force`, or it cannot be read.
    pub fn checkpoint(&self, output: &Path) -> anyhow::Result<(Place, Option<Vec<u8>>)> {
        let path = checkpoint_path(output);
        let claim = temporary::claim(folder(&path)?, path.file_name().unwrap_or_default());
        let claim = claim.with_context(|| format!("cannot write to the folder of {}", path.display()))?;
        let Some(claim) = claim else {
            bail!("{} is being written by another run; wait for it, or choose another output", output.display());
        };
        let found = path.exists();
        if found && !self.resume && !self.force.force {
            bail!("{} holds an unfinished run; --resume continues it, --force starts again", path.display());
        }
        let read = || regular::read(&path, u64::MAX).with_context(|| format!("cannot read {}", path.display()));
        let bytes = (found && self.resume).then(read).transpose()?;
        Ok((Place { path, _claim: claim }, bytes))
    }
}

/// Where the checkpoint of a run is; while this lives, no other run can have it there.
pub struct Place {
    /// The file.
    pub path: PathBuf,
    _claim: Held<NamedTempFile>,
}

/// The line that says that there was nothing left to do.
pub(super) fn complete(output: &Path) -> String {
    format!("{}: complete", output.display())
}

/// `<output>.checkpoint`; not ending in `.parquet`, so that nobody reads it as a table.
fn checkpoint_path(output: &Path) -> PathBuf {
    let mut path = output.as_os_str().to_owned();
    path.push(".checkpoint");
    path.into()
}
