//! How the library tells the outside that it is still working. The command line draws a bar; tests use [`Silent`].

/// Receives the progress of one long task at a time; what it does not ask for it need not write.
pub trait Progress: Sync {
    /// A task begins: what it is, and how many units it has; 0 if that is not known.
    fn begin(&self, _task: &str, _total: u64) {}
    /// That many more units are done.
    fn advance(&self, _units: u64) {}
    /// One short line about the current state (best energy, throughput).
    fn note(&self, _line: &str) {}
    /// The task is over.
    fn end(&self) {}
}

/// Says nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {}
