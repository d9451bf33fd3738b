//! Files mapped into memory: the only `unsafe` of the format.
//!
//! # File policy
//! A graph's files are written under a temporary directory beside the target, synced, made read-only, and become
//! visible by one rename of that directory, after the manifest, which is written last. They are never opened for
//! writing again: `--force` renames the old directory away and removes it, and a removed file stays readable to those
//! who have it mapped. What this cannot exclude is another program that truncates or rewrites a file in place: a read
//! beyond the new end then raises SIGBUS, and the README says so.
#![allow(unsafe_code)]

use std::fs::File;
use std::path::Path;

use memmap2::Mmap;

use super::error::Error;

/// Files up to this length are asked for ahead of their use; larger ones are streamed.
const KEEP_BYTES: usize = 1 << 30;

/// A mapped file.
#[derive(Debug)]
pub struct Map(Mmap);

impl AsRef<[u8]> for Map {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Maps a file of a graph directory.
pub(super) fn open(path: &Path) -> Result<Map, Error> {
    let read = |source| Error::Read { path: path.into(), source };
    let file = File::open(path).map_err(read)?;
    // SAFETY: `path` is listed in a committed manifest, so our writers no longer touch it (see "File policy" above).
    // A foreign process truncating it can still raise SIGBUS; the README says so.
    let map = unsafe { Mmap::map(&file) }.map_err(read)?;
    advise(&map);
    Ok(Map(map))
}

/// Tells the kernel how the file will be read. That it may not listen does not matter.
#[cfg(unix)]
fn advise(map: &Mmap) {
    let advice = match map.len() <= KEEP_BYTES {
        true => memmap2::Advice::WillNeed,
        false => memmap2::Advice::Sequential,
    };
    let _ = map.advise(advice);
}

#[cfg(not(unix))]
fn advise(_: &Mmap) {}
