//! The null models that are solved: in memory, and on disk in case the run is killed.
//!
//! A checkpoint is two lines: JSON (what it is of, and the rows), and the CRC-32 of that line in hexadecimal.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::cli::flags::{Force, Resume};
use crate::cli::output::Output;
use crate::cli::session;
use crate::null::Model;
use crate::spin::checkpoint::CheckpointError;
use crate::table::NullRow;

/// Time between two checkpoints.
const EVERY: Duration = Duration::from_secs(1);

/// Distribution and index: the order of the table.
type Key = (Option<String>, i64);

/// The rows of finished models, and where they are kept.
pub(super) struct Finished {
    path: PathBuf,
    search: String,
    rows: BTreeMap<Key, Vec<NullRow>>,
    last_save: Option<Instant>,
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Contents {
    search: String,
    rows: Vec<NullRow>,
}

impl Finished {
    /// What an earlier run has finished whose output and everything else that decides its rows, `search`, were the same.
    ///
    /// # Errors
    /// If there is a checkpoint and neither `--resume` nor `--force`, or it is not one of this search.
    pub fn begin(output: &Path, search: String, resume: Resume, force: Force) -> anyhow::Result<Self> {
        let path = session::checkpoint_path(output);
        session::remove_left_overs(&path);
        let found = path.exists();
        if found && !resume.resume && !force.force {
            bail!("{} holds an unfinished run; --resume continues it, --force starts again", path.display());
        }
        let mut finished = Self { path, search, rows: BTreeMap::new(), last_save: None };
        if found && resume.resume {
            let path = finished.path.display();
            let text = std::fs::read(&finished.path).with_context(|| format!("cannot read {path}"))?;
            let rows = decode(&text, &finished.search).with_context(|| path.to_string())?;
            rows.into_iter().for_each(|row| {
                finished.rows.entry((row.distribution.clone(), row.index)).or_default().push(row);
            });
        }
        Ok(finished)
    }

    /// Where the rows are kept.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Number of finished models.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Is this one finished?
    pub fn has(&self, model: Model) -> bool {
        self.rows.contains_key(&key(model))
    }

    /// It is to be solved again.
    pub fn forget(&mut self, model: Model) {
        self.rows.remove(&key(model));
    }

    /// Adds a finished model, and saves all of them if that has not been done in the last second.
    ///
    /// # Errors
    /// If they cannot be saved.
    pub fn add(&mut self, model: Model, rows: Vec<NullRow>) -> anyhow::Result<()> {
        self.rows.insert(key(model), rows);
        match self.last_save.is_none_or(|last| last.elapsed() >= EVERY) {
            true => self.save(),
            false => Ok(()),
        }
    }

    /// Saves, if anything is finished.
    ///
    /// # Errors
    /// If the storage fails.
    pub fn save(&mut self) -> anyhow::Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let contents = Contents { search: self.search.clone(), rows: self.rows.values().flatten().cloned().collect() };
        let json = serde_json::to_string(&contents)?;
        let mut out = Output::create(&self.path, Force { force: true })?;
        let written = writeln!(out, "{json}\n{:08x}", crc32fast::hash(json.as_bytes()));
        written.with_context(|| format!("cannot write {}", self.path.display()))?;
        out.commit()?;
        self.last_save = Some(Instant::now());
        Ok(())
    }

    /// All rows, by distribution, index and instance.
    pub fn rows(&self) -> impl Iterator<Item = &NullRow> {
        self.rows.values().flatten()
    }

    /// The table is written: the checkpoint is no longer needed.
    pub fn remove(self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

fn key(model: Model) -> Key {
    (model.kind.distribution().map(str::to_owned), i64::from(model.index))
}

fn decode(text: &[u8], search: &str) -> Result<Vec<NullRow>, CheckpointError> {
    let contents = || {
        let (json, checksum) = std::str::from_utf8(text).ok()?.strip_suffix('\n')?.split_once('\n')?;
        let intact = format!("{:08x}", crc32fast::hash(json.as_bytes())) == checksum;
        serde_json::from_str::<Contents>(json).ok().filter(|_| intact)
    };
    let found = contents().ok_or(CheckpointError::Damaged)?;
    match found.search == search {
        true => Ok(found.rows),
        false => Err(CheckpointError::Other { found: found.search, expected: search.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::null::Kind;

    const RESUME: Resume = Resume { resume: true };
    const NO: Force = Force { force: false };

    fn row(index: i64, instance: i64) -> NullRow {
        let energy = 0.1 + 0.2 * index as f64;
        NullRow { kind: "n1".into(), index, instance, energy, seed: u64::MAX, secs: Some(0.3), ..NullRow::default() }
    }

    fn begin(output: &Path, search: &str) -> anyhow::Result<Finished> {
        Finished::begin(output, search.into(), RESUME, NO)
    }

    #[test]
    fn rows_come_back_to_the_last_bit_and_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let output = dir.path().join("x.parquet");
        let mut finished = begin(&output, "a").unwrap();
        for index in [2, 0, 1] {
            let rows = (0..2).map(|instance| row(i64::from(index), instance)).collect();
            finished.add(Model { kind: Kind::N1, index }, rows).unwrap();
        }
        finished.save().unwrap();
        let again = begin(&output, "a").unwrap();
        let expected: Vec<_> = (0..3).flat_map(|index| (0..2).map(move |instance| row(index, instance))).collect();
        assert_eq!(again.rows().cloned().collect::<Vec<_>>(), expected);
        assert!(again.has(Model { kind: Kind::N1, index: 2 }) && !again.has(Model { kind: Kind::N1, index: 3 }));
        assert!(
            begin(&output, "b").err().unwrap().chain().any(|e| e.to_string().contains("made by another search (a)"))
        );
        again.remove();
        assert_eq!(begin(&output, "b").unwrap().len(), 0);
    }

    #[test]
    fn every_damaged_byte_and_every_cut_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let mut finished = begin(&dir.path().join("x"), "a").unwrap();
        finished.add(Model { kind: Kind::N1, index: 0 }, vec![row(0, 0)]).unwrap();
        let bytes = std::fs::read(finished.path()).unwrap();
        assert!(decode(&bytes, "a").is_ok());
        for at in 0..bytes.len() {
            assert!(decode(&bytes[..at], "a").is_err(), "cut at {at}");
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert!(decode(&damaged, "a").is_err(), "byte {at}");
        }
    }
}
