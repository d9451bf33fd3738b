//! Files mapped into memory: the only `unsafe` of the format.
//!
//! # File policy
//! A graph's files are written under a temporary directory beside the target, synced, made read-only, and become
//! visible by one rename of that directory, after the manifest, which is written last. They are never opened for
//! writing again: `--force` renames the old directory away and removes it, and a removed file stays readable to those
//! who have it mapped. What this cannot exclude is another program that truncates or rewrites a file in place: a read
//! beyond the new end then raises SIGBUS, as docs/format.md says.
#![allow(unsafe_code)]

use std::ops::Range;
use std::path::Path;

use memmap2::Mmap;

use super::error::Error;
use crate::regular;

/// Files up to this length are asked for ahead of their use; larger ones are streamed.
const KEEP_BYTES: usize = 1 << 30;

/// A mapped file.
#[derive(Debug)]
pub struct Map(Mmap);

/// The contents of a file, in parts of which the system can be told what will be needed.
pub trait Bytes: AsRef<[u8]> + Sync {
    /// This range will be read soon.
    fn prefetch(&self, _: Range<usize>) {}
    /// This range will not be read soon: it need not stay in memory.
    fn release(&self, _: Range<usize>) {}
}

impl Bytes for Vec<u8> {}
impl Bytes for &[u8] {}

impl Bytes for Map {
    #[cfg(unix)]
    fn prefetch(&self, range: Range<usize>) {
        let _ = self.0.advise_range(memmap2::Advice::WillNeed, range.start, range.len());
    }

    #[cfg(target_os = "linux")]
    fn release(&self, range: Range<usize>) {
        // SAFETY: the map is shared and read-only, and its file does not change: pages that are given back come again
        // from the file, with the same bytes.
        let _ = unsafe { self.0.unchecked_advise_range(memmap2::UncheckedAdvice::DontNeed, range.start, range.len()) };
    }
}

impl AsRef<[u8]> for Map {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Maps a file of a graph directory.
pub(super) fn open(path: &Path) -> Result<Map, Error> {
    let read = |source| Error::Read { path: path.into(), source };
    let file = regular::open(path).map_err(read)?;
    // SAFETY: `path` is listed in a committed manifest, so our writers no longer touch it (see "File policy" above).
    // A foreign process truncating it can still raise SIGBUS: see docs/format.md.
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
