//! How the library tells the outside that it is still working. The command line draws a bar; tests use [`Silent`].

/// Receives the progress of one long task at a time.
pub trait Progress: Sync {
    /// A task begins: what it is, and how many units it has; 0 if that is not known.
    fn begin(&self, task: &str, total: u64);
    /// That many more units are done.
    fn advance(&self, units: u64);
    /// One short line about the current state (best energy, throughput).
    fn note(&self, line: &str);
    /// The task is over.
    fn end(&self);
}

/// Says nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _: &str, _: u64) {}
    fn advance(&self, _: u64) {}
    fn note(&self, _: &str) {}
    fn end(&self) {}
}
