//! The file that keeps what an unfinished run has done.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::Error;
use crate::regular;
use crate::staging::temporary::{self, Locked};
use crate::staging::together::{self, Staged, parent};

/// What becomes of a checkpoint that an earlier run has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Earlier {
    /// It is in the way: nothing is done.
    Refuse,
    /// The run goes on from it.
    Resume,
    /// The run begins anew, and replaces it.
    Discard,
}

/// What fails where no file can be made.
const IN_FOLDER: &str = "write to the folder of";

/// `<output>.checkpoint`, of one run at a time: while this lives, no other run has it.
#[derive(Debug)]
pub struct CheckpointFile {
    path: PathBuf,
    _claim: Locked<NamedTempFile>,
}

/// `<output>.checkpoint`; not ending in `.parquet`, so that nobody reads it as a table.
pub fn checkpoint_path(output: &Path) -> PathBuf {
    let mut path = output.as_os_str().to_owned();
    path.push(".checkpoint");
    path.into()
}

impl CheckpointFile {
    /// Claims the checkpoint of a run with this output, and reads it if the run is to go on from there. What was being
    /// written when an earlier run was killed is removed; the checkpoint before that is intact.
    ///
    /// # Errors
    /// If another run has claimed it, if there is one that is in the way, or it cannot be read.
    pub fn claim(output: &Path, earlier: Earlier) -> Result<(Self, Option<Vec<u8>>), Error> {
        let path = checkpoint_path(output);
        let claim = temporary::claim(parent(&path), name(&path));
        let failed = |what, source| Error::Io { what, path: path.clone(), source };
        let claim = claim.map_err(|source| failed(IN_FOLDER, source))?;
        let Some(claim) = claim else { return Err(Error::Claimed { output: output.to_owned() }) };
        let bytes = match earlier {
            _ if !path.exists() => None,
            Earlier::Refuse => return Err(Error::Unfinished { path }),
            Earlier::Discard => None,
            Earlier::Resume => Some(regular::read(&path, u64::MAX).map_err(|source| failed("read", source))?),
        };
        Ok((Self { path, _claim: claim }, bytes))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Replaces the contents by what `write` writes: all of it, or as before whatever happens in between.
    ///
    /// # Errors
    /// Those of `write`, or if the storage fails.
    pub fn replace<E: From<Error>>(&self, write: impl FnOnce(&mut NamedTempFile) -> Result<(), E>) -> Result<(), E> {
        if self.path.metadata().is_ok_and(|found| !found.is_file()) {
            return Err(Error::NotRegular { path: self.path.clone() }.into());
        }
        let file = temporary::file(parent(&self.path), name(&self.path));
        let mut file = file.map_err(|source| self.failed(IN_FOLDER, source))?;
        write(&mut file.item)?;
        let staged = Staged::file(file, self.path.clone(), true);
        let done = staged.and_then(|staged| together::commit(&[staged]).map_err(|failed| failed.source));
        Ok(done.map_err(|source| self.failed("write", source))?)
    }

    /// An error of the storage.
    pub(super) fn failed(&self, what: &'static str, source: io::Error) -> Error {
        Error::Io { what, path: self.path.clone(), source }
    }

    /// The run is complete and its output has its name: nobody needs the checkpoint any more.
    pub fn remove(self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

fn name(path: &Path) -> &OsStr {
    path.file_name().unwrap_or_default()
}
