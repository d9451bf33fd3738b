//! The trait of everything that edges are read from.

use std::ops::Range;

use super::{Frame, FrameInfo, Layer, Totals};

/// A graph as a sequence of frames in row order, plus the store that their panels point into.
///
/// The solver reads edges through this trait only. Implemented by [`Unrolled`](crate::unroll::Unrolled) (a network, computed on
/// the fly), [`ShardStream`](crate::shard::ShardStream) (a graph directory, memory-mapped, any size), [`Csr`](super::csr::Csr)
/// (small, in memory), and for null models by [`Revalued`](super::Revalued) and [`n2::Unshared`](crate::null::n2::Unshared).
/// Reading is from `&self` and may happen on many threads at once.
pub trait BlockStream: Sync {
    /// Totals.
    fn totals(&self) -> Totals;
    /// Layers in node order; together they cover `0..n_nodes`.
    fn layers(&self) -> &[Layer];
    /// Frames in row order; together they cover `0..n_nodes`.
    fn frames(&self) -> &[FrameInfo];
    /// Decodes frame `index` into `frame`, replacing its contents. After success every row, column and value offset
    /// of every block is in range, so that callers index without further checks.
    ///
    /// # Errors
    /// [`Error`] if the storage is unreadable or damaged.
    fn read(&self, index: usize, frame: &mut Frame) -> Result<(), Error>;
    /// The value store.
    fn values(&self) -> &[f32];
    /// Do frames hold In blocks only?
    fn is_one_way(&self) -> bool {
        false
    }
    /// The values of this range will be read soon.
    fn prefetch(&self, _: Range<u64>) {}
    /// The values of this range will not be read soon: the stream may drop what it holds of them.
    fn release(&self, _: Range<u64>) {}
}

/// A block stream that could not be read: the storage's own error, as a source.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(#[from] Box<dyn std::error::Error + Send + Sync>);

impl Error {
    /// Wraps a storage error.
    pub fn new(source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self(Box::new(source))
    }
}
