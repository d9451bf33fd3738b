//! What keeps a run from beginning or going on.

use std::io;
use std::path::PathBuf;

use crate::spin::checkpoint::CheckpointError;

/// A run that did not begin, or did not end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Two processes may not write one file.
    #[error("{} is being written by another run; wait for it, or choose another output", output.display())]
    Claimed {
        /// The table that both would write.
        output: PathBuf,
    },
    /// Nobody has said what to do with the checkpoint that is there.
    #[error("{} holds an unfinished run; --resume continues it, --force starts again", path.display())]
    Unfinished {
        /// The checkpoint.
        path: PathBuf,
    },
    /// The checkpoint is damaged, or of a run with another identity.
    #[error("{}", path.display())]
    Checkpoint {
        /// The checkpoint.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: CheckpointError,
    },
    /// Something else has the name of the checkpoint.
    #[error("{} exists and is not a regular file", path.display())]
    NotRegular {
        /// The checkpoint.
        path: PathBuf,
    },
    /// The checkpoint cannot be read or written.
    #[error("cannot {what} {}", path.display())]
    Io {
        /// What failed: `read`, `write`, or `write to the folder of`.
        what: &'static str,
        /// The checkpoint.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The run was stopped, and nothing is lost because there was nothing yet.
    #[error("interrupted before any {unit} was finished")]
    NothingFinished {
        /// What the work consists of.
        unit: &'static str,
    },
    /// The run was stopped.
    #[error("interrupted; {done} of {all} {unit}s are in {}, --resume continues with the others", path.display())]
    Interrupted {
        /// What the work consists of.
        unit: &'static str,
        /// How many are finished.
        done: usize,
        /// How many there are.
        all: usize,
        /// Where those are that are finished.
        path: PathBuf,
    },
    /// A search was stopped.
    #[error("interrupted; the search so far is in {}, --resume continues it", path.display())]
    SearchInterrupted {
        /// Where its state is.
        path: PathBuf,
    },
}
