//! The place of a graph directory: nothing, then everything.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::error::Error;
use super::manifest;
use crate::staging;
use crate::staging::temporary::{self, Locked};
use crate::staging::together::{self, Staged};

/// What to do with a graph that exists under the chosen name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// Fail.
    Keep,
    /// Replace it once the new graph is complete. Only graph directories and empty ones are ever replaced.
    Replace,
}

/// Where and how a graph is written.
#[derive(Clone, Debug)]
pub struct Target {
    /// The directory.
    pub dir: PathBuf,
    /// What to do if the directory exists.
    pub existing: Existing,
    /// A shard file that has reached this length is followed by another one.
    pub shard_bytes: u64,
}

impl Target {
    /// A directory that does not exist yet, with shards of 64 MiB.
    pub fn new(dir: &Path) -> Self {
        Self { dir: dir.into(), existing: Existing::Keep, shard_bytes: 64 << 20 }
    }

    /// Fails early if [`write_to`](super::write_to) would: the directory exists and may not be replaced, or the folder
    /// that is to hold it cannot be written to.
    ///
    /// # Errors
    /// See above.
    pub fn check(&self) -> Result<(), Error> {
        let path = || self.dir.clone();
        match fs::symlink_metadata(&self.dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.temporary().map(drop),
            Err(source) => Err(Error::Write { path: path(), source }),
            Ok(_) if self.existing == Existing::Keep => Err(Error::Exists(path())),
            Ok(found) if found.is_dir() && is_replaceable(&self.dir) => self.temporary().map(drop),
            Ok(_) => Err(Error::NotAGraph(path())),
        }
    }

    /// A hidden directory beside the target, removed when dropped. Those that killed processes have left go first.
    pub(super) fn temporary(&self) -> Result<Locked<TempDir>, Error> {
        let made = temporary::create(self.parent(), self.name(), |builder| {
            #[cfg(unix)]
            builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
            builder.tempdir_in(self.parent())
        });
        made.map_err(|source| Error::Write { path: self.dir.clone(), source })
    }

    /// The finished directory, which is to have the name.
    pub(super) fn stage(&self, folder: Locked<TempDir>) -> Result<Staged, Error> {
        let Locked { item: folder, lock } = folder;
        let synced = temporary::sync_folder(folder.path());
        synced.map_err(|source| Error::Write { path: self.dir.clone(), source })?;
        self.check()?;
        let replaces = self.existing == Existing::Replace;
        // Through `components` a trailing slash goes away.
        let path = self.dir.components().collect();
        Ok(Staged { temporary: folder.keep(), path, replaces, lock })
    }

    /// Gives the finished directory its name.
    pub(super) fn commit(&self, staged: Staged) -> Result<(), Error> {
        together::commit(&[staged]).map_err(|failed| Error::Write { path: failed.path, source: failed.source })?;
        temporary::remove_left_overs(self.parent(), self.name(), temporary::OLD);
        Ok(())
    }

    /// The directory's own name.
    fn name(&self) -> &OsStr {
        self.dir.file_name().unwrap_or_default()
    }

    fn parent(&self) -> &Path {
        staging::parent(&self.dir)
    }
}

/// Whether nothing but a graph would be lost: the directory is empty, or holds a manifest and nothing that this does not list.
fn is_replaceable(dir: &Path) -> bool {
    let name = |entry: io::Result<fs::DirEntry>| entry.map(|entry| entry.file_name());
    let names = || fs::read_dir(dir)?.map(name).collect::<io::Result<Vec<_>>>();
    let Ok(names): io::Result<Vec<_>> = names() else { return false };
    if names.is_empty() {
        return true;
    }
    let listed = manifest::listed(dir).unwrap_or_default();
    let is_ours = |name: &str| listed.iter().any(|listed| listed == name);
    names.iter().all(|name| name.to_str().is_some_and(is_ours))
}
