//! Random numbers that depend on what they are for, never on when or where they are drawn.

use crate::graph::NodeId;
use crate::kernel::LANES;
use crate::random::mix64;
use crate::spin::problem::Problem;

/// The random numbers of one sweep.
pub(super) struct Uniform<'a, P> {
    problem: &'a P,
    /// By lane: key of all draws of the sweep.
    keys: [u64; LANES],
}

impl<'a, P: Problem> Uniform<'a, P> {
    pub(super) fn new(problem: &'a P, sweep: u32) -> Self {
        Self { problem, keys: problem.by_graph(|lane| sweep_key(problem.seed(lane), u64::from(sweep))) }
    }

    /// Uniform numbers in (0, 1), one per lane, for one node and plane: multiples of 2⁻²⁴, less a half.
    #[inline(always)]
    pub(super) fn draw(&self, node: NodeId, plane: usize) -> [f32; LANES] {
        let keys = self.problem.by_graph(|lane| mix64(self.keys[lane] ^ u64::from(node)));
        let replicas = self.problem.numbers(plane);
        let mut numbers = [0.0; LANES];
        for (lane, number) in numbers.iter_mut().enumerate() {
            *number = draw(keys[lane], replicas[lane]);
        }
        numbers
    }
}

/// Key of all draws of one sweep.
fn sweep_key(seed: u64, sweep: u64) -> u64 {
    mix64(mix64(seed ^ 0x9e37_79b9_7f4a_7c15).wrapping_add(sweep))
}

/// The number of one replica, given the key of its search, sweep and node.
#[inline(always)]
fn draw(key: u64, replica: u32) -> f32 {
    let (low, high) = (key as u32, (key >> 32) as u32);
    let bits = mix32(low.wrapping_add(replica.wrapping_mul(0x9e37_79b1)), high);
    ((bits >> 8) as i32 as f32 + 0.5) * (1.0 / 16_777_216.0)
}

/// Two multiply–xorshift rounds (C. Wellons' lowbias32) with a second key word between them.
#[inline(always)]
fn mix32(mut x: u32, key: u32) -> u32 {
    x = (x ^ x >> 16).wrapping_mul(0x7feb_352d);
    x = (x ^ x >> 15).wrapping_add(key).wrapping_mul(0x846c_a68b);
    x ^ x >> 16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::csr::Csr;
    use crate::graph::{BlockStream, Revalued};
    use crate::kernel::{Isa, lane_of_bit};
    use crate::spin::measure::Scales;
    use crate::spin::one_graph::OneGraph;
    use crate::spin::plan::{Method, Plan};
    use crate::spin::siblings::Siblings;

    fn edge() -> Csr {
        Csr::from_edges(2, &[(0, 1, 1.0)], &[1, 1])
    }

    fn plan(replicas: u32, seed: u64) -> Plan {
        let (method, isa) = (Method::Anneal { sweeps: 9 }, Isa::detect());
        Plan { method, replicas, random_flips: 0, seed, max_flips: u64::MAX, isa, memory: None }
    }

    /// What replicas of one graph draw.
    fn draws(seed: u64, sweep: u32, nodes: std::ops::Range<NodeId>, plane: usize) -> Vec<[f32; LANES]> {
        let (graph, plan) = (edge(), plan(16, seed));
        let problem = OneGraph { graph: &graph, plan: &plan, scales: Scales::measure(&graph).unwrap() };
        let uniform = Uniform::new(&problem, sweep);
        nodes.map(|node| uniform.draw(node, plane)).collect()
    }

    #[test]
    fn uniforms_have_the_moments_of_the_uniform_distribution() {
        let draws: Vec<f64> = draws(1, 2, 0..20_000, 0).into_iter().flatten().map(f64::from).collect();
        let n = draws.len() as f64;
        let mean = draws.iter().sum::<f64>() / n;
        let variance = draws.iter().map(|u| (u - 0.5).powi(2)).sum::<f64>() / n;
        assert!((mean - 0.5).abs() < 4.0 / (12.0 * n).sqrt(), "mean {mean}");
        assert!((variance - 1.0 / 12.0).abs() < 1e-3, "variance {variance}");
        assert!(draws.iter().all(|&u| u > 0.0 && u < 1.0));
    }

    #[test]
    fn a_replica_draws_the_same_beside_other_graphs() {
        let (graph, node) = (edge(), 1234);
        let mut siblings = Siblings::new(&graph, &plan(3, 0), 5);
        (0..5).for_each(|k| siblings.push(Revalued::new(&graph, graph.values().to_vec()).unwrap(), k).unwrap());
        let mixed = Uniform::new(&siblings, 7).draw(node, 0);
        for replica in 0..15 {
            let alone = draws(replica as u64 / 3, 7, node..node + 1, 0)[0];
            assert_eq!(mixed[lane_of_bit(replica)], alone[lane_of_bit(replica % 3)]);
        }
    }

    #[test]
    fn neighbouring_keys_are_uncorrelated() {
        let pairs = draws(1, 2, 0..10_000, 0).into_iter().zip(draws(1, 3, 0..10_000, 1));
        let product = |(a, b): ([f32; LANES], [f32; LANES])| {
            a.iter().zip(b).map(|(a, b)| f64::from(a - 0.5) * f64::from(b - 0.5)).sum::<f64>()
        };
        let covariance = pairs.map(product).sum::<f64>() / 160_000.0;
        assert!(covariance.abs() < 4.0 / 12.0 / 400.0, "covariance {covariance}");
    }
}
