//! Why a search could not be completed.

use crate::byte_size::ByteSize;
use crate::graph;

/// A search that could not be completed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The graph could not be read.
    #[error(transparent)]
    Graph(#[from] graph::Error),
    /// The graph has no edge of non-zero weight.
    #[error("the graph has no weight (sum of |w| is 0), so its frustration is undefined; check the network's weights")]
    NoWeight,
    /// The search does not fit the memory it was given.
    #[error("the search needs at least {} MiB of memory, but may use {}; raise the limit", least.div_ceil(1 << 20), ByteSize(*limit))]
    Memory {
        /// What was allowed.
        limit: u64,
        /// What is needed.
        least: u64,
    },
    /// [`Control::pulse`](super::Control::pulse) said so; the state was saved.
    #[error("interrupted")]
    Interrupted,
    /// The state could not be saved.
    #[error("cannot save the state of the search")]
    Save(#[source] Box<dyn std::error::Error + Send + Sync>),
}
