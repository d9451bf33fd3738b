//! The true ground state of a tiny graph, by trying every state: the oracle of all other methods.
//!
//! ```
//! use frustration::graph::csr::Csr;
//! use frustration::spin::exact::ground_state;
//!
//! // The weakest edge is given up: 1 of 6.
//! let triangle = Csr::from_edges_unclassed(3, &[(0, 1, 2.0), (1, 2, 1.0), (0, 2, -3.0)]);
//! let (energy, state) = ground_state(&triangle);
//! assert!((energy - 1.0 / 6.0).abs() < 1e-15);
//! assert_eq!(state, 0b100); // nodes 0 and 1 agree, 2 differs from them
//! ```

use crate::graph::csr::Csr;
use crate::graph::{BlockStream, Direction};

/// Most nodes that [`ground_state`] accepts.
pub const MAX_NODES: u32 = 20;

/// The least `e(s)` over all states, and one state that has it (bit `i` set if `s_i = +1`).
///
/// Cost: `2^(n−1)` flips along a Gray code, each `O(degree)`.
///
/// # Panics
/// If the graph has more than [`MAX_NODES`] nodes or no weight.
pub fn ground_state(graph: &Csr) -> (f64, u32) {
    let totals = graph.totals();
    assert!(totals.n_nodes <= MAX_NODES, "{} nodes are too many to try all states", totals.n_nodes);
    assert!(totals.sum_abs > 0.0, "a graph without weight has no frustration");
    let n = totals.n_nodes as usize;
    let mut spins = vec![1.0; n];
    let mut alignment: f64 = (0..totals.n_nodes).map(|i| field(graph, i, &spins)).sum::<f64>() / 2.0;
    let (mut best, mut best_state, mut state) = (alignment, u32::MAX, u32::MAX);
    // The last spin stays: a global flip changes nothing.
    for step in 1u32..1 << (n - 1) {
        let node = step.trailing_zeros();
        // A Gray code: from one state to the next a single spin differs.
        alignment -= 2.0 * spins[node as usize] * field(graph, node, &spins);
        spins[node as usize] = -spins[node as usize];
        state ^= 1 << node;
        if alignment > best {
            (best, best_state) = (alignment, state);
        }
    }
    let mask = u32::MAX >> (32 - n.max(1));
    (0.5 * (1.0 - best / totals.sum_abs), best_state & mask)
}

/// `Σ_j Au_ij s_j`.
fn field(graph: &Csr, node: u32, spins: &[f64]) -> f64 {
    let sum = |direction| graph.row(node, direction).map(|(j, w)| f64::from(w) * spins[j as usize]).sum::<f64>();
    sum(Direction::In) + sum(Direction::Out)
}
