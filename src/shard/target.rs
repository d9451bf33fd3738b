//! The place of a graph directory: nothing, then everything.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::error::Error;
use super::manifest;
use super::values;
use crate::temporary::{self, Held};

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
            Ok(_) if self.existing == Existing::Keep => Err(Error::Exists { path: path() }),
            Ok(found) if found.is_dir() && is_replaceable(&self.dir) => self.temporary().map(drop),
            Ok(_) => Err(Error::NotAGraph { path: path() }),
        }
    }

    /// A hidden directory beside the target, removed when dropped. Those that killed processes have left go first.
    pub(super) fn temporary(&self) -> Result<Held<TempDir>, Error> {
        let made = temporary::create(self.parent(), self.name(), |builder| {
            #[cfg(unix)]
            builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
            builder.tempdir_in(self.parent())
        });
        made.map_err(|source| Error::Write { path: self.dir.clone(), source })
    }

    /// Gives the finished directory its name.
    pub(super) fn commit(&self, folder: Held<TempDir>) -> Result<(), Error> {
        let failed = |source| Error::Write { path: self.dir.clone(), source };
        let Held { item: folder, lock: _held } = folder;
        temporary::sync_folder(folder.path()).map_err(failed)?;
        self.check()?;
        let old = match self.dir.is_dir() {
            true => Some(temporary::set_aside(self.parent(), self.name()).map_err(failed)?),
            false => None,
        };
        if let Some(old) = &old {
            fs::rename(&self.dir, old.path()).map_err(failed)?;
        }
        if let Err(source) = fs::rename(folder.path(), &self.dir) {
            if let Some(old) = old {
                // Put the old graph back; if that fails too it stays beside the target instead of being removed.
                let _ = fs::rename(old.keep(), &self.dir);
            }
            return Err(failed(source));
        }
        let _ = folder.keep();
        temporary::sync_folder(self.parent()).map_err(failed)?;
        drop(old);
        temporary::remove_left_overs(self.parent(), self.name(), temporary::OLD);
        Ok(())
    }

    /// The directory's own name.
    fn name(&self) -> &OsStr {
        self.dir.file_name().unwrap_or_default()
    }

    fn parent(&self) -> &Path {
        match self.dir.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        }
    }
}

/// Whether nothing but a graph would be lost.
fn is_replaceable(dir: &Path) -> bool {
    let is_ours = |name: &str| {
        let is_shard = || name.starts_with("frames-") && name.ends_with(".shard");
        name == manifest::FILE || name == values::FILE || is_shard()
    };
    let all = |mut entries: fs::ReadDir| {
        entries.all(|entry| entry.is_ok_and(|entry| entry.file_name().to_str().is_some_and(is_ours)))
    };
    fs::read_dir(dir).is_ok_and(all)
}
