//! Progress bars on stderr.

use std::fmt::Write;
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
    Box::new(Bar(bar))
}

struct Bar(ProgressBar);

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
        self.0.reset();
        self.0.set_style(style);
        self.0.set_length(total);
        self.0.set_prefix(shown(task));
        self.0.set_message("");
        self.0.enable_steady_tick(Duration::from_millis(200));
    }

    fn advance(&self, units: u64) {
        self.0.inc(units);
    }

    fn note(&self, line: &str) {
        self.0.set_message(shown(line));
    }

    fn end(&self) {
        self.0.disable_steady_tick();
        self.0.finish_and_clear();
    }
}

impl Drop for Bar {
    /// An error leaves no half-drawn bar in front of its message.
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_lives_through_two_tasks() {
        let bar = bar(false);
        for (task, total) in [("first", 2), ("second", 0)] {
            bar.begin(task, total);
            bar.advance(total);
            bar.note("half way");
            bar.end();
        }
    }
}
