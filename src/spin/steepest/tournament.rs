//! The least of `n` numbers while they change: minima of chunks of 64, and a winner tree over the chunks.
//!
//! Good for many neighbouring changes between two questions. Cost: 64 comparisons per touched chunk and its path to
//! the root; the least element is found in O(1).

/// Numbers per chunk.
pub(super) const CHUNK: usize = 64;

/// The winner tree. It holds no numbers: the caller's slice is passed in.
#[derive(Clone, Debug)]
pub(super) struct Tournament {
    /// Number of leaves, a power of two.
    leaves: usize,
    /// `least[leaves + chunk]` is the chunk's minimum; `least[k]` the lesser of its children. Root at 1.
    least: Vec<f64>,
}

impl Tournament {
    pub(super) fn new(values: &[f64]) -> Self {
        let leaves = values.len().div_ceil(CHUNK).next_power_of_two();
        let mut least = vec![f64::INFINITY; 2 * leaves];
        for (chunk, values) in values.chunks(CHUNK).enumerate() {
            least[leaves + chunk] = minimum(values);
        }
        for k in (1..leaves).rev() {
            least[k] = least[2 * k].min(least[2 * k + 1]);
        }
        Self { leaves, least }
    }

    /// The least number and the lowest index that has it.
    pub(super) fn winner(&self, values: &[f64]) -> (f64, usize) {
        let least = self.least[1];
        // Down from the root, always to the first child that has the least: so to the lowest index.
        let mut k = 1;
        while k < self.leaves {
            k *= 2;
            if self.least[k] != least {
                k += 1;
            }
        }
        let first = (k - self.leaves) * CHUNK;
        let within = values[first..].iter().position(|&v| v == least);
        (least, first + within.expect("the tree's root is one of the numbers"))
    }

    /// Numbers of this chunk have changed.
    pub(super) fn update(&mut self, chunk: usize, values: &[f64]) {
        let first = chunk * CHUNK;
        let mut k = self.leaves + chunk;
        let mut least = minimum(&values[first..values.len().min(first + CHUNK)]);
        // Up from the leaf, until a minimum is what it was: then those above are, too.
        while self.least[k] != least {
            self.least[k] = least;
            if k == 1 {
                break;
            }
            least = least.min(self.least[k ^ 1]);
            k /= 2;
        }
    }
}

/// Least of a chunk, eight at a time.
fn minimum(values: &[f64]) -> f64 {
    let mut least = [f64::INFINITY; 8];
    let (eights, rest) = values.as_chunks::<8>();
    for eight in eights {
        for (least, value) in least.iter_mut().zip(eight) {
            *least = if *value < *least { *value } else { *least };
        }
    }
    least.iter().chain(rest).copied().fold(f64::INFINITY, f64::min)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_winner_is_the_first_minimum(
            mut values in prop::collection::vec(-3i32..4, 1..400),
            changes in prop::collection::vec((0usize..400, -5i32..4), 0..50),
        ) {
            let floats = |v: &[i32]| v.iter().copied().map(f64::from).collect::<Vec<_>>();
            let mut tree = Tournament::new(&floats(&values));
            for (at, value) in changes {
                let at = at % values.len();
                values[at] = value;
                tree.update(at / CHUNK, &floats(&values));
                let least = *values.iter().min().unwrap();
                let first = values.iter().position(|&v| v == least).unwrap();
                prop_assert_eq!(tree.winner(&floats(&values)), (f64::from(least), first));
            }
        }
    }
}
