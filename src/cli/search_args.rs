//! How to search: the flags that `solve`, `null` and `perturb` share.

use clap::ValueEnum as _;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::flags::ByteSize;
use crate::kernel::Isa;
use crate::spin::{Effort, Method, Plan};

/// Flips that are drawn for an initial state: seconds of work that no signal interrupts, and states of any graph are random
/// after fewer.
const MOST_FLIPS: u64 = 1_000_000_000;

/// `--method`, `--random-flips`, `--sweeps`, `--max-flips`, `--memory`
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct SearchArgs {
    /// How to search.
    #[arg(long, value_enum, default_value_t = MethodName::Sweep)]
    method: MethodName,
    /// Random single-node flips of the all +1 state that make every initial state but the first, which has none.
    #[arg(long, value_name = "NU", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(..=MOST_FLIPS))]
    random_flips: u64,
    /// Sweeps of the temperature schedule of `anneal`.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    sweeps: u32,
    /// Most flips from one initial state; a search that needs more does not end in a local minimum.
    #[arg(long, value_name = "M", default_value_t = u64::MAX, hide_default_value = true)]
    max_flips: u64,
    /// Memory to stay within, e.g. 8GiB or 500MB. Results do not depend on it.
    #[arg(long, value_name = "SIZE")]
    memory: Option<ByteSize>,
}

/// `--method`
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum MethodName {
    /// Streaming descent with a falling threshold.
    Sweep,
    /// Algorithm 1 of the paper: always the most negative local field.
    Steepest,
    /// Streaming simulated annealing (Metropolis): the lowest energies.
    Anneal,
}

impl SearchArgs {
    /// The search from that many initial states.
    pub fn plan(&self, replicas: u32, seed: u64) -> Plan {
        Plan {
            method: self.method.with(self.sweeps),
            replicas,
            random_flips: self.random_flips,
            seed,
            max_flips: self.max_flips,
            isa: Isa::detect(),
            memory: self.memory.map(|size| size.0),
        }
    }

    /// Everything that decides what is found from a number of initial states and a seed.
    pub fn effort(&self) -> Effort {
        self.plan(1, 0).effort()
    }
}

impl MethodName {
    /// The method, with the sweeps of `anneal`.
    pub fn with(self, sweeps: u32) -> Method {
        match self {
            Self::Sweep => Method::Sweep,
            Self::Steepest => Method::Steepest,
            Self::Anneal => Method::Anneal { sweeps },
        }
    }

    /// Takes the names of the streaming methods only.
    pub fn streaming() -> impl TypedValueParser<Value = Self> {
        let names = [Self::Sweep, Self::Anneal].map(|name| name.to_possible_value().expect("no method is hidden"));
        PossibleValuesParser::new(names).map(|name| Self::from_str(&name, false).expect("it is one of them"))
    }
}
