//! A permutation of billions of positions that takes no memory.
//!
//! Shuffling the weights of all edges in the usual way needs them all in memory, in random order. Here the image of a
//! position is computed instead, for any position alone and in parallel, by a cipher whose messages are the numbers
//! below `n`.
//!
//! # Feistel's network
//! A number below `a b` is a pair `(left, right)` with `left < a`, `right < b`. Each round adds a keyed function of one
//! half to the other, modulo its size. Whatever the function is, a round can be undone by subtracting the same again:
//! so it is a bijection of the pairs, and so are eight of them.
//!
//! ```text
//!  x  =  left + a · right        a ≈ b ≈ √n,  a b ≥ n
//!          │        │
//!          │◄─ + f(right)         left  = (left + f(right)) mod a
//!          │        │
//!          ├─ f(left) + ─►        right = (right + f'(left)) mod b
//!          │        │             ... four times both
//!  π(x) = left + a · right        at n or above: through the network once more
//! ```
//!
//! Images that are not below `n` go through the network again until they are ("cycle walking"), which is a bijection of
//! what is below `n`. With `a b < n + a` that is rare: fewer than one in `2 √n`.
//!
//! Source: Black and Rogaway, "Ciphers with arbitrary finite domains", 2002. Cost: some ten nanoseconds a position, for
//! [`BATCH`] of them at a time, which vectors compute side by side.

use crate::kernel::{Isa, Task};
use crate::random::spread;

/// Rounds of the network.
const ROUNDS: usize = 8;

/// Positions whose images are computed at a time.
pub(super) const BATCH: usize = 256;

/// A keyed bijection of `[0, n)`.
pub(super) struct Permutation {
    n: u64,
    /// Sizes of the two halves, at most 2³¹: `a · b ≥ n`.
    a: u32,
    b: u32,
    keys: [[u32; 2]; ROUNDS],
    isa: Isa,
}

impl Permutation {
    /// # Panics
    /// If `n` is more than 2⁶².
    pub fn new(n: u64, key: u64) -> Self {
        let a = n.isqrt().max(1);
        let b = n.div_ceil(a);
        assert!(a.max(b) <= 1 << 31, "{n} edges are more than any graph has");
        let keys = |round: usize| {
            let key = spread(key.wrapping_add(round as u64));
            [key as u32, (key >> 32) as u32]
        };
        Self { n, a: a as u32, b: b as u32, keys: std::array::from_fn(keys), isa: Isa::detect() }
    }

    /// The images of `first`, `first + 1`, … below `n`, and no matter what after that.
    pub fn images(&self, first: u64) -> [u64; BATCH] {
        let mut pairs = Pairs { left: [0; BATCH], right: [0; BATCH] };
        for (k, x) in (first..).take(BATCH).enumerate() {
            (pairs.left[k], pairs.right[k]) = ((x % u64::from(self.a)) as u32, (x / u64::from(self.a)) as u32);
        }
        self.isa.run(Step { permutation: self, pairs: &mut pairs });
        let mut images = [0; BATCH];
        for (k, image) in images.iter_mut().enumerate().take((self.n - first).min(BATCH as u64) as usize) {
            *image = u64::from(pairs.left[k]) + u64::from(self.a) * u64::from(pairs.right[k]);
            // Fewer than one in 2 √n leaves the range.
            while *image >= self.n {
                let mut pair =
                    Pairs { left: [(*image % u64::from(self.a)) as u32], right: [(*image / u64::from(self.a)) as u32] };
                Step { permutation: self, pairs: &mut pair }.run();
                *image = u64::from(pair.left[0]) + u64::from(self.a) * u64::from(pair.right[0]);
            }
        }
        images
    }
}

/// Numbers of `[0, a b)` as `left + a · right`.
struct Pairs<const K: usize> {
    left: [u32; K],
    right: [u32; K],
}

/// The network: the halves take turns in getting a function of the other added.
struct Step<'a, const K: usize> {
    permutation: &'a Permutation,
    pairs: &'a mut Pairs<K>,
}

impl<const K: usize> Task for Step<'_, K> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Permutation { a, b, keys, .. } = *self.permutation;
        let Pairs { left, right } = self.pairs;
        for keys in keys.chunks_exact(2) {
            for (left, right) in left.iter_mut().zip(&*right) {
                *left = add_below(*left, *right, keys[0], a);
            }
            for (right, left) in right.iter_mut().zip(&*left) {
                *right = add_below(*right, *left, keys[1], b);
            }
        }
    }
}

/// `x` plus a keyed function of `other`, modulo `n ≤ 2³¹`.
#[inline(always)]
fn add_below(x: u32, other: u32, key: [u32; 2], n: u32) -> u32 {
    // Two multiply–xorshift rounds (C. Wellons' lowbias32) with a key word before each.
    let mut bits = other ^ key[0];
    bits = (bits ^ bits >> 16).wrapping_mul(0x7feb_352d);
    bits = (bits ^ bits >> 15).wrapping_add(key[1]).wrapping_mul(0x846c_a68b);
    bits ^= bits >> 16;
    let sum = x + ((u64::from(bits) * u64::from(n)) >> 32) as u32;
    sum.min(sum.wrapping_sub(n))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_number_has_one_image(n in 1u64..5000, key in any::<u64>()) {
            let permutation = Permutation::new(n, key);
            let mut seen = vec![false; n as usize];
            for x in 0..n {
                let image = permutation.images(x)[0] as usize;
                prop_assert!(!std::mem::replace(&mut seen[image], true));
            }
        }
    }

    /// Over many keys every pair (position, image) is about equally frequent, and neighbours part.
    #[test]
    fn images_look_uniform() {
        const N: usize = 60;
        const KEYS: u64 = 20_000;
        let (mut counts, mut neighbours) = ([[0u32; N]; N], [0u32; N]);
        for key in 0..KEYS {
            let permutation = Permutation::new(N as u64, key);
            let images = permutation.images(0);
            for x in 0..N {
                let (image, next) = (images[x] as usize, images[(x + 1) % N] as usize);
                counts[x][image] += 1;
                neighbours[(next + N - image) % N] += 1;
            }
        }
        let chi_square = |counts: &[u32], expected: f64| {
            counts.iter().map(|&c| (f64::from(c) - expected).powi(2) / expected).sum::<f64>()
        };
        for counts in &counts {
            assert!(chi_square(counts, KEYS as f64 / N as f64) < 120.0, "{counts:?}");
        }
        assert!(chi_square(&neighbours[1..], (KEYS as usize * N) as f64 / (N - 1) as f64) < 120.0, "{neighbours:?}");
    }
}
