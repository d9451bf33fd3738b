//! Signals: SIGINT, SIGTERM and SIGHUP end a run in good order, and a file that outgrows its limit is no end at all.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

use crate::run::StopFlag;

/// What SIGINT, SIGTERM and SIGHUP set. A second signal ends the process at once.
///
/// # Errors
/// If the system refuses.
pub(super) fn stop_on_signals() -> anyhow::Result<StopFlag> {
    let stop = StopFlag::default();
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        flag::register_conditional_shutdown(signal, 1, stop.shared())?;
        flag::register(signal, stop.shared())?;
    }
    Ok(stop)
}

/// A file that outgrows its limit (`ulimit -f`) is then an error of its writer, as a full disk is, and not the end of the
/// process.
pub(super) fn ignore_file_size_signal() {
    #[cfg(unix)]
    let _ = flag::register(signal_hook::consts::SIGXFSZ, Arc::new(AtomicBool::new(false)));
}
