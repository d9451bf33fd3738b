//! Which null models there are: their kinds, names and generators of random numbers.

use std::fmt;

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::net::arch::Init;

/// How a null model's weights come about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Parameters permuted inside each layer.
    N1,
    /// Weights permuted over all edges.
    N2,
    /// New parameters.
    N3(Init),
}

impl Kind {
    /// Its name on the command line and in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::N1 => "n1",
            Self::N2 => "n2",
            Self::N3(_) => "n3",
        }
    }

    /// What new parameters are drawn from.
    pub fn distribution(self) -> Option<&'static str> {
        match self {
            Self::N1 | Self::N2 => None,
            Self::N3(Init::He) => Some("he"),
            Self::N3(Init::Xavier) => Some("xavier"),
        }
    }

    /// The half of a generator's key that tells the kinds apart.
    pub(super) fn tag(self) -> &'static [u8; 16] {
        match self {
            Self::N1 => b"null model n1   ",
            Self::N2 => b"null model n2   ",
            Self::N3(Init::He) => b"null model n3 he",
            Self::N3(Init::Xavier) => b"null model n3 xa",
        }
    }
}

/// One null model of a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Model {
    /// How its weights come about.
    pub kind: Kind,
    /// Its number among those of its kind and distribution.
    pub index: u32,
}

impl Model {
    /// A seed for the solver, so that runs on different null models are independent.
    pub fn solver_seed(self, seed: u64) -> u64 {
        // Layers have the streams from 0.
        rng(seed, self, u64::MAX).next_u64()
    }
}

/// `n1-0`, `n3-he-0`.
impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.name())?;
        if let Some(distribution) = self.kind.distribution() {
            write!(f, "-{distribution}")?;
        }
        write!(f, "-{}", self.index)
    }
}

/// The generator of one stream of a null model.
pub(super) fn rng(seed: u64, model: Model, stream: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&u64::from(model.index).to_le_bytes());
    key[16..].copy_from_slice(model.kind.tag());
    let mut rng = ChaCha8Rng::from_seed(key);
    rng.set_stream(stream);
    rng
}
