//! One search of the solver as a run: progress, a checkpoint in time, a clean end.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use super::{CheckpointFile, Earlier, Error, StopFlag};
use crate::progress::Progress;
use crate::spin::{Checkpoint, Control, Plan, Pulse, checkpoint};

/// What a session is of, and when it saves.
pub struct Setup<'a> {
    /// The table that the search will write; its checkpoint is `<output>.checkpoint`.
    pub output: &'a Path,
    /// What becomes of the checkpoint of an earlier run.
    pub earlier: Earlier,
    /// Fingerprint and number of nodes of the graph.
    pub graph: (String, u32),
    /// The search.
    pub plan: Plan,
    /// Time between two checkpoints.
    pub every: Duration,
    /// Ends the search.
    pub stop: StopFlag,
    /// Who hears of the search.
    pub progress: &'a dyn Progress,
}

/// The [`Control`] of a search that is saved in time: it begins where an earlier one ended, and can be stopped.
pub struct Session<'a> {
    setup: Setup<'a>,
    file: CheckpointFile,
    last_save: Mutex<Instant>,
    saved: Mutex<Option<Checkpoint<'static>>>,
}

impl<'a> Session<'a> {
    /// Reads the checkpoint, if the search is to go on from one.
    ///
    /// # Errors
    /// If another run writes this output, there is a checkpoint that is in the way, or it is not one of this search.
    pub fn begin(setup: Setup<'a>) -> Result<Self, Error> {
        let (file, found) = CheckpointFile::claim(setup.output, setup.earlier)?;
        let (graph, n_nodes) = &setup.graph;
        let saved = found.map(|bytes| checkpoint::decode(&bytes, graph, &setup.plan, *n_nodes)).transpose();
        let saved = saved.map_err(|source| Error::Checkpoint { path: file.path().to_owned(), source })?;
        let (last_save, saved) = (Mutex::new(Instant::now()), Mutex::new(saved));
        Ok(Self { setup, file, last_save, saved })
    }

    /// What to say of a search that was stopped.
    pub fn interrupted(&self) -> Error {
        Error::SearchInterrupted { path: PathBuf::from(self.file.path()) }
    }

    /// The search is complete and its tables are written: the checkpoint is no longer needed.
    pub fn finish(self) {
        self.file.remove();
    }
}

impl Progress for Session<'_> {
    fn begin(&self, task: &str, total: u64) {
        self.setup.progress.begin(task, total);
    }
    fn advance(&self, units: u64) {
        self.setup.progress.advance(units);
    }
    fn note(&self, line: &str) {
        self.setup.progress.note(line);
    }
    fn end(&self) {
        self.setup.progress.end();
    }
}

impl Control for Session<'_> {
    fn saved(&self) -> Option<Checkpoint<'static>> {
        locked(&self.saved).take()
    }

    fn pulse(&self) -> Pulse {
        if self.setup.stop.is_set() {
            return Pulse::Stop;
        }
        let mut last = locked(&self.last_save);
        if last.elapsed() < self.setup.every {
            return Pulse::Continue;
        }
        *last = Instant::now();
        Pulse::Save
    }

    fn save(&self, checkpoint: &Checkpoint<'_>) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        self.file.replace(|out| Ok(checkpoint::encode(checkpoint, &self.setup.graph.0, &self.setup.plan, out)?))
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no thread panics while it holds the lock")
}
