//! Files and directories that get their names together.
//!
//! Each is complete under its temporary name (see [`temporary`](crate::temporary)). A journal, `.NAME.journal` beside the
//! first of them, lists all; it appears by one rename, and from then on they count as named. A process that is killed before
//! has changed nothing; what one that is killed afterwards has not renamed yet, the next process that writes anything to
//! that folder renames first. A directory takes the place of another one in one step where the system can exchange names;
//! what it replaces then has the temporary name.
//!
//! A journal names nothing but temporary names and those that they are made from, so that one of unknown origin can do
//! nothing but that. Its owner holds a lock on it, as on temporary files.
//!
//! # Journal
//! Per item five fields, each followed by a zero byte: folder (empty for the journal's own), name, random characters of the
//! temporary name, `replace` or `keep`, inode of what is to have the name (0 where there are none). At the end the CRC-32 of
//! all that, eight hexadecimal digits.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use crate::temporary::{self, OLD, TEMPORARY, is_random};

/// What the name of a journal ends in.
const JOURNAL: &str = ".journal";
/// Journals are not longer.
const MOST_BYTES: u64 = 1 << 20;

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

/// What could not get its name.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}", path.display())]
pub(crate) struct Failed {
    pub path: PathBuf,
    #[source]
    pub source: io::Error,
}

/// Gives all of them their names, and makes those durable. On failure before the first has its name nothing is left of them.
///
/// # Errors
/// If something that may not be replaced has come into existence meanwhile, or the storage fails.
pub(crate) fn commit(staged: &[Staged]) -> Result<(), Failed> {
    let prepared = staged.iter().try_for_each(check);
    let needs_journal = staged.len() > 1 || staged.iter().any(|item| item.path.is_dir());
    let journal = prepared.and_then(|()| needs_journal.then(|| Journal::create(staged)).transpose());
    let journal = journal.inspect_err(|_| staged.iter().for_each(|item| remove(&item.temporary)))?;
    let items: Vec<_> = staged.iter().map(Item::of).collect();
    let named = name_all(&items);
    if let (Err(_), None) = (&named, &journal) {
        staged.iter().for_each(|item| remove(&item.temporary));
    }
    named?;
    if let Some(journal) = journal {
        journal.remove();
    }
    items.iter().for_each(|item| remove(&item.temporary()));
    Ok(())
}

/// Finishes what killed processes have begun to name in a folder; whatever cannot be finished stays as it is. Returns all
/// names that are now as those processes wanted them.
pub(crate) fn finish(folder: &Path) -> Vec<PathBuf> {
    let is_journal = |name: &OsStr| {
        let name = name.as_encoded_bytes();
        name.starts_with(b".") && name.ends_with(JOURNAL.as_bytes())
    };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let journals = entries.filter(|entry| is_journal(&entry.file_name()));
    let regular = journals.filter(|entry| entry.file_type().is_ok_and(|found| found.is_file()));
    regular.filter_map(|entry| finish_one(&entry.path())).flatten().collect()
}

fn finish_one(path: &Path) -> Option<Vec<PathBuf>> {
    let file = File::open(path).ok()?;
    // Its owner may be at work. Without locks it is taken to be dead.
    let _ = file.lock();
    if inode(path) != file.metadata().ok().and_then(|found| inode_of(&found)) {
        return None;
    }
    let mut bytes = Vec::new();
    (&file).take(MOST_BYTES).read_to_end(&mut bytes).ok()?;
    let items = decode(&bytes, parent(path))?;
    let named = items.iter().map(|item| name_all(std::slice::from_ref(item))).collect::<Vec<_>>();
    // What somebody else has made in the meantime stays.
    let is_settled = |done: &Result<(), Failed>| match done {
        Ok(()) => true,
        Err(failed) => failed.source.kind() == ErrorKind::AlreadyExists,
    };
    if !named.iter().all(is_settled) || fs::remove_file(path).is_err() {
        return None;
    }
    items.iter().for_each(|item| remove(&item.temporary()));
    Some(items.into_iter().zip(named).filter(|(_, done)| done.is_ok()).map(|(item, _)| item.path()).collect())
}

/// A journal that this process has written.
struct Journal {
    path: PathBuf,
    _lock: Option<File>,
}

impl Journal {
    fn create(staged: &[Staged]) -> Result<Self, Failed> {
        let first = &staged[0].path;
        let failed = |source| Failed { path: first.clone(), source };
        let folder = parent(first);
        let name: OsString =
            [OsStr::new("."), first.file_name().unwrap_or_default(), OsStr::new(JOURNAL)].into_iter().collect();
        let path = folder.join(&name);
        let bytes = encode(staged, folder).map_err(failed)?;
        for _ in 0..100 {
            // Finishes what others have begun here, too.
            let made = temporary::create(folder, &name, |builder| builder.tempfile_in(folder)).map_err(failed)?;
            let (mut file, lock) = (made.item, made.lock);
            file.write_all(&bytes).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
            match file.persist_noclobber(&path) {
                Ok(_) => {
                    let journal = Self { path, _lock: lock };
                    return match temporary::sync_folder(folder) {
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

/// One thing that a journal lists.
#[derive(Debug, PartialEq, Eq)]
struct Item {
    folder: PathBuf,
    name: OsString,
    random: String,
    replaces: bool,
    inode: u64,
}

impl Item {
    fn of(staged: &Staged) -> Self {
        let temporary = staged.temporary.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let random = temporary.strip_suffix(TEMPORARY).and_then(|rest| rest.rsplit('.').next());
        Self {
            folder: parent(&staged.path).into(),
            name: staged.path.file_name().unwrap_or_default().into(),
            random: random.unwrap_or_default().into(),
            replaces: staged.replaces,
            inode: inode(&staged.temporary).unwrap_or(0),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.join(&self.name)
    }

    /// `.NAME.XXXXXX<suffix>`
    fn hidden(&self, suffix: &str) -> PathBuf {
        let parts = [OsStr::new("."), &self.name, OsStr::new("."), OsStr::new(&self.random), OsStr::new(suffix)];
        self.folder.join(parts.into_iter().collect::<OsString>())
    }

    fn temporary(&self) -> PathBuf {
        self.hidden(TEMPORARY)
    }

    /// Renames it, unless that is done.
    fn give_name(&self) -> io::Result<()> {
        let (from, to) = (self.temporary(), self.path());
        let Ok(found) = fs::symlink_metadata(&from) else { return Ok(()) };
        let is_done = || self.inode != 0 && inode(&to) == Some(self.inode);
        match found.is_dir() {
            true if is_done() => Ok(()),
            true if self.replaces && to.is_dir() => exchange(&from, &to, &self.hidden(OLD)),
            false if self.replaces => fs::rename(&from, &to),
            _ => rename_to_nothing(&from, &to),
        }
    }
}

/// Renames everything that is not, and makes the names durable.
fn name_all(items: &[Item]) -> Result<(), Failed> {
    let failed = |item: &Item| {
        let path = item.path();
        move |source| Failed { path, source }
    };
    items.iter().try_for_each(|item| item.give_name().map_err(failed(item)))?;
    items.iter().try_for_each(|item| temporary::sync_folder(&item.folder).map_err(failed(item)))
}

/// That nothing has the name that may not be replaced.
fn check(staged: &Staged) -> Result<(), Failed> {
    match staged.replaces || fs::symlink_metadata(&staged.path).is_err() {
        true => Ok(()),
        false => Err(Failed { path: staged.path.clone(), source: ErrorKind::AlreadyExists.into() }),
    }
}

/// Exchanges two directories; where that is not possible the one at `to` goes to `aside` first.
fn exchange(from: &Path, to: &Path, aside: &Path) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        if renameat_with(CWD, from, CWD, to, RenameFlags::EXCHANGE).is_ok() {
            return Ok(());
        }
    }
    fs::rename(to, aside)?;
    if let Err(error) = fs::rename(from, to) {
        let _ = fs::rename(aside, to);
        return Err(error);
    }
    let _ = fs::remove_dir_all(aside);
    Ok(())
}

/// A rename that replaces nothing; where the system has none, what appears between two instructions is not noticed.
fn rename_to_nothing(from: &Path, to: &Path) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        use rustix::io::Errno;
        match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
            done => return Ok(done?),
        }
    }
    match fs::symlink_metadata(to) {
        Ok(_) => Err(ErrorKind::AlreadyExists.into()),
        Err(_) => fs::rename(from, to),
    }
}

/// Removes a file or directory that nobody needs; what cannot be removed is a left-over.
fn remove(path: &Path) {
    let _ = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(_) => Ok(()),
    };
}

fn encode(staged: &[Staged], folder: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let own = fs::canonicalize(folder)?;
    for item in staged.iter().map(Item::of) {
        let folder = Some(fs::canonicalize(&item.folder)?).filter(|folder| *folder != own).unwrap_or_default();
        let (replaces, inode) = (if item.replaces { "replace" } else { "keep" }, item.inode.to_string());
        for field in
            [folder.as_os_str(), &item.name, OsStr::new(&item.random), OsStr::new(replaces), OsStr::new(&inode)]
        {
            bytes.extend_from_slice(field.as_encoded_bytes());
            bytes.push(0);
        }
    }
    let checksum = format!("{:08x}", crc32fast::hash(&bytes));
    bytes.extend_from_slice(checksum.as_bytes());
    Ok(bytes)
}

/// The items of a journal in `own`, or nothing if it is none.
fn decode(bytes: &[u8], own: &Path) -> Option<Vec<Item>> {
    let (body, checksum) = bytes.split_last_chunk::<8>()?;
    if format!("{:08x}", crc32fast::hash(body)).as_bytes() != checksum {
        return None;
    }
    let fields: Vec<_> = body.strip_suffix(&[0])?.split(|&byte| byte == 0).collect();
    let (items, rest) = fields.as_chunks::<5>();
    items.iter().map(|fields| item(*fields, own)).collect::<Option<Vec<_>>>().filter(|_| rest.is_empty())
}

fn item([folder, name, random, replaces, inode]: [&[u8]; 5], own: &Path) -> Option<Item> {
    let name = os_string(name)?;
    let is_name = Path::new(&name).file_name() == Some(&name);
    let text = |bytes| std::str::from_utf8(bytes).ok();
    let item = Item {
        folder: if folder.is_empty() { own.into() } else { os_string(folder)?.into() },
        name,
        random: text(random)?.to_owned(),
        replaces: match replaces {
            b"replace" => true,
            b"keep" => false,
            _ => return None,
        },
        inode: text(inode)?.parse().ok()?,
    };
    (is_name && is_random(item.random.as_bytes())).then_some(item)
}

#[cfg(unix)]
fn os_string(bytes: &[u8]) -> Option<OsString> {
    Some(std::os::unix::ffi::OsStringExt::from_vec(bytes.to_vec()))
}

#[cfg(not(unix))]
fn os_string(bytes: &[u8]) -> Option<OsString> {
    std::str::from_utf8(bytes).ok().map(OsString::from)
}

fn inode(path: &Path) -> Option<u64> {
    fs::symlink_metadata(path).ok().and_then(|found| inode_of(&found))
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems have none")]
fn inode_of(found: &fs::Metadata) -> Option<u64> {
    Some(std::os::unix::fs::MetadataExt::ino(found))
}

#[cfg(not(unix))]
fn inode_of(_: &fs::Metadata) -> Option<u64> {
    None
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

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
                let journal = Journal::create(&staged).unwrap();
                let items: Vec<_> = staged.iter().map(Item::of).collect();
                name_all(&items[..n_renamed]).unwrap();
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
        drop(Journal::create(&staged(dir.path(), false)).unwrap());
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
        drop(Journal::create(&items).unwrap());
        assert_eq!(finish(here.path()).len(), 2);
        assert!(there.path().join("b/x").exists() && here.path().join("a").exists());
    }

    #[test]
    fn a_journal_that_is_none_does_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let bytes = encode(&staged(dir.path(), false), dir.path()).unwrap();
        assert_eq!(decode(&bytes, dir.path()).unwrap().len(), 2);
        for at in 0..bytes.len() {
            assert_eq!(decode(&bytes[..at], dir.path()), None, "cut at {at}");
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert_eq!(decode(&damaged, dir.path()), None, "byte {at}");
        }
        for fields in [["", "../a", "AAAAAA", "keep", "0"], ["", "a", "x/y", "keep", "0"], ["", "a", "AAAAAA", "", "0"]]
        {
            assert_eq!(item(fields.map(str::as_bytes), dir.path()), None, "{fields:?}");
        }
    }
}
