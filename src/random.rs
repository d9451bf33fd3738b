//! Random numbers by counting: number `i` of a stream is a function of the stream's key and `i`, so that it does not
//! matter where, when and in which order numbers are drawn.
//!
//! A stream is SplitMix64 (Steele, Lea and Flood, 2014) whose seed is the key: in 64-bit arithmetic modulo 2⁶⁴, with
//! `γ = 0x9e3779b97f4a7c15` and `mix` the finaliser of SplitMix64, number `i` is `mix(key + (i + 1) · γ)`. The key of a list
//! of words is made word by word, from 0: `key ← mix((key xor word) + γ)`. That is short enough to be repeated elsewhere;
//! `python/check_omega.py` does so.

/// `2⁶⁴` over the golden ratio, odd.
const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// A bijection of 64 bits that leaves no visible pattern (the finaliser of SplitMix64).
#[inline(always)]
pub(crate) fn mix64(mut x: u64) -> u64 {
    x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ x >> 31
}

/// One step of SplitMix64 from this state: spreads numbers that are close, and is no fixed point at 0.
#[inline(always)]
pub(crate) fn spread(x: u64) -> u64 {
    mix64(x.wrapping_add(GAMMA))
}

/// A stream of random numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stream {
    key: u64,
}

impl Stream {
    /// The stream of a list of words, say a seed and what the numbers are for.
    pub fn new(words: &[u64]) -> Self {
        Self { key: words.iter().fold(0, |key, word| spread(key ^ word)) }
    }

    /// Number `index`.
    #[inline(always)]
    pub fn bits(self, index: u64) -> u64 {
        mix64(self.key.wrapping_add(index.wrapping_add(1).wrapping_mul(GAMMA)))
    }

    /// Number `index`, uniform in (0, 1): an odd multiple of 2⁻⁵³.
    #[inline(always)]
    pub fn uniform(self, index: u64) -> f64 {
        ((self.bits(index) >> 12) as f64 + 0.5) * (1.0 / 4_503_599_627_370_496.0)
    }

    /// Number `index`, uniform on `0..n`.
    #[inline(always)]
    pub fn below(self, index: u64, n: u64) -> u64 {
        ((u128::from(self.bits(index)) * u128::from(n)) >> 64) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_splitmix64() {
        // The first outputs for the seed 1234567, as published with the reference implementation.
        let stream = Stream { key: 1_234_567 };
        let expected = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!([0, 1, 2].map(|index| stream.bits(index)), expected);
    }

    #[test]
    fn numbers_are_uniform_and_streams_unrelated() {
        let (one, two) = (Stream::new(&[7, 0]), Stream::new(&[7, 1]));
        let n = 100_000;
        let mean = |value: &dyn Fn(u64) -> f64| (0..n).map(value).sum::<f64>() / n as f64;
        let tolerance = 4.0 / (12.0 * n as f64).sqrt();
        assert!((mean(&|i| one.uniform(i)) - 0.5).abs() < tolerance);
        assert!((mean(&|i| one.uniform(i).powi(2)) - 1.0 / 3.0).abs() < tolerance);
        assert!(mean(&|i| (one.uniform(i) - 0.5) * (two.uniform(i) - 0.5)).abs() < tolerance);
        assert!((0..n).all(|i| one.uniform(i) > 0.0 && one.uniform(i) < 1.0));
        let third = (0..n).filter(|&i| one.below(i, 3) == 2).count() as f64 / n as f64;
        assert!((third - 1.0 / 3.0).abs() < 4.0 * (2.0 / 9.0 / n as f64).sqrt());
        assert!((0..n).all(|i| one.below(i, 3) < 3));
    }

    #[test]
    fn words_are_not_interchangeable() {
        assert_ne!(Stream::new(&[1, 2]), Stream::new(&[2, 1]));
        assert_ne!(Stream::new(&[0]), Stream::new(&[0, 0]));
    }
}
