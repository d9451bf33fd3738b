//! Hidden temporary files and directories beside an output, and what processes that were killed have left of them.

use std::ffi::OsStr;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;

use tempfile::{Builder, NamedTempFile};

use super::journal;
pub(crate) use super::names::{OLD, TEMPORARY, sync_folder};
use super::names::{RANDOM, entries, prefix};

/// A temporary file or directory that other processes leave alone while this lives.
#[derive(Debug)]
pub(crate) struct Locked<T> {
    /// The file or directory.
    pub item: T,
    /// What keeps them away.
    pub lock: Option<File>,
}

/// Finishes what killed processes have begun to name in `folder`, removes the left-overs of output `name`, then lets `make`
/// make something temporary there.
///
/// # Errors
/// Those of `make`.
pub(crate) fn create<T: AsRef<Path>>(
    folder: &Path,
    name: &OsStr,
    make: impl Fn(&mut Builder<'_, '_>) -> io::Result<T>,
) -> io::Result<Locked<T>> {
    journal::finish(folder);
    remove_left_overs(folder, name, TEMPORARY);
    let prefix = prefix(name);
    let mut builder = Builder::new();
    builder.prefix(&prefix).rand_bytes(RANDOM).suffix(TEMPORARY);
    loop {
        let item = make(&mut builder)?;
        let lock = open(item.as_ref()).filter(|file| file.lock().is_ok());
        // Before it was locked another process may have taken it for a left-over.
        if item.as_ref().exists() {
            return Ok(Locked { item, lock });
        }
    }
}

/// A temporary file as [`create`] makes it, as readable as the umask allows.
///
/// # Errors
/// If it cannot be made.
pub(crate) fn file(folder: &Path, name: &OsStr) -> io::Result<Locked<NamedTempFile>> {
    create(folder, name, |builder| {
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        builder.tempfile_in(folder)
    })
}

/// A temporary file for output `name` in `folder`, unless somebody holds another one: no two processes have one at a time.
///
/// # Errors
/// If it cannot be made.
pub(crate) fn claim(folder: &Path, name: &OsStr) -> io::Result<Option<Locked<NamedTempFile>>> {
    let own = create(folder, name, |builder| builder.tempfile_in(folder))?;
    let is_held = |path: &Path| open(path).is_some_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)));
    let mut others = entries(folder, name, TEMPORARY).filter(|entry| !own.item.path().ends_with(entry.file_name()));
    Ok(if others.any(|entry| is_held(&entry.path())) { None } else { Some(own) })
}

/// Removes everything called `.NAME.XXXXXX<suffix>` in `folder` that nobody holds. What cannot be removed stays.
pub(crate) fn remove_left_overs(folder: &Path, name: &OsStr, suffix: &str) {
    for entry in entries(folder, name, suffix) {
        let path = entry.path();
        let remove = match entry.file_type() {
            Ok(found) if found.is_dir() => |path| fs::remove_dir_all(path),
            Ok(found) if found.is_file() => |path| fs::remove_file(path),
            _ => continue,
        };
        let left_over = open(&path).filter(|file| file.try_lock().is_ok());
        let _ = left_over.map(|_locked| remove(&path));
    }
}

/// Opens a file or directory for its lock. Elsewhere than on Unix directories cannot be opened, and locks are not advisory.
fn open(path: &Path) -> Option<File> {
    if cfg!(unix) { File::open(path).ok() } else { None }
}

#[cfg(all(test, unix))]
mod tests {
    use std::ffi::OsString;

    use super::*;

    fn names(folder: &Path) -> Vec<OsString> {
        let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    }

    #[test]
    fn left_overs_of_the_same_output_are_removed_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let others =
            [".a.b.AbCd12.tmp", ".a.AbCd1.tmp", ".a.AbCd123.tmp", ".a.AbC-12.tmp", ".a.AbCd12.old", "a.AbCd12.tmp"];
        for name in others.iter().chain(&[".a.AbCd12.tmp"]) {
            fs::write(dir.path().join(name), "").unwrap();
        }
        fs::create_dir_all(dir.path().join(".a.000000.tmp/b")).unwrap();
        let mut expected: Vec<_> = others.iter().map(OsString::from).collect();
        expected.sort();
        let file = create(dir.path(), OsStr::new("a"), |builder| builder.tempfile_in(dir.path())).unwrap();
        drop(file);
        assert_eq!(names(dir.path()), expected);
    }

    #[test]
    fn what_is_in_use_stays() {
        let dir = tempfile::tempdir().unwrap();
        let name = OsStr::new("a");
        let file = create(dir.path(), name, |builder| builder.tempfile_in(dir.path())).unwrap();
        let folder = create(dir.path(), name, |builder| builder.tempdir_in(dir.path())).unwrap();
        let before = names(dir.path());
        assert_eq!(before.len(), 2);
        remove_left_overs(dir.path(), name, TEMPORARY);
        assert_eq!(names(dir.path()), before);
        // As if their process had been killed: no lock, and nobody to remove them.
        drop((file.lock, folder.lock));
        remove_left_overs(dir.path(), name, TEMPORARY);
        assert!(names(dir.path()).is_empty());
    }

    #[test]
    fn a_name_is_claimed_by_one_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let claim = |name: &str| claim(dir.path(), OsStr::new(name)).unwrap();
        let first = claim("a").unwrap();
        assert!(claim("a").is_none() && claim("b").is_some());
        drop(first);
        assert!(claim("a").is_some());
        assert!(names(dir.path()).is_empty());
    }

    #[test]
    fn what_is_taken_for_a_left_over_before_it_is_locked_is_made_again() {
        let dir = tempfile::tempdir().unwrap();
        let made = std::cell::Cell::new(0);
        let make = |builder: &mut Builder<'_, '_>| {
            let file = builder.tempfile_in(dir.path())?;
            made.set(made.get() + 1);
            if made.get() == 1 {
                remove_left_overs(dir.path(), OsStr::new("a"), TEMPORARY);
            }
            Ok(file)
        };
        let file = create(dir.path(), OsStr::new("a"), make).unwrap();
        assert!(made.get() == 2 && file.item.path().exists());
    }
}
