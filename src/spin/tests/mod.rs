//! The laws that every method holds, on graphs small enough to check by hand or by trying all states.

mod energies;
mod independence;
mod large;
mod minima;
mod resume;
mod siblings;

use proptest::prelude::*;

use super::*;
use crate::graph::NodeId;
use crate::graph::csr::Csr;
use crate::kernel::{Isa, state};
use crate::progress::Silent;

/// EdgeList: source, target, weight.
type EdgeList = [(NodeId, NodeId, f32)];

/// EdgeList of a layered graph with small integer weights (so that all arithmetic is exact), and its class sizes.
fn layered(n_layers: usize, size: u32) -> impl Strategy<Value = (Vec<u32>, Vec<(NodeId, NodeId, f32)>)> {
    let sizes = prop::collection::vec(1..=size, 2..=n_layers);
    sizes.prop_flat_map(|sizes| {
        let n: u32 = sizes.iter().sum();
        let edge = (0..n, 0..n, prop::sample::select(vec![-3.0f32, -2.0, -1.0, 1.0, 2.0, 3.0]));
        let class = |sizes: &[u32], node: u32| {
            let mut end = 0;
            sizes.iter().position(|s| {
                end += s;
                node < end
            })
        };
        prop::collection::vec(edge, 1..60).prop_map(move |edges| {
            let mut edges: Vec<_> =
                edges.into_iter().filter(|&(a, b, _)| class(&sizes, a) < class(&sizes, b)).collect();
            if edges.is_empty() {
                edges.push((0, n - 1, 1.0));
            }
            (sizes.clone(), edges)
        })
    })
}

fn graph((sizes, edges): &(Vec<u32>, Vec<(NodeId, NodeId, f32)>)) -> Csr {
    Csr::from_edges(sizes.iter().sum(), edges, sizes)
}

fn plan(method: Method, replicas: u32, seed: u64) -> Plan {
    Plan { method, replicas, random_flips: 100, seed, max_flips: u64::MAX, isa: Isa::detect(), memory: None }
}

const METHODS: [Method; 3] = [Method::Sweep, Method::Steepest, Method::Anneal { sweeps: 20 }];

fn spin(state: &[u8], node: NodeId) -> f64 {
    if state::is_up(state, node) { 1.0 } else { -1.0 }
}

fn energy(edges: &EdgeList, state: &[u8]) -> f64 {
    let alignment: f64 = edges.iter().map(|&(a, b, w)| spin(state, a) * f64::from(w) * spin(state, b)).sum();
    let total: f64 = edges.iter().map(|e| f64::from(e.2).abs()).sum();
    0.5 * (1.0 - alignment / total)
}

fn fields(edges: &EdgeList, state: &[u8], n: u32) -> Vec<f64> {
    let mut fields = vec![0.0; n as usize];
    for &(a, b, w) in edges {
        let term = spin(state, a) * f64::from(w) * spin(state, b);
        fields[a as usize] += term;
        fields[b as usize] += term;
    }
    fields
}

/// The least energy of all states, or none if there are too many to try.
fn ground_energy(graph: &Csr) -> Option<f64> {
    (graph.totals().n_nodes <= exact::MAX_NODES).then(|| exact::ground_state(graph).0)
}

/// The replicas of a search, without their times.
fn solved(graph: &dyn BlockStream, plan: &Plan, control: &dyn Control) -> Result<Vec<Replica>, Error> {
    let timeless = |replica| Replica { secs: 0.0, ..replica };
    solve(graph, plan, control).map(|replicas| replicas.into_iter().map(timeless).collect())
}

/// A chain of `n` layers of one node, its weights rising from a heavy first edge on, closed by a negative edge: from all
/// +1 a sweep can flip only the last node, and then the next one towards the beginning.
fn avalanche(n: u32) -> Csr {
    let mut edges: Vec<_> = (2..n).map(|i| (i - 1, i, 1.0 + i as f32 / 64.0)).collect();
    edges.push((0, 1, 5000.0));
    edges.push((0, n - 1, -1000.0));
    Csr::from_edges(n, &edges, &vec![1; n as usize])
}
