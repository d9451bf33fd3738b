//! A flag that ends a run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::progress::Progress;
use crate::spin::{Control, Pulse};

/// Whether a run is to end. Clones are the same flag.
///
/// As the [`Control`] of a search it stops that, and shows and saves nothing: for one of many graphs that are pieces of
/// a [`Run`](super::Run).
#[derive(Clone, Debug, Default)]
pub struct StopFlag(Arc<AtomicBool>);

impl StopFlag {
    /// Asks for the end.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether somebody has asked for the end.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// The flag itself, for handlers of signals.
    pub fn shared(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }
}

impl Progress for StopFlag {}

impl Control for StopFlag {
    fn pulse(&self) -> Pulse {
        match self.is_set() {
            true => Pulse::Stop,
            false => Pulse::Continue,
        }
    }
}
