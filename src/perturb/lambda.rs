//! λ: how far the output alignment fractions are from a half, as one number.
//!
//! # Definition
//! `λ` is the largest number in [0, 0.5] with `P(|Ω − 0.5| ≥ λ) ≥ 2λ` (paper, eq. 10), `P` the share of the sample. The
//! left side, `P(λ)`, is a step function that falls and is continuous from the left; the right side rises. So the numbers
//! that satisfy it are an interval that begins at 0 and holds its end. Between neighbouring values of `d = |Ω − 0.5|` the
//! left side is constant, hence `λ = max_d min(d, P(d) / 2)` over the values `d` of the sample: the line crosses either a
//! vertical step, at `d`, or a horizontal part, at `P(d) / 2`.

use super::error::Error;
use crate::random::Stream;

/// λ of a sample.
///
/// Cost: O(n log n).
///
/// # Errors
/// If the sample is empty or holds a number outside [0, 1].
pub fn lambda(omegas: &[f64]) -> Result<f64, Error> {
    Ok(Ranked::new(&[omegas])?.lambda(&[1]))
}

/// Distances from a half, greatest first, each with the image it is of: ready for many weightings of the images.
#[derive(Clone, Debug)]
struct Ranked {
    distances: Vec<(f64, u32)>,
    /// Values of each image.
    counts: Vec<u64>,
}

impl Ranked {
    /// The values of each image.
    fn new<T: AsRef<[f64]>>(images: &[T]) -> Result<Self, Error> {
        let mut distances = Vec::new();
        for (image, omegas) in (0..).zip(images) {
            for &omega in omegas.as_ref() {
                if !(0.0..=1.0).contains(&omega) {
                    return Err(Error::Omega { omega });
                }
                distances.push(((omega - 0.5).abs(), image));
            }
        }
        if distances.is_empty() {
            return Err(Error::Empty);
        }
        distances.sort_by(|a, b| b.0.total_cmp(&a.0));
        Ok(Self { distances, counts: images.iter().map(|omegas| omegas.as_ref().len() as u64).collect() })
    }

    /// λ if image `i` is there `weights[i]` times. Of equal distances the last has the whole of `P`, and so the greatest
    /// minimum.
    fn lambda(&self, weights: &[u32]) -> f64 {
        let total: u64 = self.counts.iter().zip(weights).map(|(&count, &weight)| count * u64::from(weight)).sum();
        let (mut at_least, mut lambda) = (0, 0.0_f64);
        for &(distance, image) in &self.distances {
            if distance <= lambda {
                break;
            }
            at_least += u64::from(weights[image as usize]);
            lambda = lambda.max(distance.min(0.5 * at_least as f64 / total as f64));
        }
        lambda
    }
}

/// λ with its uncertainty.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// λ of the sample.
    pub lambda: f64,
    /// 2.5th and 97.5th percentile of λ over resamples of the images; none for a single image.
    pub interval: Option<[f64; 2]>,
}

/// How to resample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bootstrap {
    /// Number of resamples; with none there is no interval.
    pub resamples: u32,
    /// Seed of the draws.
    pub seed: u64,
}

impl Bootstrap {
    /// λ of the values `images[i]` of each image, and its interval: a resample draws as many images as there are, with
    /// replacement, and takes all values of each image that it draws, because the perturbations of one image are alike.
    ///
    /// Image `j` of resample `b` is number `b · n + j`, below n, of the stream of the words (seed, 0x6c616d626461). Percentiles
    /// are interpolated linearly, as NumPy does.
    ///
    /// Cost: O(n log n), and O(n) a resample, n values; the resamples on the current rayon pool.
    ///
    /// # Errors
    /// As [`lambda`].
    pub fn estimate<T: AsRef<[f64]>>(self, images: &[T]) -> Result<Estimate, Error> {
        use rayon::prelude::*;
        let ranked = Ranked::new(images)?;
        let lambda = ranked.lambda(&vec![1; images.len()]);
        if images.len() < 2 || self.resamples == 0 {
            return Ok(Estimate { lambda, interval: None });
        }
        let n = images.len() as u64;
        let resample = |resample| ranked.lambda(&self.draw(resample, n));
        let mut lambdas: Vec<f64> = (0..self.resamples).into_par_iter().map(resample).collect();
        lambdas.sort_by(f64::total_cmp);
        Ok(Estimate { lambda, interval: Some([percentile(&lambdas, 0.025), percentile(&lambdas, 0.975)]) })
    }

    /// How often each of `n` images is in a resample.
    fn draw(self, resample: u32, n: u64) -> Vec<u32> {
        let stream = Stream::new(&[self.seed, u64::from_be_bytes(*b"\0\0lambda")]);
        let mut weights = vec![0; n as usize];
        for index in 0..n {
            weights[stream.below(u64::from(resample) * n + index, n) as usize] += 1;
        }
        weights
    }
}

/// Of sorted numbers, interpolated.
fn percentile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    low + (high - low) * place.fract()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Every value at which the largest λ could be: a distance, or half a share.
    fn brute_force(omegas: &[f64]) -> f64 {
        let n = omegas.len() as f64;
        let distances: Vec<_> = omegas.iter().map(|omega| (omega - 0.5).abs()).collect();
        let at_least = |lambda: f64| distances.iter().filter(|&&distance| distance >= lambda).count() as f64 / n;
        let shares = (0..=omegas.len()).map(|k| 0.5 * (k as f64 / n));
        let candidates = distances.iter().copied().chain(shares).filter(|&lambda| at_least(lambda) >= 2.0 * lambda);
        candidates.fold(0.0, f64::max)
    }

    #[test]
    fn vertical_steps_and_horizontal_parts() {
        let lambda = |omegas: &[f64]| lambda(omegas).unwrap();
        assert_eq!(lambda(&[0.5; 4]), 0.0);
        assert_eq!(lambda(&[1.0; 4]), 0.5);
        assert_eq!(lambda(&[1.0, 0.0]), 0.5);
        // All at 0.25: the line is below the curve until the step.
        assert_eq!(lambda(&[0.75, 0.25, 0.75]), 0.25);
        // Half of them at 0.5: the curve is a half from 0 to 0.5, and the line is there at 0.25.
        assert_eq!(lambda(&[1.0, 0.5]), 0.25);
        assert_eq!(lambda(&[1.0, 0.5, 0.5, 0.5]), 0.125);
        // Exactly through the corner: P is 1/2 up to 0.25.
        assert_eq!(lambda(&[0.75, 0.5]), 0.25);
        assert_eq!(lambda(&[0.9]), 0.4);
    }

    #[test]
    fn nothing_and_impossible_values_are_refused() {
        assert!(matches!(lambda(&[]), Err(Error::Empty)));
        for omega in [-0.1, 1.5, f64::NAN] {
            assert!(matches!(lambda(&[0.5, omega]), Err(Error::Omega { .. })));
        }
    }

    #[test]
    fn percentiles_are_numpy_s() {
        let sorted = [0.0, 1.0, 2.0, 4.0];
        assert_eq!([0.0, 0.5, 1.0].map(|share| percentile(&sorted, share)), [0.0, 1.5, 4.0]);
        assert!((percentile(&sorted, 0.9) - 3.4).abs() < 1e-15);
    }

    #[test]
    fn images_are_drawn_whole() {
        // Two kinds of images, a hundred alike values each. λ of a resample with k of the first kind in n is k / 2n, so
        // that the interval is wide however many perturbations there are.
        let images: Vec<Vec<f64>> = (0..20).map(|image| vec![if image < 10 { 1.0 } else { 0.5 }; 100]).collect();
        let bootstrap = Bootstrap { resamples: 2000, seed: 3 };
        let Estimate { lambda, interval } = bootstrap.estimate(&images).unwrap();
        let [low, high] = interval.unwrap();
        // Binomial with n = 20, p = 1/2: the percentiles are 6 and 14 of 20.
        assert_eq!((lambda, low, high), (0.25, 0.15, 0.35));
        assert_eq!(bootstrap.estimate(&images[..1]).unwrap(), Estimate { lambda: 0.5, interval: None });
    }

    #[test]
    fn the_interval_covers_the_truth_about_as_often_as_it_says() {
        // Images whose Ω is 1 with probability 0.6 and 0.5 otherwise: λ is 0.3.
        let covered = |seed| {
            let stream = Stream::new(&[seed]);
            let image = |index| vec![if stream.uniform(index) < 0.6 { 1.0 } else { 0.5 }; 2];
            let images: Vec<_> = (0..100).map(image).collect();
            let [low, high] = Bootstrap { resamples: 400, seed }.estimate(&images).unwrap().interval.unwrap();
            low <= 0.3 && 0.3 <= high
        };
        let share = (0..400).filter(|&seed| covered(seed)).count() as f64 / 400.0;
        assert!((0.90..=0.99).contains(&share), "{share}");
    }

    proptest! {
        /// Few outputs make many ties.
        #[test]
        fn lambda_is_the_greatest_of_all_candidates(outputs in 1_u32..12, counts in prop::collection::vec(0_u32..12, 1..40)) {
            let omegas: Vec<_> = counts.iter().map(|count| f64::from(count % (outputs + 1)) / f64::from(outputs)).collect();
            let found = lambda(&omegas).unwrap();
            prop_assert!((found - brute_force(&omegas)).abs() < 1e-15, "{found} {}", brute_force(&omegas));
            prop_assert!((0.0..=0.5).contains(&found));
        }

        #[test]
        fn a_weight_is_a_repetition(omegas in prop::collection::vec(0.0..1.0_f64, 2..12), twice in 0_usize..2) {
            let ranked = Ranked::new(&omegas.iter().map(|&omega| [omega]).collect::<Vec<_>>()).unwrap();
            let mut weights = vec![1; omegas.len()];
            weights[twice] = 2;
            let repeated = [&omegas[..], &omegas[twice..=twice]].concat();
            prop_assert_eq!(ranked.lambda(&weights), lambda(&repeated).unwrap());
        }
    }
}
