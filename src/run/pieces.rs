//! A run over pieces of work that do not depend on each other.
//!
//! A checkpoint is two lines: JSON (the identity of the run as `search`, and its pieces as `parts`, each a pair of key
//! and rows), and the CRC-32 of that line in hexadecimal.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{CheckpointFile, Earlier, Error};
use crate::progress::Progress;
use crate::spin::checkpoint::CheckpointError;

/// Least time between two checkpoints.
const EVERY: Duration = Duration::from_secs(1);
/// Saving may take this share of the time at most.
const SHARE: u32 = 20;

/// How the work of a run is counted and called, for people.
pub struct Workload<R> {
    /// What is being done, as progress shows it: `solve null models`.
    pub task: &'static str,
    /// What is counted, in the singular: `null model`.
    pub unit: &'static str,
    /// How many there are in all.
    pub total: usize,
    /// How many of them the rows of a piece stand for.
    pub units: fn(&[R]) -> usize,
}

/// The finished pieces of a run, by a key whose order is that of the table, and where they are kept.
///
/// Threads may add pieces at the same time.
pub struct Run<'a, K, R> {
    file: CheckpointFile,
    identity: String,
    workload: Workload<R>,
    progress: &'a dyn Progress,
    finished: Mutex<Finished<K, R>>,
}

struct Finished<K, R> {
    pieces: BTreeMap<K, Vec<R>>,
    next_save: Option<Instant>,
}

impl<'a, K: Ord + Serialize + DeserializeOwned, R: Serialize + DeserializeOwned> Run<'a, K, R> {
    /// Begins a run, with what an earlier one has finished if `earlier` says so. `identity` is everything that decides
    /// the rows.
    ///
    /// # Errors
    /// If another run writes this output, there is a checkpoint that is in the way, or it is of a run with another
    /// identity.
    pub fn begin(
        (output, earlier): (&Path, Earlier),
        identity: String,
        workload: Workload<R>,
        progress: &'a dyn Progress,
    ) -> Result<Self, Error> {
        let (file, found) = CheckpointFile::claim(output, earlier)?;
        let pieces = found.map(|text| decode(&text, &identity)).transpose();
        let pieces = pieces.map_err(|source| Error::Checkpoint { path: file.path().to_owned(), source })?;
        let finished = Mutex::new(Finished { pieces: pieces.unwrap_or_default(), next_save: None });
        Ok(Self { file, identity, workload, progress, finished })
    }

    /// The pieces that are still to be computed.
    pub fn missing(&self, keys: impl IntoIterator<Item = K>) -> Vec<K> {
        let finished = self.finished();
        keys.into_iter().filter(|key| !finished.pieces.contains_key(key)).collect()
    }

    /// Whether a piece is finished.
    pub fn has(&self, key: &K) -> bool {
        self.finished().pieces.contains_key(key)
    }

    /// A finished piece is to be done again.
    pub fn forget(&self, key: &K) {
        self.finished().pieces.remove(key);
    }

    /// Tells progress what is being done and how much of it is finished: at the beginning, and when the run goes on
    /// after something else was shown.
    pub fn announce(&self) {
        self.progress.begin(self.workload.task, self.workload.total as u64);
        self.progress.advance(self.done() as u64);
    }

    /// Tells progress one short line about the current state.
    pub fn note(&self, line: &str) {
        self.progress.note(line);
    }

    /// Adds a finished piece, saves all of them unless that has been done a moment ago, and tells progress.
    ///
    /// # Errors
    /// If they cannot be saved.
    pub fn add(&self, key: K, rows: Vec<R>) -> Result<(), Error> {
        let units = (self.workload.units)(&rows) as u64;
        let mut finished = self.finished();
        finished.pieces.insert(key, rows);
        if finished.next_save.is_none_or(|next| Instant::now() >= next) {
            self.save(&mut finished)?;
        }
        drop(finished);
        self.progress.advance(units);
        Ok(())
    }

    /// Does the work that is missing, `work`, which [`add`](Self::add)s what it finishes. Whatever ends it, nothing
    /// that it has added is lost.
    ///
    /// # Errors
    /// Those of `work`, or if what it has added cannot be saved.
    pub fn complete<E: From<Error>>(&self, work: impl FnOnce() -> Result<(), E>) -> Result<(), E> {
        let done = work();
        self.progress.end();
        if done.is_err() {
            self.save(&mut self.finished())?;
        }
        done
    }

    /// What to say of a run that was stopped: how much is finished, and how to continue.
    pub fn interrupted(&self) -> Error {
        let Workload { unit, total: all, .. } = self.workload;
        match self.done() {
            0 => Error::NothingFinished { unit },
            done => Error::Interrupted { unit, done, all, path: self.file.path().to_owned() },
        }
    }

    /// Everything that is finished, and the checkpoint, which is to be removed when the table has its name.
    pub fn close(self) -> (BTreeMap<K, Vec<R>>, CheckpointFile) {
        let finished = self.finished.into_inner().expect("no thread panics while it holds the lock");
        (finished.pieces, self.file)
    }

    fn finished(&self) -> MutexGuard<'_, Finished<K, R>> {
        self.finished.lock().expect("no thread panics while it holds the lock")
    }

    /// Units that are finished.
    fn done(&self) -> usize {
        self.finished().pieces.values().map(|rows| (self.workload.units)(rows)).sum()
    }

    /// Saves, if anything is finished.
    fn save(&self, finished: &mut Finished<K, R>) -> Result<(), Error> {
        if finished.pieces.is_empty() {
            return Ok(());
        }
        let start = Instant::now();
        let failed = |source| self.file.failed("write", source);
        let saved = Saved { search: &self.identity, parts: finished.pieces.iter().collect() };
        let json = serde_json::to_string(&saved).map_err(|error| failed(error.into()))?;
        let checksum = crc32fast::hash(json.as_bytes());
        self.file.replace(|out| writeln!(out, "{json}\n{checksum:08x}").map_err(failed))?;
        finished.next_save = Some(Instant::now() + EVERY.max(start.elapsed() * SHARE));
        Ok(())
    }
}

#[derive(serde::Serialize)]
struct Saved<'a, K, R> {
    search: &'a str,
    parts: Vec<(&'a K, &'a Vec<R>)>,
}

#[derive(serde::Deserialize)]
struct Read<K, R> {
    search: String,
    parts: Vec<(K, Vec<R>)>,
}

/// The pieces of a checkpoint of a run with this identity.
fn decode<K: Ord + DeserializeOwned, R: DeserializeOwned>(
    text: &[u8],
    identity: &str,
) -> Result<BTreeMap<K, Vec<R>>, CheckpointError> {
    let read = || {
        let (json, checksum) = std::str::from_utf8(text).ok()?.strip_suffix('\n')?.split_once('\n')?;
        let is_intact = format!("{:08x}", crc32fast::hash(json.as_bytes())) == checksum;
        serde_json::from_str::<Read<K, R>>(json).ok().filter(|_| is_intact)
    };
    let read = read().ok_or(CheckpointError::Damaged)?;
    match read.search == identity {
        true => Ok(read.parts.into_iter().collect()),
        false => Err(CheckpointError::Other { found: read.search, expected: identity.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Silent;
    use crate::table::NullRow;

    fn row(index: i64, instance: i64) -> NullRow {
        let energy = 0.1 + 0.2 * index as f64;
        NullRow { kind: "n1".into(), index, instance, energy, seed: u64::MAX, secs: Some(0.3), ..NullRow::default() }
    }

    fn begin(output: &Path, identity: &str) -> Result<Run<'static, (u32, i64), NullRow>, Error> {
        let workload = Workload { task: "solve", unit: "null model", total: 3, units: |_| 1 };
        Run::begin((output, Earlier::Resume), identity.into(), workload, &Silent)
    }

    #[test]
    fn rows_come_back_to_the_last_bit_and_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let output = dir.path().join("x.parquet");
        let run = begin(&output, "a").unwrap();
        let add = |index| run.add((7, index), (0..2).map(|instance| row(index, instance)).collect());
        let stopped = run.complete(|| [2, 0, 1].into_iter().try_for_each(add).and(Err(run.interrupted())));
        assert!(stopped.unwrap_err().to_string().starts_with("interrupted; 3 of 3 null models are in "));
        let claimed = begin(&output, "a").err().unwrap().to_string();
        assert!(claimed.contains("x.parquet is being written by another run"));
        drop(run);
        let other = std::error::Error::source(&begin(&output, "b").err().unwrap()).unwrap().to_string();
        assert!(other.contains("made by another search (a)"), "{other}");
        let again = begin(&output, "a").unwrap();
        assert_eq!(again.missing((0..5).map(|index| (7, index))), [(7, 3), (7, 4)]);
        let (pieces, file) = again.close();
        let expected: Vec<_> = (0..3).flat_map(|index| (0..2).map(move |instance| row(index, instance))).collect();
        assert_eq!(pieces.into_values().flatten().collect::<Vec<_>>(), expected);
        file.remove();
        assert_eq!(begin(&output, "b").unwrap().done(), 0);
    }

    #[test]
    fn every_damaged_byte_and_every_cut_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let run = begin(&dir.path().join("x"), "a").unwrap();
        run.add((0, 0), vec![row(0, 0)]).unwrap();
        let bytes = std::fs::read(run.file.path()).unwrap();
        let is_intact = |bytes: &[u8]| decode::<(u32, i64), NullRow>(bytes, "a").is_ok();
        assert!(is_intact(&bytes));
        for at in 0..bytes.len() {
            assert!(!is_intact(&bytes[..at]), "cut at {at}");
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert!(!is_intact(&damaged), "byte {at}");
        }
    }
}
