//! What a user reads: results on stdout, notes and the one error line on stderr.

use std::fmt;
use std::io::{ErrorKind, Write as _};

use super::flags::{ByteSize, Quiet};
use super::shown::{brief, shown};

/// The reader of stdout has gone away. Ends the command without an error message and with exit code 0.
#[derive(Debug, thiserror::Error)]
#[error("stdout is closed")]
pub(super) struct ClosedPipe;

/// Flags of a subcommand that cannot be combined, where their declaration cannot say so. Ends the command as wrong usage.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(super) struct Conflict {
    pub subcommand: &'static str,
    pub message: &'static str,
}

/// Writes one line of results to stdout. Finish output files first: a closed pipe ends the command here.
///
/// # Errors
/// If stdout cannot be written.
pub fn print(line: impl fmt::Display) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{}", shown(&line.to_string())).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(ClosedPipe.into()),
        done => Ok(anyhow::Context::context(done, "cannot write to stdout")?),
    }
}

/// Writes one line of explanation to stderr, unless `--quiet`.
pub fn note(quiet: Quiet, line: impl fmt::Display) {
    if !quiet.quiet {
        let _ = writeln!(std::io::stderr(), "pipeline: {}", shown(&brief(&line.to_string())));
    }
}

/// `peak memory 1.5 GiB`: the most that this process has had resident, `unknown` where the system does not tell.
pub fn peak_memory() -> String {
    resident().map_or("peak memory unknown".to_owned(), |most| format!("peak memory {most}"))
}

fn resident() -> Option<ByteSize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(ByteSize(kib * 1024))
}

/// An error and its causes on one line, outermost first. A cause that the message before it already quotes is left out.
pub fn chain(error: &anyhow::Error) -> String {
    let mut line = String::new();
    let mut last = String::new();
    for cause in error.chain() {
        let text = cause.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        if text.is_empty() || last.ends_with(&text) {
            continue;
        }
        if !line.is_empty() {
            line.push_str(": ");
        }
        line.push_str(&text);
        last = text;
    }
    shown(&brief(&line))
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::{Context as _, anyhow};

    #[test]
    fn causes_are_joined_once() {
        let error = Err::<(), _>(anyhow!("no such\nfile")).context("cannot read x: no such file").context("solve");
        assert_eq!(chain(&error.unwrap_err()), "solve: cannot read x: no such file");
    }
}
