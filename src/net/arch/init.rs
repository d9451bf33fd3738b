//! Random initialisation: the same seed gives the same bytes on every platform.
//!
//! Every convolution and dense layer has its own stream of ChaCha8, chosen by (seed, index of the layer among the
//! convolution and dense layers), so no layer's values depend on another layer's size. Only `+ − × ÷ √`, which IEEE 754
//! rounds exactly, act on the random bits: normals come from Marsaglia's polar method with a logarithm of our own,
//! because the system's `ln` may differ in the last bit from one platform to the next.
//!
//! Cost: a few nanoseconds a value (Xavier), about ten (He); no allocation.
use crate::net::{Layer, Op};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A distribution for fresh weights. Biases are 0; batch norms start as the identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Init {
    /// He normal: mean 0, standard deviation `√(2 / fan_in)`.
    He,
    /// Xavier (Glorot) uniform on `±√(6 / (fan_in + fan_out))`.
    Xavier,
}

/// The generator of one layer: `index` counts convolution and dense layers only, in network order, from 0.
pub fn rng(seed: u64, index: u64) -> ChaCha8Rng {
    let mut key = *b"........frustration: net weights";
    key[..8].copy_from_slice(&seed.to_le_bytes());
    let mut rng = ChaCha8Rng::from_seed(key);
    rng.set_stream(index);
    rng
}

/// `(fan_in, fan_out)` of a convolution or dense layer by PyTorch's definition: for a kernel `[out][in / groups][kh][kw]`
/// they are `in / groups · kh · kw` and `out · kh · kw`. `None` for any other layer.
pub fn fans(layer: &Layer) -> Option<(usize, usize)> {
    let (weights, taps) = match &layer.op {
        Op::Conv(conv) => (conv.weight.len(), conv.window.kernel[0] * conv.window.kernel[1]),
        Op::Dense(dense) => (dense.weight.len(), 1),
        _ => return None,
    };
    Some((weights / layer.shape.c.max(1), layer.shape.c * taps))
}

/// Fills `out` with weights of one layer. No value is exactly 0, so every edge keeps its place in the graph.
pub fn draw(scheme: Init, fan_in: usize, fan_out: usize, rng: &mut impl Rng, out: &mut [f32]) {
    match scheme {
        Init::He => {
            let std = (2.0 / fan_in as f64).sqrt();
            for pair in out.chunks_mut(2) {
                let normals = two_normals(rng);
                for (value, normal) in pair.iter_mut().zip(normals) {
                    *value = (std * normal) as f32;
                }
            }
        }
        Init::Xavier => {
            let bound = (6.0 / (fan_in as f64 + fan_out as f64)).sqrt();
            for value in out {
                *value = (bound * symmetric(rng)) as f32;
            }
        }
    }
}

/// Uniform on (−1, 1): odd multiples of 2⁻³², so never 0 and symmetric about it.
fn symmetric(rng: &mut impl Rng) -> f64 {
    (f64::from(rng.next_u32() as i32) + 0.5) * (1.0 / 2_147_483_648.0)
}

/// Two independent standard normals, by Marsaglia's polar method.
fn two_normals(rng: &mut impl Rng) -> [f64; 2] {
    loop {
        let (u, v) = (symmetric(rng), symmetric(rng));
        let s = u * u + v * v;
        if s < 1.0 {
            let factor = (-2.0 * ln(s) / s).sqrt();
            return [u * factor, v * factor];
        }
    }
}

/// Natural logarithm of a normal positive `x` to about 1e-16, by exactly rounded operations only:
/// `x = m · 2ᵉ` with m near 1, then `ln m = 2 (z + z³/3 + z⁵/5 + …)` with `z = (m − 1) / (m + 1)`.
fn ln(x: f64) -> f64 {
    const MANTISSA: u64 = (1 << 52) - 1;
    let mut exponent = (x.to_bits() >> 52) as i64 - 1023;
    let mut m = f64::from_bits((x.to_bits() & MANTISSA) | (1023 << 52));
    if m > std::f64::consts::SQRT_2 {
        m *= 0.5;
        exponent += 1;
    }
    let z = (m - 1.0) / (m + 1.0);
    let mut series = 0.0;
    for odd in [21.0, 19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0] {
        series = series * (z * z) + 1.0 / odd;
    }
    2.0 * z * series + exponent as f64 * std::f64::consts::LN_2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(scheme: Init, n: usize) -> Vec<f32> {
        let mut out = vec![0.0; n];
        draw(scheme, 50, 150, &mut rng(7, 3), &mut out);
        out
    }

    fn moments(x: &[f32]) -> [f64; 3] {
        let moment = |k| x.iter().map(|&v| f64::from(v).powi(k)).sum::<f64>() / x.len() as f64;
        [moment(1), moment(2), moment(4)]
    }

    #[test]
    fn he_has_the_moments_of_a_normal() {
        let [m1, m2, m4] = moments(&sample(Init::He, 400_001));
        assert!(m1.abs() < 1.5e-3, "{m1}");
        assert!((m2 / 0.04 - 1.0).abs() < 0.02, "{m2}");
        assert!((m4 / (3.0 * 0.04 * 0.04) - 1.0).abs() < 0.05, "{m4}");
    }

    #[test]
    fn xavier_fills_its_interval() {
        let x = sample(Init::Xavier, 400_000);
        let bound = 0.03_f32.sqrt();
        let [m1, m2, _] = moments(&x);
        assert!(m1.abs() < 1e-3, "{m1}");
        assert!((m2 / 0.01 - 1.0).abs() < 0.01, "{m2}");
        assert!(x.iter().all(|v| v.abs() <= bound && *v != 0.0));
        assert!(x.iter().any(|v| *v > 0.999 * bound) && x.iter().any(|v| *v < -0.999 * bound));
    }

    #[test]
    fn logarithm_is_accurate() {
        for x in [1e-19, 1e-9, 0.1, 0.499, 0.5, 0.70, 0.71, 0.72, 0.999_999, 1.0, 1.5, 1e6] {
            assert!((ln(x) - x.ln()).abs() <= 4e-16 * x.ln().abs().max(1.0), "{x}");
        }
    }

    #[test]
    fn layers_and_seeds_have_their_own_values() {
        let first = |seed, index| rng(seed, index).next_u64();
        assert_eq!(first(1, 2), first(1, 2));
        assert_ne!(first(1, 2), first(1, 3));
        assert_ne!(first(1, 2), first(2, 2));
    }

    /// The bytes are a promise: a published seed must give the same null model in every later version.
    #[test]
    fn the_bytes_of_a_seed_never_change() {
        let digest =
            |scheme| crc32fast::hash(&sample(scheme, 10_001).iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>());
        assert_eq!(digest(Init::He), 3_253_683_258);
        assert_eq!(digest(Init::Xavier), 815_794_564);
    }
}
