//! What can go wrong while reading a network.
use std::path::{Path, PathBuf};

use crate::kind;

/// A network that could not be read. Each message says where, what was found, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file could not be read.
    #[error("cannot read {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        #[source]
        source: std::io::Error,
    },
    /// The file is not what its name says, or is damaged.
    #[error("{path}: {found}; expected {expected}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is there.
        found: String,
        /// What should be there.
        expected: String,
    },
    /// The file is of another kind.
    #[error("{path} is {found}, expected {expected}; {advice}")]
    OtherKind {
        /// The file.
        path: PathBuf,
        /// What it is.
        found: &'static str,
        /// What it should be.
        expected: &'static str,
        /// What to do about it.
        advice: &'static str,
    },
    /// An operator without an edge rule.
    #[error("layer `{layer}` has operator `{op}`, which has no edge rule; {hint}")]
    UnknownOperator {
        /// Name of the layer.
        layer: String,
        /// The operator.
        op: String,
        /// What to do about it.
        hint: String,
    },
    /// An activation that is not monotone non-decreasing: the sign of an edge would depend on the input.
    #[error(
        "layer `{layer}`: activation `{op}` is not monotone, so its edges have no sign; frustration is not defined for this network"
    )]
    NotMonotone {
        /// Name of the layer.
        layer: String,
        /// The activation.
        op: String,
    },
    /// Sizes that do not fit together, or a parameter of an operator outside its range.
    #[error("layer `{layer}`: {found}; expected {expected}")]
    Misfit {
        /// Name of the layer.
        layer: String,
        /// What was found.
        found: String,
        /// What was expected.
        expected: String,
    },
    /// A parameter that is NaN or infinite.
    #[error(
        "layer `{layer}`: parameter `{tensor}`, element {index}, is {found}; expected finite weights (was the training run stable?)"
    )]
    NotFinite {
        /// Name of the layer.
        layer: String,
        /// Which of its tensors.
        tensor: String,
        /// Position of the first such element.
        index: usize,
        /// The value.
        found: f32,
    },
    /// A name that is not in `arch::names()`.
    #[error("no architecture is called `{name}`; known are {known}")]
    UnknownArchitecture {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: String,
    },
}

impl Error {
    /// [`Error::Misfit`] of a layer.
    pub(super) fn misfit(layer: &str, found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::Misfit { layer: layer.into(), found: found.into(), expected: expected.into() }
    }

    /// [`Error::NotFinite`] of a layer's tensor, unless all its values are finite.
    pub(super) fn unless_finite(layer: &str, tensor: &str, values: &[f32]) -> Result<(), Self> {
        let Some(index) = values.iter().position(|value| !value.is_finite()) else { return Ok(()) };
        Err(Self::NotFinite { layer: layer.into(), tensor: tensor.into(), index, found: values[index] })
    }

    /// Why these bytes are not what was expected, if they are of another kind.
    pub(super) fn other_kind(path: &Path, bytes: &[u8], expected: &'static str) -> Option<Self> {
        let kind::FileKind { what: found, advice } = kind::of(bytes).filter(|found| found.what != expected)?;
        Some(Self::OtherKind { path: path.into(), found, expected, advice })
    }
}
