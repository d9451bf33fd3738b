//! What a perturbation is compared with.

/// Whose weights and whose direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Case {
    /// The network, along the order of its low state.
    Real,
    /// New weights, along the order of their own low state.
    N3,
    /// The network, along random directions.
    RandomDirection,
}

impl Case {
    /// All cases, in the order of tables.
    pub const ALL: [Self; 3] = [Self::Real, Self::N3, Self::RandomDirection];

    /// Its name on the command line and in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Real => "real",
            Self::N3 => "n3",
            Self::RandomDirection => "random-direction",
        }
    }

    /// The case of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|case| case.name() == name)
    }
}
