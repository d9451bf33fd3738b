//! Images, their perturbations, and what the network answers.

use std::borrow::Cow;

use rayon::prelude::*;

use super::signs::{Signs, check_output};
use super::{Case, Error};
use crate::forward::Forward;
use crate::graph::BlockStream;
use crate::kernel::LANES;
use crate::net::Network;
use crate::random::Stream;

/// An arm of an [`Experiment`]: a case that has its weights, and the direction in which every image is pushed.
#[derive(Clone, Debug)]
pub struct Arm {
    /// Which case.
    pub case: Case,
    /// `S_x` and `S_y`; none for random ones, other ones for each perturbation.
    pub signs: Option<Signs>,
}

/// What perturbation does to one image.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Outcome {
    /// Number of the arm in [`Experiment::arms`]; `part` in checkpoints.
    #[serde(rename = "part")]
    pub arm: usize,
    /// Number of the perturbation, from 0; its norm is [`Experiment::norms`]' at that place.
    pub perturbation: usize,
    /// Output alignment fraction.
    pub omega: f64,
    /// Share of the logits that have not changed, which Ω counts as following.
    pub unmoved: f64,
    /// Mean of `|y₂ − y₁|` over the logits.
    pub mean_change: f64,
    /// Their greatest.
    pub greatest_change: f64,
    /// Greatest logit of the image, the first on a tie.
    pub class_before: usize,
    /// Greatest logit of the perturbed image.
    pub class_after: usize,
}

/// One network, the directions in which its images are pushed, and how far.
#[derive(Debug)]
pub struct Experiment {
    forward: Forward,
    n_outputs: usize,
    /// What is tried.
    pub arms: Vec<Arm>,
    /// `‖δ‖₂` of each perturbation of an image, in units of the network's input.
    pub norms: Vec<f64>,
    /// Seed of all randomness.
    pub seed: u64,
}

/// The logits of each input of one batch.
type Logits = Vec<Vec<f32>>;

/// `n` norms from `least` to `greatest`, each the same multiple of the one before; `least` alone if `n` is 1.
pub fn norms([least, greatest]: [f64; 2], n: usize) -> Vec<f64> {
    let step = |k: usize| match n {
        _ if k == 0 || least == greatest => least,
        _ if k + 1 == n => greatest,
        _ => least * (greatest / least).powf(k as f64 / (n - 1) as f64),
    };
    (0..n).map(step).collect()
}

impl Experiment {
    /// Begins one on a network, whose graph the signs are of; without arms yet.
    ///
    /// # Errors
    /// [`Error::Output`] if the last layer of the graph is not what the network returns.
    pub fn new(net: &Network, forward: Forward, graph: &dyn BlockStream) -> Result<Self, Error> {
        check_output(net, graph, forward.logits_layer())?;
        let n_outputs = forward.n_outputs();
        Ok(Self { forward, n_outputs, arms: Vec::new(), norms: Vec::new(), seed: 0 })
    }

    /// Batches that an image takes.
    pub fn batches(&self) -> usize {
        self.n_inputs().div_ceil(LANES)
    }

    /// The outcomes of some images, given with their indices, channels-last: for each image by arm, then by perturbation.
    /// Batches of all images run in parallel on the current rayon pool.
    ///
    /// # Errors
    /// [`Error::Interrupted`] as soon as `stop` says so, [`Error::NotFinite`] if a logit is not finite.
    ///
    /// # Panics
    /// If an image or signs do not have the shapes of the network.
    pub fn run(
        &self,
        images: &[(usize, Vec<f32>)],
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Vec<Vec<Outcome>>, Error> {
        let batch = |index: usize| match stop() {
            true => Err(Error::Interrupted),
            false => self.batch(&images[index / self.batches()], index % self.batches()),
        };
        let logits: Vec<_> = (0..images.len() * self.batches()).into_par_iter().map(batch).collect::<Result<_, _>>()?;
        let outcomes = |(image, logits): (&(usize, Vec<f32>), &[Logits])| self.outcomes(image.0, &logits.concat());
        Ok(images.iter().zip(logits.chunks(self.batches())).map(outcomes).collect())
    }

    /// The image itself, and every perturbation of it in every direction.
    fn n_inputs(&self) -> usize {
        1 + self.arms.len() * self.norms.len()
    }

    /// Arm and perturbation of an input of an image; the first input is the image itself.
    fn place(&self, input: usize) -> Option<(usize, usize)> {
        let number = input.checked_sub(1)?;
        Some((number / self.norms.len(), number % self.norms.len()))
    }

    /// The logits of each input of one batch of an image.
    fn batch(&self, image: &(usize, Vec<f32>), batch: usize) -> Result<Logits, Error> {
        let first = batch * LANES;
        let inputs = first..self.n_inputs().min(first + LANES);
        let mut lanes: Vec<_> = image.1.iter().map(|&value| [value; LANES]).collect();
        for (lane, input) in inputs.clone().enumerate() {
            if let Some((arm, perturbation)) = self.place(input) {
                self.push(image.0, (arm, perturbation), |element, push| {
                    lanes[element][lane] = (f64::from(image.1[element]) + push) as f32;
                });
            }
        }
        let logits = self.forward.logits(&lanes);
        let lane = |lane: usize| logits.iter().map(|logit| logit[lane]).collect::<Vec<_>>();
        let logits: Vec<_> = (0..inputs.len()).map(lane).collect();
        if logits.iter().flatten().all(|logit| logit.is_finite()) {
            return Ok(logits);
        }
        let states = self.forward.states(&lanes);
        let checked = self.forward.check_finite(&states, inputs.len());
        checked.map(|()| logits).map_err(|source| Error::NotFinite { image: image.0, source })
    }

    /// Calls `each` with every element of `S_x δ`. The norm is summed in the order of the elements.
    pub(super) fn push(&self, image: usize, (arm, perturbation): (usize, usize), mut each: impl FnMut(usize, f64)) {
        let Arm { case, signs } = &self.arms[arm];
        let stream = Stream::new(&[self.seed, *case as u64, image as u64, perturbation as u64]);
        let n = self.forward.input_shape().len();
        let signs = match signs {
            Some(signs) => Cow::Borrowed(&signs.input),
            None => Cow::Owned(Signs::random_input(self.seed, [image as u64, perturbation as u64], n)),
        };
        let delta: Vec<_> = (0..n as u64).map(|element| stream.uniform(element)).collect();
        let scale = self.norms[perturbation] / delta.iter().map(|delta| delta.powi(2)).sum::<f64>().sqrt();
        for (element, (&sign, delta)) in signs.iter().zip(delta).enumerate() {
            each(element, f64::from(sign) * delta * scale);
        }
    }

    /// The outcomes of an image whose inputs gave these logits.
    fn outcomes(&self, image: usize, logits: &[Vec<f32>]) -> Vec<Outcome> {
        let outcome = |(input, after): (usize, &Vec<f32>)| {
            let (arm, perturbation) = self.place(input)?;
            let signs = match &self.arms[arm].signs {
                Some(signs) => Cow::Borrowed(&signs.output),
                None => {
                    Cow::Owned(Signs::random_output(self.seed, [image as u64, perturbation as u64], self.n_outputs))
                }
            };
            Some(Outcome { arm, perturbation, ..outcome(&signs, &logits[0], after) })
        };
        logits.iter().enumerate().filter_map(outcome).collect()
    }
}

/// What one perturbation has changed.
fn outcome(signs: &[i8], before: &[f32], after: &[f32]) -> Outcome {
    assert_eq!(signs.len(), before.len(), "a sign for every logit");
    let n = signs.len() as f64;
    let changes = || before.iter().zip(after).map(|(before, after)| f64::from(*after) - f64::from(*before));
    let aligned = signs.iter().zip(changes()).filter(|&(&sign, change)| f64::from(sign) * change >= 0.0).count();
    let unmoved = changes().filter(|&change| change == 0.0).count();
    Outcome {
        arm: 0,
        perturbation: 0,
        omega: aligned as f64 / n,
        unmoved: unmoved as f64 / n,
        mean_change: changes().map(f64::abs).sum::<f64>() / n,
        greatest_change: changes().map(f64::abs).fold(0.0, f64::max),
        class_before: greatest(before),
        class_after: greatest(after),
    }
}

/// Ω of the logits that have changed, from Ω of all and the share of those that have not, which follow by definition; ½ if
/// none has changed.
pub fn omega_of_moved(omega: f64, unmoved: f64) -> f64 {
    match unmoved < 1.0 {
        true => ((omega - unmoved) / (1.0 - unmoved)).clamp(0.0, 1.0),
        false => 0.5,
    }
}

/// Place of the greatest logit, the first on a tie.
fn greatest(logits: &[f32]) -> usize {
    (1..logits.len()).fold(0, |best, at| if logits[at] > logits[best] { at } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn norms_are_spaced_by_ratio() {
        let found = norms([4.0, 4000.0], 4);
        assert!(
            found.iter().zip([4.0, 40.0, 400.0, 4000.0]).all(|(a, b)| (a / b - 1.0_f64).abs() < 1e-12),
            "{found:?}"
        );
        assert_eq!((norms([4.0, 4000.0], 1), norms([4.0; 2], 3)), (vec![4.0], vec![4.0; 3]));
        assert_eq!((found[0], found[3]), (4.0, 4000.0));
    }

    #[test]
    fn an_outcome_counts_what_does_not_go_against_its_sign() {
        let found = outcome(&[1, 1, -1, -1, 1], &[0.0, 1.0, 2.0, 3.0, 4.0], &[1.0, 0.0, 1.0, 9.0, 4.0]);
        assert_eq!((found.omega, found.unmoved), (0.6, 0.2));
        assert_eq!((found.mean_change, found.greatest_change), (9.0 / 5.0, 6.0));
        assert_eq!((found.class_before, found.class_after), (4, 3));
        // Of the four that move two follow.
        assert!((omega_of_moved(found.omega, found.unmoved) - 0.5).abs() < 1e-15);
        assert_eq!((omega_of_moved(1.0, 1.0), omega_of_moved(0.2, 0.2), omega_of_moved(1.0, 0.2)), (0.5, 0.0, 1.0));
    }
}
