//! Finished parts of a long run: in memory, and on disk in case the run is killed.
//!
//! A checkpoint is two lines: JSON (what it is of, and the parts), and the CRC-32 of that line in hexadecimal.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::flags::Force;
use super::long_run::{LongRun, Place};
use super::output::Output;
use super::session;
use crate::spin::checkpoint::CheckpointError;

/// Least time between two checkpoints.
const EVERY: Duration = Duration::from_secs(1);
/// Saving may take this share of the time at most.
const SHARE: u32 = 20;

/// What is known of each finished part, by a key whose order is that of the table, and where it is kept.
pub struct Finished<K, R> {
    place: Place,
    search: String,
    parts: BTreeMap<K, Vec<R>>,
    next_save: Option<Instant>,
}

#[derive(serde::Serialize)]
struct Contents<'a, K, R> {
    search: &'a str,
    parts: Vec<(&'a K, &'a Vec<R>)>,
}

#[derive(serde::Deserialize)]
struct Found<K, R> {
    search: String,
    parts: Vec<(K, Vec<R>)>,
}

impl<K: Ord + Serialize + DeserializeOwned, R: Serialize + DeserializeOwned> Finished<K, R> {
    /// What an earlier run has finished whose output and everything else that decides its rows, `search`, were the same.
    ///
    /// # Errors
    /// If another run writes this output, there is a checkpoint and neither `--resume` nor `--force`, or it is not one of
    /// this search.
    pub fn begin(output: &Path, search: String, run: &LongRun) -> anyhow::Result<Self> {
        let (place, found) = run.checkpoint(output)?;
        let parts = found.map(|text| decode(&text, &search)).transpose();
        let parts = parts.with_context(|| place.path.display().to_string())?.unwrap_or_default();
        Ok(Self { place, search, parts, next_save: None })
    }

    /// Number of finished parts.
    pub fn len(&self) -> usize {
        self.parts.len()
    }

    /// Is this one finished?
    pub fn has(&self, key: &K) -> bool {
        self.parts.contains_key(key)
    }

    /// It is to be done again.
    pub fn forget(&mut self, key: &K) {
        self.parts.remove(key);
    }

    /// Adds a finished part, and saves all of them unless that has been done a moment ago.
    ///
    /// # Errors
    /// If they cannot be saved.
    pub fn add(&mut self, key: K, part: Vec<R>) -> anyhow::Result<()> {
        self.parts.insert(key, part);
        match self.next_save.is_none_or(|next| Instant::now() >= next) {
            true => self.save(),
            false => Ok(()),
        }
    }

    /// Saves, if anything is finished.
    ///
    /// # Errors
    /// If the storage fails.
    pub fn save(&mut self) -> anyhow::Result<()> {
        if self.parts.is_empty() {
            return Ok(());
        }
        let start = Instant::now();
        let json = serde_json::to_string(&Contents { search: &self.search, parts: self.parts.iter().collect() })?;
        let mut out = Output::create(&self.place.path, Force { force: true })?;
        let written = writeln!(out, "{json}\n{:08x}", crc32fast::hash(json.as_bytes()));
        written.with_context(|| format!("cannot write {}", self.place.path.display()))?;
        out.commit()?;
        self.next_save = Some(Instant::now() + EVERY.max(start.elapsed() * SHARE));
        Ok(())
    }

    /// An interruption says how many things of all are finished, and how to continue; every other error stays as it is.
    pub fn explained(&self, error: anyhow::Error, thing: &str, done: usize, all: usize) -> anyhow::Error {
        let path = self.place.path.display();
        match session::is_interruption(&error) {
            false => error,
            true if done == 0 => anyhow!("interrupted before any {thing} was finished"),
            true => anyhow!("interrupted; {done} of {all} {thing}s are in {path}, --resume continues with the others"),
        }
    }

    /// All parts, by key.
    pub fn parts(&self) -> impl Iterator<Item = (&K, &Vec<R>)> {
        self.parts.iter()
    }

    /// The rows of all parts, by key.
    pub fn rows(&self) -> impl Iterator<Item = &R> {
        self.parts.values().flatten()
    }

    /// The table is written: the checkpoint is no longer needed.
    pub fn remove(self) {
        let _ = std::fs::remove_file(&self.place.path);
    }
}

fn decode<K: Ord + DeserializeOwned, R: DeserializeOwned>(
    text: &[u8],
    search: &str,
) -> Result<BTreeMap<K, Vec<R>>, CheckpointError> {
    let contents = || {
        let (json, checksum) = std::str::from_utf8(text).ok()?.strip_suffix('\n')?.split_once('\n')?;
        let intact = format!("{:08x}", crc32fast::hash(json.as_bytes())) == checksum;
        serde_json::from_str::<Found<K, R>>(json).ok().filter(|_| intact)
    };
    let found = contents().ok_or(CheckpointError::Damaged)?;
    match found.search == search {
        true => Ok(found.parts.into_iter().collect()),
        false => Err(CheckpointError::Other { found: found.search, expected: search.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::NullRow;

    fn row(index: i64, instance: i64) -> NullRow {
        let energy = 0.1 + 0.2 * index as f64;
        NullRow { kind: "n1".into(), index, instance, energy, seed: u64::MAX, secs: Some(0.3), ..NullRow::default() }
    }

    fn begin(output: &Path, search: &str) -> anyhow::Result<Finished<(u32, i64), NullRow>> {
        Finished::begin(output, search.into(), &LongRun { resume: true, ..LongRun::default() })
    }

    #[test]
    fn rows_come_back_to_the_last_bit_and_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let output = dir.path().join("x.parquet");
        let mut finished = begin(&output, "a").unwrap();
        for index in [2, 0, 1] {
            finished.add((7, index), (0..2).map(|instance| row(index, instance)).collect()).unwrap();
        }
        finished.save().unwrap();
        let message = |error: anyhow::Error| format!("{error:#}");
        assert!(message(begin(&output, "a").err().unwrap()).contains("x.parquet is being written by another run"));
        drop(finished);
        assert!(message(begin(&output, "b").err().unwrap()).contains("made by another search (a)"));
        let again = begin(&output, "a").unwrap();
        let expected: Vec<_> = (0..3).flat_map(|index| (0..2).map(move |instance| row(index, instance))).collect();
        assert_eq!(again.rows().cloned().collect::<Vec<_>>(), expected);
        assert!(again.has(&(7, 2)) && !again.has(&(7, 3)));
        again.remove();
        assert_eq!(begin(&output, "b").unwrap().len(), 0);
    }

    #[test]
    fn every_damaged_byte_and_every_cut_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let mut finished = begin(&dir.path().join("x"), "a").unwrap();
        finished.add((0, 0), vec![row(0, 0)]).unwrap();
        let bytes = std::fs::read(&finished.place.path).unwrap();
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
