//! What a search is: the method, how many replicas, and from where they start.

use crate::kernel::Isa;

/// How to search.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Method {
    /// Streaming descent with a falling threshold: flips every `r_i < −τ`, `τ → 0` (Algorithm 1's "any i" option).
    Sweep,
    /// Algorithm 1: always the most negative `r_i`, ties to the lowest node.
    Steepest,
    /// Streaming simulated annealing (Metropolis) over that many sweeps, then descent.
    Anneal {
        /// Sweeps of the temperature schedule, at least 1.
        sweeps: u32,
    },
}

impl Method {
    /// The method's name on the command line and in tables.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Sweep => "sweep",
            Self::Steepest => "steepest",
            Self::Anneal { .. } => "anneal",
        }
    }
}

/// A complete description of a search: the same plan gives the same replicas.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// How to search.
    pub method: Method,
    /// Number of replicas, at least 1.
    pub replicas: u32,
    /// Single-node flips, drawn with replacement, that make the initial state of every replica but the first from
    /// all `+1` (the paper's ν).
    pub random_flips: u64,
    /// Seed of all randomness.
    pub seed: u64,
    /// Most flips per replica (the paper's M). Streaming methods stop before the layer that would exceed it.
    pub max_flips: u64,
    /// Instruction set; the result does not depend on it.
    pub isa: Isa,
    /// Bytes of memory to stay within; the result does not depend on it.
    pub memory: Option<u64>,
}

impl Plan {
    /// Flips that make the initial state of a replica: none for the first.
    pub fn initial_flips(&self, replica: u32) -> u64 {
        if replica == 0 { 0 } else { self.random_flips }
    }
}
