//! The cases of the paper's comparison, and which are set against which.

use std::collections::BTreeMap;
use std::fmt;

use super::sample::Sample;
use super::welch::{Undefined, Welch, cohens_d, welch};

/// Whose energies: the network's own, those of one kind of null model, or of active subnetworks. In the order of reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Case {
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

impl Case {
    /// All cases, in order.
    pub const ALL: [Self; 6] = [Self::Real, Self::N1, Self::N2, Self::N3He, Self::N3Xavier, Self::Active];

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

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One case, alone or against another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// The case.
    pub case: Case,
    /// Its energies.
    pub sample: Sample,
    /// What it was set against; none for the real network.
    pub against: Option<Against>,
}

/// A case against a reference. Positive numbers mean that the case is more frustrated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Against {
    /// The reference.
    pub reference: Case,
    /// Are the means equal?
    pub welch: Result<Welch, Undefined>,
    /// How far are they apart?
    pub cohens_d: Result<f64, Undefined>,
}

/// Each null model against the real network and, but for N1 itself, against N1; active subnetworks against the network; references without a sample are left
/// out. The real network comes first and is set against nothing; then by case, then by reference.
pub fn compare(samples: &BTreeMap<Case, Sample>) -> Vec<Comparison> {
    let mut comparisons = Vec::new();
    for (&case, &sample) in samples {
        if case == Case::Real {
            comparisons.push(Comparison { case, sample, against: None });
        }
        for &reference in case.references() {
            let Some(other) = samples.get(&reference) else { continue };
            let against = Against { reference, welch: welch(&sample, other), cohens_d: cohens_d(&sample, other) };
            comparisons.push(Comparison { case, sample, against: Some(against) });
        }
    }
    comparisons
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(cases: &[Case]) -> Vec<(Case, Option<Case>)> {
        let sample = |case: Case| Sample::of(&[f64::from(case as u8), 1.0]).unwrap();
        let samples = cases.iter().map(|&case| (case, sample(case))).collect();
        compare(&samples).iter().map(|c| (c.case, c.against.map(|against| against.reference))).collect()
    }

    #[test]
    fn every_null_model_meets_the_network_and_n1() {
        use Case::{Active, N1, N2, N3He, N3Xavier, Real};
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
        assert_eq!(pairs(&Case::ALL), expected);
        assert_eq!(pairs(&[Real, N3He]), [(Real, None), (N3He, Some(Real))]);
    }

    #[test]
    fn only_n3_has_a_distribution() {
        assert_eq!(Case::of_null("n3", Some("he")), Some(Case::N3He));
        for (kind, distribution) in [("n3", None), ("n1", Some("he")), ("n2", Some("")), ("N1", None), ("real", None)] {
            assert_eq!(Case::of_null(kind, distribution), None, "{kind} {distribution:?}");
        }
    }
}
