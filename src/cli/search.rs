//! How to search: the flags that `solve` and `null` share.

use std::fmt;

use crate::spin::Method;

/// `--method`, `--random-flips`, `--sweeps`, `--max-flips`
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Search {
    /// How to search.
    #[arg(long, value_enum, default_value_t = MethodName::Sweep)]
    method: MethodName,
    /// Random single-node flips of the all +1 state that make every initial state but the first, which has none.
    #[arg(long, value_name = "NU", default_value_t = 1_000_000)]
    pub random_flips: u64,
    /// Sweeps of the temperature schedule of `anneal`.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    sweeps: u32,
    /// Most flips from one initial state; a search that needs more does not end in a local minimum.
    #[arg(long, value_name = "M", default_value_t = u64::MAX, hide_default_value = true)]
    pub max_flips: u64,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum MethodName {
    /// Streaming descent with a falling threshold.
    Sweep,
    /// Algorithm 1 of the paper: always the most negative local field.
    Steepest,
    /// Streaming simulated annealing (Metropolis): the lowest energies.
    Anneal,
}

/// Everything that decides what a seed and a number of replicas find.
impl fmt::Display for Search {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { random_flips, max_flips, .. } = self;
        write!(f, "{:?}, {random_flips} random flips, limit {max_flips}", self.method())
    }
}

impl Search {
    /// The method with its parameters.
    pub fn method(self) -> Method {
        match self.method {
            MethodName::Sweep => Method::Sweep,
            MethodName::Steepest => Method::Steepest,
            MethodName::Anneal => Method::Anneal { sweeps: self.sweeps },
        }
    }
}
