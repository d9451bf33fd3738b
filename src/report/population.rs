//! Whose energies are compared, and which are set against which.
//!
//! ```text
//!   active ──▶ real ◀── n1 ◀── n2, n3-he, n3-xavier
//!                ▲                   │
//!                └───────────────────┘
//! ```
//! Everything is set against the network itself. Null models that also forget which parameter belongs to which layer, or
//! all of them, are set against N1 too: that tells what the layers' own weights are worth.

use std::collections::BTreeMap;
use std::fmt;

use super::{Sample, Undefined, Welch, cohens_d, welch};

/// Whose energies: the network's own, those of one kind of null model, or of active subnetworks. In the order of reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Population {
    /// The network as it is.
    Real,
    /// Parameters permuted inside each layer.
    N1,
    /// Weights permuted over all edges.
    N2,
    /// New parameters, He normal.
    N3He,
    /// New parameters, Xavier uniform.
    N3Xavier,
    /// The active subnetworks of images.
    Active,
}

impl Population {
    /// The null model that the columns `kind` and `distribution` of a table name, if there is one.
    pub fn of_null(kind: &str, distribution: Option<&str>) -> Option<Self> {
        match (kind, distribution) {
            ("n1", None) => Some(Self::N1),
            ("n2", None) => Some(Self::N2),
            ("n3", Some("he")) => Some(Self::N3He),
            ("n3", Some("xavier")) => Some(Self::N3Xavier),
            _ => None,
        }
    }

    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Real => "real",
            Self::N1 => "n1",
            Self::N2 => "n2",
            Self::N3He => "n3-he",
            Self::N3Xavier => "n3-xavier",
            Self::Active => "active",
        }
    }

    /// What it is compared with.
    fn references(self) -> &'static [Self] {
        match self {
            Self::Real => &[],
            Self::N1 | Self::Active => &[Self::Real],
            Self::N2 | Self::N3He | Self::N3Xavier => &[Self::Real, Self::N1],
        }
    }
}

impl fmt::Display for Population {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One population, alone or against another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// Whose energies.
    pub population: Population,
    /// The energies.
    pub sample: Sample,
    /// What it was set against; none for the real network.
    pub against: Option<Against>,
}

/// A population against a reference. Positive numbers mean that the population is the more frustrated one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Against {
    /// The reference.
    pub reference: Population,
    /// Are the means equal?
    pub welch: Result<Welch, Undefined>,
    /// How far are they apart?
    pub cohens_d: Result<f64, Undefined>,
}

/// Sets each population against its references, as the picture above has it; references without a sample are left out. The
/// real network comes first and is set against nothing; then in the order of the populations, then of their references.
pub fn compare(samples: &BTreeMap<Population, Sample>) -> Vec<Comparison> {
    let mut comparisons = Vec::new();
    for (&population, &sample) in samples {
        if population == Population::Real {
            comparisons.push(Comparison { population, sample, against: None });
        }
        for &reference in population.references() {
            let Some(other) = samples.get(&reference) else { continue };
            let against = Against { reference, welch: welch(&sample, other), cohens_d: cohens_d(&sample, other) };
            comparisons.push(Comparison { population, sample, against: Some(against) });
        }
    }
    comparisons
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(populations: &[Population]) -> Vec<(Population, Option<Population>)> {
        let sample = |population| Sample::of(&[f64::from(population as u8), 1.0]).unwrap();
        let samples = populations.iter().map(|&population| (population, sample(population))).collect();
        compare(&samples).iter().map(|c| (c.population, c.against.map(|against| against.reference))).collect()
    }

    #[test]
    fn every_null_model_meets_the_network_and_n1() {
        use Population::{Active, N1, N2, N3He, N3Xavier, Real};
        let expected = [
            (Real, None),
            (N1, Some(Real)),
            (N2, Some(Real)),
            (N2, Some(N1)),
            (N3He, Some(Real)),
            (N3He, Some(N1)),
            (N3Xavier, Some(Real)),
            (N3Xavier, Some(N1)),
            (Active, Some(Real)),
        ];
        assert_eq!(pairs(&[Real, N1, N2, N3He, N3Xavier, Active]), expected);
        assert_eq!(pairs(&[Real, N3He]), [(Real, None), (N3He, Some(Real))]);
    }

    #[test]
    fn only_n3_has_a_distribution() {
        assert_eq!(Population::of_null("n3", Some("he")), Some(Population::N3He));
        for (kind, distribution) in [("n3", None), ("n1", Some("he")), ("n2", Some("")), ("N1", None), ("real", None)] {
            assert_eq!(Population::of_null(kind, distribution), None, "{kind} {distribution:?}");
        }
    }
}
