//! A disk that is full.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Writes until as many bytes as are left, which several writers may share, have been written.
pub(crate) struct Limited<W> {
    pub left: Arc<AtomicUsize>,
    pub inner: W,
}

impl<W: Write> Write for Limited<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = bytes.len().min(self.left.load(Ordering::Relaxed));
        if n == 0 && !bytes.is_empty() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.left.fetch_sub(n, Ordering::Relaxed);
        self.inner.write(&bytes[..n])
    }
    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
