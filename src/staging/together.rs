//! Files and directories that get their names together.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

#[cfg(feature = "cli")]
pub(crate) use super::journal::finish;
use super::journal::{Failed, JOURNAL, Renaming, encode, name_all};
pub(crate) use super::names::parent;
use super::names::{TEMPORARY, sync_folder};
use super::rename::{inode, remove};
use super::temporary::{self, Locked};

/// Something complete under its temporary name. Whoever drops it uncommitted leaves a left-over.
#[derive(Debug)]
pub(crate) struct Staged {
    /// `.NAME.XXXXXX.tmp`, beside `path`.
    pub temporary: PathBuf,
    /// The name that it is to have.
    pub path: PathBuf,
    /// Whether something else may have the name: a file for a file, a directory for a directory.
    pub replaces: bool,
    /// What keeps other processes away while this lives.
    #[expect(dead_code, reason = "it is held, not read")]
    pub lock: Option<File>,
}

impl Staged {
    /// A file that is complete, synced.
    ///
    /// # Errors
    /// If the storage fails.
    pub fn file(file: Locked<NamedTempFile>, path: PathBuf, replaces: bool) -> io::Result<Self> {
        let Locked { item, lock } = file;
        item.as_file().sync_all()?;
        Ok(Self { temporary: item.into_temp_path().keep()?, path, replaces, lock })
    }

    fn renaming(&self) -> Renaming {
        let temporary = self.temporary.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let random = temporary.strip_suffix(TEMPORARY).and_then(|rest| rest.rsplit('.').next());
        Renaming {
            folder: parent(&self.path).into(),
            name: self.path.file_name().unwrap_or_default().into(),
            random: random.unwrap_or_default().into(),
            replaces: self.replaces,
            inode: inode(&self.temporary).unwrap_or(0),
        }
    }
}

/// Gives all of them their names, and makes those durable. On failure before the first has its name nothing is left of them.
///
/// # Errors
/// If something that may not be replaced has come into existence meanwhile, or the storage fails.
pub(crate) fn commit(staged: &[Staged]) -> Result<(), Failed> {
    let prepared = staged.iter().try_for_each(check);
    let needs_journal = staged.len() > 1 || staged.iter().any(|item| item.path.is_dir());
    let renamings: Vec<_> = staged.iter().map(Staged::renaming).collect();
    let journal = prepared.and_then(|()| needs_journal.then(|| Journal::create(&renamings)).transpose());
    let journal = journal.inspect_err(|_| staged.iter().for_each(|item| remove(&item.temporary)))?;
    let named = name_all(&renamings);
    if let (Err(_), None) = (&named, &journal) {
        staged.iter().for_each(|item| remove(&item.temporary));
    }
    named?;
    if let Some(journal) = journal {
        journal.remove();
    }
    renamings.iter().for_each(|renaming| remove(&renaming.temporary()));
    Ok(())
}

/// A journal that this process has written.
struct Journal {
    path: PathBuf,
    _lock: Option<File>,
}

impl Journal {
    fn create(renamings: &[Renaming]) -> Result<Self, Failed> {
        let first = &renamings[0];
        let failed = |source| Failed { path: first.path(), source };
        let folder: &Path = &first.folder;
        let name: OsString = [OsStr::new("."), &first.name, OsStr::new(JOURNAL)].into_iter().collect();
        let path = folder.join(&name);
        let bytes = encode(renamings).map_err(failed)?;
        for _ in 0..100 {
            // Finishes what others have begun here, too.
            let made = temporary::create(folder, &name, |builder| builder.tempfile_in(folder)).map_err(failed)?;
            let (mut file, lock) = (made.item, made.lock);
            file.write_all(&bytes).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
            match file.persist_noclobber(&path) {
                Ok(_) => {
                    let journal = Self { path, _lock: lock };
                    return match sync_folder(folder) {
                        Ok(()) => Ok(journal),
                        Err(source) => {
                            journal.remove();
                            Err(failed(source))
                        }
                    };
                }
                Err(found) if found.error.kind() == ErrorKind::AlreadyExists => {}
                Err(other) => return Err(failed(other.error)),
            }
        }
        let text = format!("an earlier run has not finished what {} lists; remove that file", path.display());
        Err(failed(io::Error::new(ErrorKind::AlreadyExists, text)))
    }

    fn remove(self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// That nothing has the name that may not be replaced.
fn check(staged: &Staged) -> Result<(), Failed> {
    match staged.replaces || fs::symlink_metadata(&staged.path).is_err() {
        true => Ok(()),
        false => Err(Failed { path: staged.path.clone(), source: ErrorKind::AlreadyExists.into() }),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::collections::BTreeMap;

    use super::super::journal::{decode, renaming};
    use super::*;

    fn renamings(staged: &[Staged]) -> Vec<Renaming> {
        staged.iter().map(Staged::renaming).collect()
    }

    /// Everything in a folder: a file's contents, or those of a directory's only file behind a slash.
    fn contents(folder: &Path) -> BTreeMap<String, String> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
        let read = |path: PathBuf| match path.is_dir() {
            true => format!("/{}", fs::read_to_string(path.join("x")).unwrap()),
            false => fs::read_to_string(path).unwrap(),
        };
        entries.map(|entry| (entry.file_name().into_string().unwrap(), read(entry.path()))).collect()
    }

    /// A file `a` and a directory `b` in `folder`, staged.
    fn staged(folder: &Path, replaces: bool) -> Vec<Staged> {
        fs::write(folder.join(".a.AAAAAA.tmp"), "new").unwrap();
        fs::create_dir(folder.join(".b.BBBBBB.tmp")).unwrap();
        fs::write(folder.join(".b.BBBBBB.tmp/x"), "new").unwrap();
        let item = |temporary: &str, name: &str| Staged {
            temporary: folder.join(temporary),
            path: folder.join(name),
            replaces,
            lock: None,
        };
        vec![item(".a.AAAAAA.tmp", "a"), item(".b.BBBBBB.tmp", "b")]
    }

    fn old(folder: &Path) {
        fs::write(folder.join("a"), "old").unwrap();
        fs::create_dir(folder.join("b")).unwrap();
        fs::write(folder.join("b/x"), "old").unwrap();
    }

    fn expected(a: &str, b: &str) -> BTreeMap<String, String> {
        [("a", a), ("b", b)].map(|(name, text)| (name.to_owned(), text.to_owned())).into()
    }

    #[test]
    fn a_file_and_a_directory_replace_others_and_nothing_else_is_left() {
        let dir = tempfile::tempdir().unwrap();
        commit(&staged(dir.path(), false)).unwrap();
        assert_eq!(contents(dir.path()), expected("new", "/new"));
        let dir = tempfile::tempdir().unwrap();
        old(dir.path());
        commit(&staged(dir.path(), true)).unwrap();
        assert_eq!(contents(dir.path()), expected("new", "/new"));
    }

    #[test]
    fn what_appeared_meanwhile_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let staged = staged(dir.path(), false);
        old(dir.path());
        assert_eq!(commit(&staged).unwrap_err().source.kind(), ErrorKind::AlreadyExists);
        assert_eq!(contents(dir.path()), expected("old", "/old"));
    }

    #[test]
    fn a_journal_is_finished_wherever_its_process_was_killed() {
        for replaces in [false, true] {
            for n_renamed in 0..=2 {
                let dir = tempfile::tempdir().unwrap();
                if replaces {
                    old(dir.path());
                }
                let staged = staged(dir.path(), replaces);
                let renamings = renamings(&staged);
                let journal = Journal::create(&renamings).unwrap();
                name_all(&renamings[..n_renamed]).unwrap();
                drop(journal);
                let mut named = finish(dir.path());
                named.sort();
                assert_eq!(named, [dir.path().join("a"), dir.path().join("b")]);
                assert_eq!(contents(dir.path()), expected("new", "/new"), "{replaces} {n_renamed}");
                assert!(finish(dir.path()).is_empty());
            }
        }
    }

    #[test]
    fn what_others_made_after_the_journal_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        drop(Journal::create(&renamings(&staged(dir.path(), false))).unwrap());
        fs::write(dir.path().join("a"), "mine").unwrap();
        assert_eq!(finish(dir.path()), [dir.path().join("b")]);
        assert_eq!(contents(dir.path()), expected("mine", "/new"));
    }

    #[test]
    fn items_in_another_folder_are_found_again() {
        let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (mut items, mut others) = (staged(here.path(), false), staged(there.path(), false));
        items.truncate(1);
        items.push(others.pop().unwrap());
        drop(Journal::create(&renamings(&items)).unwrap());
        assert_eq!(finish(here.path()).len(), 2);
        assert!(there.path().join("b/x").exists() && here.path().join("a").exists());
    }

    #[test]
    fn a_journal_that_is_none_does_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let bytes = encode(&renamings(&staged(dir.path(), false))).unwrap();
        assert_eq!(decode(&bytes, dir.path()).unwrap().len(), 2);
        for at in 0..bytes.len() {
            assert_eq!(decode(&bytes[..at], dir.path()), None, "cut at {at}");
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert_eq!(decode(&damaged, dir.path()), None, "byte {at}");
        }
        for fields in [["", "../a", "AAAAAA", "keep", "0"], ["", "a", "x/y", "keep", "0"], ["", "a", "AAAAAA", "", "0"]]
        {
            assert_eq!(renaming(fields.map(str::as_bytes), dir.path()), None, "{fields:?}");
        }
    }
}
