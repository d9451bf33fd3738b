//! A search that survives: progress, checkpoints in time, a clean end on SIGINT, SIGTERM and SIGHUP.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

use super::flags::Force;
use super::long_run::{LongRun, Place};
use super::output::Output;
use crate::perturb;
use crate::progress::Progress;
use crate::spin::{self, Checkpoint, Control, Plan, Pulse, checkpoint};

/// What a session is of, and when it saves.
pub struct Setup<'a> {
    /// The table that the search will write; its checkpoint is `<output>.checkpoint`.
    pub output: &'a Path,
    /// Fingerprint and number of nodes of the graph.
    pub graph: (String, u32),
    /// The search.
    pub plan: Plan,
    /// Time between two checkpoints.
    pub every: Duration,
    /// What to do if there is a checkpoint, and whether to show progress.
    pub run: &'a LongRun,
}

/// Implements [`Control`] for the command line.
pub struct Session {
    bar: Box<dyn Progress>,
    place: Place,
    graph: String,
    plan: Plan,
    every: Duration,
    last_save: Mutex<Instant>,
    saved: Mutex<Option<Checkpoint<'static>>>,
    stop: Arc<AtomicBool>,
}

impl Session {
    /// Reads the checkpoint, if any, and starts to listen for signals.
    ///
    /// # Errors
    /// If another run writes this output, there is a checkpoint and neither `--resume` nor `--force`, or it is not one of
    /// this search.
    pub fn begin(setup: Setup<'_>) -> anyhow::Result<Self> {
        let Setup { output, graph: (graph, n_nodes), plan, every, run } = setup;
        let (place, found) = run.checkpoint(output)?;
        let saved = found.map(|bytes| checkpoint::decode(&bytes, &graph, &plan, n_nodes)).transpose();
        let saved = saved.with_context(|| place.path.display().to_string())?;
        let stop = stop_on_signals()?;
        let bar = super::progress::bar(run.quiet.quiet);
        let (last_save, saved) = (Mutex::new(Instant::now()), Mutex::new(saved));
        Ok(Self { bar, place, graph, plan, every, last_save, saved, stop })
    }

    /// Where the state is kept.
    pub fn path(&self) -> &Path {
        &self.place.path
    }

    /// The search is complete and its tables are written: the checkpoint is no longer needed.
    pub fn finish(self) {
        let _ = std::fs::remove_file(&self.place.path);
    }
}

/// What SIGINT, SIGTERM and SIGHUP set. A second signal ends the process at once.
///
/// # Errors
/// If the system refuses.
pub(super) fn stop_on_signals() -> anyhow::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        flag::register_conditional_shutdown(signal, 1, Arc::clone(&stop))?;
        flag::register(signal, Arc::clone(&stop))?;
    }
    Ok(stop)
}

/// A file that outgrows its limit (`ulimit -f`) is then an error of its writer, as a full disk is, and not the end of the
/// process.
pub(super) fn ignore_file_size_signal() {
    #[cfg(unix)]
    let _ = flag::register(signal_hook::consts::SIGXFSZ, Arc::new(AtomicBool::new(false)));
}

/// Whether an error says that a run was stopped by them.
pub(super) fn is_interruption(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(spin::Error::Interrupted))
        || matches!(error.downcast_ref(), Some(perturb::Error::Interrupted))
}

impl Progress for Session {
    fn begin(&self, task: &str, total: u64) {
        self.bar.begin(task, total);
    }
    fn advance(&self, units: u64) {
        self.bar.advance(units);
    }
    fn note(&self, line: &str) {
        self.bar.note(line);
    }
    fn end(&self) {
        self.bar.end();
    }
}

impl Control for Session {
    fn saved(&self) -> Option<Checkpoint<'static>> {
        self.saved.lock().expect("no thread panics while it holds the lock").take()
    }

    fn pulse(&self) -> Pulse {
        if self.stop.load(Ordering::Relaxed) {
            return Pulse::Stop;
        }
        let mut last = self.last_save.lock().expect("no thread panics while it holds the lock");
        if last.elapsed() < self.every {
            return Pulse::Continue;
        }
        *last = Instant::now();
        Pulse::Save
    }

    fn save(&self, checkpoint: &Checkpoint<'_>) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let write = || {
            let mut out = Output::create(&self.place.path, Force { force: true })?;
            checkpoint::encode(checkpoint, &self.graph, &self.plan, &mut out)?;
            out.commit()
        };
        write().map_err(Into::into)
    }
}

/// Watches for signals while one of many graphs is solved; shows and saves nothing.
pub(super) struct Watch<'a>(pub &'a AtomicBool);

impl Progress for Watch<'_> {
    fn begin(&self, _: &str, _: u64) {}
    fn advance(&self, _: u64) {}
    fn note(&self, _: &str) {}
    fn end(&self) {}
}

impl Control for Watch<'_> {
    fn pulse(&self) -> Pulse {
        match self.0.load(Ordering::Relaxed) {
            true => Pulse::Stop,
            false => Pulse::Continue,
        }
    }
}
