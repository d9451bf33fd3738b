//! Random numbers that depend on what they are for, never on when or where they are drawn.

use crate::graph::NodeId;
use crate::kernel::{LANES, bit_of_lane};
use crate::random::mix64;

/// The random numbers of one sweep.
pub(in crate::spin) trait Uniform: Sync {
    /// Uniform numbers in (0, 1), one per lane, for one node and lane group: multiples of 2⁻²⁴, less a half.
    fn uniform(&self, node: NodeId, group: usize) -> [f32; LANES];
}

/// Key of all draws of one sweep.
fn sweep_key(seed: u64, sweep: u64) -> u64 {
    mix64(mix64(seed ^ 0x9e37_79b9_7f4a_7c15).wrapping_add(sweep))
}

/// For replicas of one search.
pub(in crate::spin) struct SweepKey(u64);

impl SweepKey {
    pub(in crate::spin) fn new(seed: u64, sweep: u64) -> Self {
        Self(sweep_key(seed, sweep))
    }
}

impl Uniform for SweepKey {
    #[inline(always)]
    fn uniform(&self, node: NodeId, group: usize) -> [f32; LANES] {
        let key = mix64(self.0 ^ u64::from(node));
        let mut numbers = [0.0; LANES];
        for (lane, number) in numbers.iter_mut().enumerate() {
            *number = draw(key, (group * LANES + bit_of_lane(lane)) as u32);
        }
        numbers
    }
}

/// For sixteen replicas, each of a search with a seed of its own.
pub(in crate::spin) struct LaneKeys {
    /// By lane.
    keys: [u64; LANES],
    replicas: [u32; LANES],
}

impl LaneKeys {
    /// By lane: seed of the search, and number of the replica in it.
    pub(in crate::spin) fn new(seats: [(u64, u32); LANES], sweep: u64) -> Self {
        Self { keys: seats.map(|(seed, _)| sweep_key(seed, sweep)), replicas: seats.map(|(_, replica)| replica) }
    }
}

impl Uniform for LaneKeys {
    #[inline(always)]
    fn uniform(&self, node: NodeId, _: usize) -> [f32; LANES] {
        let mut numbers = [0.0; LANES];
        for (lane, number) in numbers.iter_mut().enumerate() {
            *number = draw(mix64(self.keys[lane] ^ u64::from(node)), self.replicas[lane]);
        }
        numbers
    }
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

    #[test]
    fn uniforms_have_the_moments_of_the_uniform_distribution() {
        let draws: Vec<f64> =
            (0..20_000).flat_map(|node| SweepKey::new(1, 2).uniform(node, 0)).map(f64::from).collect();
        let n = draws.len() as f64;
        let mean = draws.iter().sum::<f64>() / n;
        let variance = draws.iter().map(|u| (u - 0.5).powi(2)).sum::<f64>() / n;
        assert!((mean - 0.5).abs() < 4.0 / (12.0 * n).sqrt(), "mean {mean}");
        assert!((variance - 1.0 / 12.0).abs() < 1e-3, "variance {variance}");
        assert!(draws.iter().all(|&u| u > 0.0 && u < 1.0));
    }

    #[test]
    fn a_replica_draws_the_same_in_any_company() {
        let seats = std::array::from_fn(|lane| (lane as u64 / 3, lane as u32 % 3));
        let (mixed, node) = (LaneKeys::new(seats, 7), 1234);
        for (lane, (seed, replica)) in seats.into_iter().enumerate() {
            let alone = SweepKey::new(seed, 7).uniform(node, 0);
            assert_eq!(mixed.uniform(node, 5)[lane], alone[crate::kernel::lane_of_bit(replica as usize)]);
        }
    }

    #[test]
    fn neighbouring_keys_are_uncorrelated() {
        let pairs =
            (0..10_000).map(|node| (SweepKey::new(1, 2).uniform(node, 0), SweepKey::new(1, 3).uniform(node, 1)));
        let product = |(a, b): ([f32; LANES], [f32; LANES])| {
            a.iter().zip(b).map(|(a, b)| f64::from(a - 0.5) * f64::from(b - 0.5)).sum::<f64>()
        };
        let covariance = pairs.map(product).sum::<f64>() / 160_000.0;
        assert!(covariance.abs() < 4.0 / 12.0 / 400.0, "covariance {covariance}");
    }
}
