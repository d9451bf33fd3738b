//! What a search finds: a state, and its energy.

/// The outcome of one replica.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Replica {
    /// Its number.
    pub index: u32,
    /// `ε̂ = e(s)`, exact but for one rounding; see [`weigh`](super::weigh). 0 without edges.
    pub energy: f64,
    /// Weight of the edges with `s_i w s_j > 0`.
    pub satisfied_weight: f64,
    /// Weight of the others.
    pub frustrated_weight: f64,
    /// `Σ|w|` over all edges, as they were read.
    pub sum_abs: f64,
    /// Single-spin flips after the initial ones.
    pub flips: u64,
    /// Sweeps (streaming methods), or 0.
    pub sweeps: u64,
    /// Seconds of wall time; replicas that travel together share it equally.
    pub secs: f64,
    /// False if `max_flips` ended the search first.
    pub local_minimum: bool,
    /// Bit `i % 8` of byte `i / 8` is set if `s_i = +1` ([`kernel::state`](crate::kernel::state)).
    #[serde(skip)]
    pub state: Vec<u8>,
}
