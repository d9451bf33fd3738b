//! The list of what is about to get its name, so that the next process can finish what a killed one has begun.
//!
//! A journal names nothing but temporary names and those that they are made from: one of unknown origin can do nothing but
//! rename `.NAME.XXXXXX.tmp` to `NAME`. Its owner holds a lock on it, as on temporary files.
//!
//! # Contents
//! For each of them five fields, each followed by a zero byte: folder (empty for the journal's own), name, random characters
//! of the temporary name, `replace` or `keep`, inode of what is to have the name (0 where there are none). At the end the
//! CRC-32 of all that, eight hexadecimal digits.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use super::names::{OLD, TEMPORARY, is_random, parent, sync_folder};
use super::rename::{exchange, inode, inode_of, remove, rename_to_nothing};

/// What the name of a journal ends in.
pub(super) const JOURNAL: &str = ".journal";
/// Journals are not longer.
const MOST_BYTES: u64 = 1 << 20;

/// What could not get its name.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}", path.display())]
pub(crate) struct Failed {
    pub path: PathBuf,
    #[source]
    pub source: io::Error,
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
    let renamings = decode(&bytes, parent(path))?;
    let named = renamings.iter().map(|renaming| name_all(std::slice::from_ref(renaming))).collect::<Vec<_>>();
    // What somebody else has made in the meantime stays.
    let is_settled = |done: &Result<(), Failed>| match done {
        Ok(()) => true,
        Err(failed) => failed.source.kind() == ErrorKind::AlreadyExists,
    };
    if !named.iter().all(is_settled) || fs::remove_file(path).is_err() {
        return None;
    }
    renamings.iter().for_each(|renaming| remove(&renaming.temporary()));
    Some(
        renamings
            .into_iter()
            .zip(named)
            .filter(|(_, done)| done.is_ok())
            .map(|(renaming, _)| renaming.path())
            .collect(),
    )
}

/// What a journal lists: something that is to get its name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Renaming {
    /// Where it is, under its temporary name and under the one that it is to have.
    pub folder: PathBuf,
    /// The name that it is to have.
    pub name: OsString,
    /// The random characters of the temporary name.
    pub random: String,
    /// Whether something else may have the name.
    pub replaces: bool,
    /// Tells it from anything else that has the name; 0 where files have none.
    pub inode: u64,
}

impl Renaming {
    pub(super) fn path(&self) -> PathBuf {
        self.folder.join(&self.name)
    }

    /// `.NAME.XXXXXX<suffix>`
    fn hidden(&self, suffix: &str) -> PathBuf {
        let parts = [OsStr::new("."), &self.name, OsStr::new("."), OsStr::new(&self.random), OsStr::new(suffix)];
        self.folder.join(parts.into_iter().collect::<OsString>())
    }

    pub(super) fn temporary(&self) -> PathBuf {
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
pub(super) fn name_all(renamings: &[Renaming]) -> Result<(), Failed> {
    let failed = |renaming: &Renaming| {
        let path = renaming.path();
        move |source| Failed { path, source }
    };
    renamings.iter().try_for_each(|renaming| renaming.give_name().map_err(failed(renaming)))?;
    renamings.iter().try_for_each(|renaming| sync_folder(&renaming.folder).map_err(failed(renaming)))
}

/// The bytes of a journal in the folder of the first of them.
pub(super) fn encode(renamings: &[Renaming]) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let own = fs::canonicalize(&renamings[0].folder)?;
    for renaming in renamings {
        let folder = Some(fs::canonicalize(&renaming.folder)?).filter(|folder| *folder != own).unwrap_or_default();
        let Renaming { name, random, replaces, inode, .. } = renaming;
        let (replaces, inode) = (if *replaces { "replace" } else { "keep" }, inode.to_string());
        for field in [folder.as_os_str(), name, OsStr::new(random), OsStr::new(replaces), OsStr::new(&inode)] {
            bytes.extend_from_slice(field.as_encoded_bytes());
            bytes.push(0);
        }
    }
    let checksum = format!("{:08x}", crc32fast::hash(&bytes));
    bytes.extend_from_slice(checksum.as_bytes());
    Ok(bytes)
}

/// What a journal in `own` lists, or nothing if it is none.
pub(super) fn decode(bytes: &[u8], own: &Path) -> Option<Vec<Renaming>> {
    let (body, checksum) = bytes.split_last_chunk::<8>()?;
    if format!("{:08x}", crc32fast::hash(body)).as_bytes() != checksum {
        return None;
    }
    let fields: Vec<_> = body.strip_suffix(&[0])?.split(|&byte| byte == 0).collect();
    let (renamings, rest) = fields.as_chunks::<5>();
    renamings.iter().map(|fields| renaming(*fields, own)).collect::<Option<Vec<_>>>().filter(|_| rest.is_empty())
}

pub(super) fn renaming([folder, name, random, replaces, inode]: [&[u8]; 5], own: &Path) -> Option<Renaming> {
    let name = os_string(name)?;
    let is_name = Path::new(&name).file_name() == Some(&name);
    let text = |bytes| std::str::from_utf8(bytes).ok();
    let renaming = Renaming {
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
    (is_name && is_random(renaming.random.as_bytes())).then_some(renaming)
}

#[cfg(unix)]
fn os_string(bytes: &[u8]) -> Option<OsString> {
    Some(std::os::unix::ffi::OsStringExt::from_vec(bytes.to_vec()))
}

#[cfg(not(unix))]
fn os_string(bytes: &[u8]) -> Option<OsString> {
    std::str::from_utf8(bytes).ok().map(OsString::from)
}
