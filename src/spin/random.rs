//! Random numbers that depend on what they are for, never on when or where they are drawn.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::Plan;
use crate::graph::NodeId;
use crate::kernel::{LANES, bit_of_lane};

/// The nodes whose flips make a replica's initial state, with repetitions.
pub(super) fn initial_flips(plan: &Plan, replica: u32, n_nodes: u32) -> impl Iterator<Item = NodeId> {
    let mut rng = ChaCha8Rng::seed_from_u64(plan.seed);
    rng.set_stream(u64::from(replica));
    let draw = move |_| ((u64::from(rng.random::<u32>()) * u64::from(n_nodes)) >> 32) as NodeId;
    (0..plan.initial_flips(replica)).map(draw)
}

/// Key of all draws of one sweep.
pub(super) fn sweep_key(seed: u64, sweep: u64) -> u64 {
    mix64(mix64(seed ^ 0x9e37_79b9_7f4a_7c15).wrapping_add(sweep))
}

/// Uniform numbers in (0, 1), one per lane, for one node and lane group: multiples of 2⁻²⁴, less a half.
#[inline(always)]
pub(super) fn uniform(sweep_key: u64, node: NodeId, group: usize) -> [f32; LANES] {
    let key = mix64(sweep_key ^ u64::from(node));
    let (low, high) = (key as u32, (key >> 32) as u32);
    let mut numbers = [0.0; LANES];
    for (lane, number) in numbers.iter_mut().enumerate() {
        let replica = (group * LANES + bit_of_lane(lane)) as u32;
        let bits = mix32(low.wrapping_add(replica.wrapping_mul(0x9e37_79b1)), high);
        *number = ((bits >> 8) as i32 as f32 + 0.5) * (1.0 / 16_777_216.0);
    }
    numbers
}

/// A bijection of 64 bits that leaves no visible pattern (the finaliser of SplitMix64).
#[inline(always)]
fn mix64(mut x: u64) -> u64 {
    x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ x >> 31
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
        let draws: Vec<f64> = (0..20_000).flat_map(|node| uniform(sweep_key(1, 2), node, 0)).map(f64::from).collect();
        let n = draws.len() as f64;
        let mean = draws.iter().sum::<f64>() / n;
        let variance = draws.iter().map(|u| (u - 0.5).powi(2)).sum::<f64>() / n;
        assert!((mean - 0.5).abs() < 4.0 / (12.0 * n).sqrt(), "mean {mean}");
        assert!((variance - 1.0 / 12.0).abs() < 1e-3, "variance {variance}");
        assert!(draws.iter().all(|&u| u > 0.0 && u < 1.0));
    }

    #[test]
    fn neighbouring_keys_are_uncorrelated() {
        let pairs = (0..10_000).map(|node| (uniform(sweep_key(1, 2), node, 0), uniform(sweep_key(1, 3), node, 1)));
        let product = |(a, b): ([f32; LANES], [f32; LANES])| {
            a.iter().zip(b).map(|(a, b)| f64::from(a - 0.5) * f64::from(b - 0.5)).sum::<f64>()
        };
        let covariance = pairs.map(product).sum::<f64>() / 160_000.0;
        assert!(covariance.abs() < 4.0 / 12.0 / 400.0, "covariance {covariance}");
    }
}
