//! Progress bars on stderr.

use std::fmt::Write;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::shown::shown;
use crate::progress::Progress;

/// A bar on stderr: task, share done, rate and time left. Hidden if `quiet`, or when stderr is no terminal.
pub fn bar(quiet: bool) -> Box<dyn Progress> {
    if quiet {
        return Box::new(crate::progress::Silent);
    }
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
    Box::new(Bar { bar, ticker: Mutex::new(None) })
}

struct Bar {
    bar: ProgressBar,
    /// Dropping it ends the thread that draws the bar while nothing advances it.
    ticker: Mutex<Option<Sender<()>>>,
}

/// Time between two drawings.
const TICK: Duration = Duration::from_millis(200);

impl Bar {
    /// Starts to draw, if anybody sees it; where the system refuses a thread the bar is drawn when it advances.
    fn tick(&self) {
        let (ticker, ended) = mpsc::channel();
        let bar = self.bar.clone();
        let draw = move || {
            while ended.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) && !bar.is_finished() {
                bar.tick();
            }
        };
        let is_seen = !self.bar.is_hidden();
        let started = is_seen.then(|| std::thread::Builder::new().spawn(draw).ok()).flatten();
        *self.ticker() = started.map(|_| ticker);
    }

    fn ticker(&self) -> MutexGuard<'_, Option<Sender<()>>> {
        self.ticker.lock().expect("no thread panics while it holds the lock")
    }
}

/// `{prefix}` is the task, `{msg}` the latest note.
const TEMPLATE: &str = "{prefix} {bar:30} {human_pos}/{human_len} {rate}, {eta} left  {wide_msg}";

/// Of a task whose length is not known.
const UNKNOWN: &str = "{prefix} {spinner} {elapsed}  {wide_msg}";

impl Progress for Bar {
    fn begin(&self, task: &str, total: u64) {
        let template = if total == 0 { UNKNOWN } else { TEMPLATE };
        let style = ProgressStyle::with_template(template).expect("the template is a constant that a test parses");
        let style = style.with_key("rate", |state: &ProgressState, out: &mut dyn Write| {
            let _ = write!(out, "{}/s", HumanCount(state.per_sec() as u64));
        });
        self.bar.reset();
        self.bar.set_style(style);
        self.bar.set_length(total);
        self.bar.set_prefix(shown(task));
        self.bar.set_message("");
        self.tick();
    }

    fn advance(&self, units: u64) {
        self.bar.inc(units);
    }

    fn note(&self, line: &str) {
        self.bar.set_message(shown(line));
    }

    fn end(&self) {
        *self.ticker() = None;
        self.bar.finish_and_clear();
    }
}

impl Drop for Bar {
    /// An error leaves no half-drawn bar in front of its message.
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_begins_anew_with_each_task_and_is_gone_after_it() {
        let drawn = Bar { bar: ProgressBar::hidden(), ticker: Mutex::new(None) };
        let bar = &drawn.bar;
        let shown = || (bar.prefix(), bar.message(), bar.position(), bar.length(), bar.is_finished());
        for (task, total) in [("first", 2), ("second", 0)] {
            drawn.begin(task, total);
            assert_eq!(shown(), (task.into(), String::new(), 0, Some(total), false));
            drawn.advance(total);
            drawn.note("half way");
            assert_eq!(shown(), (task.into(), "half way".into(), total, Some(total), false));
            drawn.end();
            assert!(bar.is_finished());
        }
    }
}
