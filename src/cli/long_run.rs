//! What the subcommands that run long have in common: that they can be stopped, and continued.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::flags::{Force, Quiet, Threads};
use super::output::folder;
use crate::temporary;

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

impl LongRun {
    /// Whether tables may be replaced: also by a resumed run, if they are what it left when it was killed at its end. It then
    /// has a checkpoint, or not yet `output`, the last table to appear.
    pub fn may_replace(&self, output: &Path) -> Force {
        let is_unfinished = || checkpoint_path(output).exists() || !output.exists();
        Force { force: self.force.force || self.resume && is_unfinished() }
    }

    /// Where the checkpoint of a run with this output is, and what it holds if the run is to go on from there.
    ///
    /// # Errors
    /// If there is one and neither `--resume` nor `--force`, or it cannot be read.
    pub fn checkpoint(&self, output: &Path) -> anyhow::Result<(PathBuf, Option<Vec<u8>>)> {
        let path = checkpoint_path(output);
        // Those that were being written when their process was killed; the one before them is intact.
        if let (Ok(folder), Some(name)) = (folder(&path), path.file_name()) {
            temporary::remove_left_overs(folder, name, temporary::TEMPORARY);
        }
        let found = path.exists();
        if found && !self.resume && !self.force.force {
            bail!("{} holds an unfinished run; --resume continues it, --force starts again", path.display());
        }
        let read = || std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()));
        let bytes = (found && self.resume).then(read).transpose()?;
        Ok((path, bytes))
    }
}

/// `<output>.checkpoint`; not ending in `.parquet`, so that nobody reads it as a table.
fn checkpoint_path(output: &Path) -> PathBuf {
    let mut path = output.as_os_str().to_owned();
    path.push(".checkpoint");
    path.into()
}
