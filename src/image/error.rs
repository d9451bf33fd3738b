//! What can go wrong between files of images and inputs of a network.

use std::path::PathBuf;

use super::decode;
use crate::npy;

/// Images that cannot be read. Each message says where, what was found, what was expected and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder cannot be read.
    #[error("cannot read {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        #[source]
        source: std::io::Error,
    },
    /// No NumPy array.
    #[error("{path} {fault}")]
    Npy {
        /// The file.
        path: PathBuf,
        /// What is wrong with its header.
        fault: npy::Fault,
    },
    /// A file that is sound, but does not hold what is needed.
    #[error("{path}: {found}; expected {expected}")]
    Unfit {
        /// The file.
        path: PathBuf,
        /// What is there.
        found: String,
        /// What should be there, and what to do.
        expected: String,
    },
    /// Preprocessing that cannot be.
    #[error("preprocessing: {0}")]
    Preprocess(String),
    /// A file that is no sound image.
    #[error("{path} {fault}")]
    Image {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fault: decode::Fault,
    },
    /// Labels that are no CSV.
    #[error("{path} is no well-formed CSV")]
    Csv {
        /// The file.
        path: PathBuf,
        /// Where and why.
        #[source]
        source: csv::Error,
    },
    /// Labels without the columns that are needed.
    #[error("{path} has {found}; expected `{key}` and `class_index`, or `{key}` and a `label` that is a number")]
    Columns {
        /// The file.
        path: PathBuf,
        /// What it has.
        found: String,
        /// Which column says what image a line is about.
        key: &'static str,
    },
    /// A line of labels is wrong.
    #[error("{path}, line {line}: {found}; expected {expected}")]
    Label {
        /// The file.
        path: PathBuf,
        /// Its number, from 1.
        line: u64,
        /// What is there.
        found: String,
        /// What should be there.
        expected: String,
    },
}
