//! What decides how good the states are that a search finds.

use std::fmt;

use super::plan::{Method, Plan};

/// Everything in a [`Plan`] but the number of replicas, the seed, and what results do not depend on. Energies of searches
/// with different efforts say nothing about their graphs.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Effort {
    /// Name of the method.
    pub method: String,
    /// Of its temperature schedule, if it has one.
    pub sweeps: Option<u32>,
    /// Of the all +1 state, for every initial state but the first; nothing where only the all +1 state is meant.
    pub random_flips: Option<u64>,
    /// Most flips from one initial state, if there is a limit.
    pub max_flips: Option<u64>,
}

impl Effort {
    /// Whether energies of both may be compared. Initial states count only if both have a choice.
    pub fn is_comparable(&self, other: &Self) -> bool {
        let flips = self.random_flips.and(other.random_flips);
        *self == Self { random_flips: flips.or(self.random_flips), ..other.clone() }
    }
}

impl Plan {
    /// What decides how good the states are.
    pub fn effort(&self) -> Effort {
        let sweeps = match self.method {
            Method::Anneal { sweeps } => Some(sweeps),
            Method::Sweep | Method::Steepest => None,
        };
        Effort {
            method: self.method.name().to_owned(),
            sweeps,
            random_flips: Some(self.random_flips),
            max_flips: (self.max_flips < u64::MAX).then_some(self.max_flips),
        }
    }
}

impl fmt::Display for Effort {
    /// `anneal with --sweeps 100 --random-flips 1000000`: as the command line has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.method)?;
        let flags = [
            ("--sweeps", self.sweeps.map(u64::from)),
            ("--random-flips", self.random_flips),
            ("--max-flips", self.max_flips),
        ];
        let given = flags.into_iter().filter_map(|(flag, value)| Some((flag, value?)));
        given.enumerate().try_for_each(|(place, (flag, value))| {
            let before = if place == 0 { " with" } else { "" };
            write!(f, "{before} {flag} {value}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn anneal() -> Effort {
        Effort { method: "anneal".into(), sweeps: Some(100), random_flips: Some(5), max_flips: None }
    }

    #[test]
    fn searches_are_described_as_the_command_line_has_them() {
        assert_eq!(anneal().to_string(), "anneal with --sweeps 100 --random-flips 5");
        let steepest = Effort { method: "steepest".into(), sweeps: None, max_flips: Some(7), ..anneal() };
        assert_eq!(steepest.to_string(), "steepest with --random-flips 5 --max-flips 7");
        assert_eq!(Effort { random_flips: None, max_flips: None, ..steepest }.to_string(), "steepest");
    }

    #[test]
    fn every_difference_counts_but_initial_states_that_are_no_choice() {
        let others = [
            Effort { method: "sweep".into(), ..anneal() },
            Effort { sweeps: Some(99), ..anneal() },
            Effort { random_flips: Some(0), ..anneal() },
            Effort { max_flips: Some(9), ..anneal() },
        ];
        assert!(others.iter().all(|other| !other.is_comparable(&anneal()) && !anneal().is_comparable(other)));
        let from_all_up = Effort { random_flips: None, ..anneal() };
        assert!(from_all_up.is_comparable(&anneal()) && anneal().is_comparable(&from_all_up));
    }
}
