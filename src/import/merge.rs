//! One edge per pair of nodes.

use super::error::Fault;
use super::list::Edge;
use crate::graph::NodeId;

/// Sums the edges between the same two nodes, in the order given, into the direction given first; leaves out sums that
/// are zero in single precision. Result by lower, then higher node. Says in `notes` what it did.
pub(super) fn merge(
    edges: Vec<Edge>,
    labels: &[String],
    notes: &mut Vec<String>,
) -> Result<Vec<(NodeId, NodeId, f32)>, Fault> {
    let mut edges = edges;
    // A stable sort keeps the order given within a pair.
    edges.sort_by_key(pair);
    let mut merged = Vec::with_capacity(edges.len());
    let (mut n_repeated, mut n_reversed, mut n_zero) = (0u64, 0u64, 0u64);
    for same in edges.chunk_by(|a, b| pair(a) == pair(b)) {
        let Edge { source, target, .. } = same[0];
        let sum: f64 = same.iter().map(|edge| edge.weight).sum();
        let reversed = same.iter().filter(|edge| edge.source != source).count();
        n_reversed += u64::from(reversed > 0);
        // Of each direction, all but one repeat another.
        n_repeated += (same.len() - 1 - usize::from(reversed > 0)) as u64;
        let weight = sum as f32;
        if !weight.is_finite() {
            let label = |node: NodeId| labels[node as usize].clone();
            return Err(Fault::Overflow(label(source), label(target), sum));
        }
        match weight == 0.0 {
            true => n_zero += 1,
            false => merged.push((source, target, weight)),
        }
    }
    let mut note = |count: u64, what: &str| {
        if count > 0 {
            notes.push(format!("{what}: {count}"));
        }
    };
    note(n_repeated, "edges that repeat an earlier one, weights added to it");
    note(n_reversed, "pairs of nodes joined in both directions, merged into one edge each, weights added");
    note(n_zero, "pairs of nodes left out because their total weight is zero");
    Ok(merged)
}

fn pair(edge: &Edge) -> (NodeId, NodeId) {
    (edge.source.min(edge.target), edge.source.max(edge.target))
}
