//! How large perturbations are.

use std::fmt;
use std::str::FromStr;

use anyhow::bail;

use crate::cli::image_args::ImageArgs;
use crate::image::Preprocess;

/// `--norm`: `MIN..MAX`, or one norm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Norms(pub [f64; 2]);

/// Grey levels, of 255, by which an element changes at least and at most unless `--norm` says otherwise: root mean square.
const LEVELS: [f64; 2] = [0.01, 10.0];

impl Norms {
    /// What the flag says, or what suits the preprocessing.
    pub fn choose(flag: Option<Self>, images: &ImageArgs, n_inputs: usize) -> anyhow::Result<Self> {
        match flag {
            Some(norms) => Ok(norms),
            None if images.images.is_file() => {
                bail!("tensors do not say what their units are: --norm MIN..MAX is needed, in the units of the tensors")
            }
            None => Ok(Self::of_levels(&images.preprocess()?, n_inputs)),
        }
    }

    /// [`LEVELS`] in the units of the network's input, for all elements together.
    fn of_levels(preprocess: &Preprocess, n_inputs: usize) -> Self {
        let n = preprocess.std.len() as f64;
        let level = preprocess.std.iter().map(|std| (preprocess.scale / std).abs()).sum::<f64>() / n;
        Self(LEVELS.map(|levels| levels * level * (n_inputs as f64).sqrt()))
    }
}

impl FromStr for Norms {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (least, greatest) = text.split_once("..").unwrap_or((text, text));
        let norm = |text: &str| text.trim().parse::<f64>().ok().filter(|norm| norm.is_finite() && *norm > 0.0);
        let norms = norm(least).zip(norm(greatest)).filter(|(least, greatest)| least <= greatest);
        norms
            .map(|(least, greatest)| Self([least, greatest]))
            .ok_or("expected MIN..MAX, positive, e.g. 4..4000, or one norm")
    }
}

impl fmt::Display for Norms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.0[0], self.0[1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn norms_are_a_range_or_one() {
        assert_eq!("4..4000".parse(), Ok(Norms([4.0, 4000.0])));
        assert_eq!("0.5".parse(), Ok(Norms([0.5, 0.5])));
        for wrong in ["", "..", "4..", "..4", "0..4", "-1..4", "4..1", "a", "1..inf", "nan"] {
            assert!(wrong.parse::<Norms>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_default_follows_the_preprocessing() {
        // Caffe's networks take 0 to 255: nearly the norms from 4 to 4000 at 227×227.
        let Norms([least, greatest]) = Norms::of_levels(&Preprocess::default(), 3 * 227 * 227);
        assert!((least - 3.93).abs() < 0.01 && (greatest - 3932.0).abs() < 1.0, "{least} {greatest}");
        let unit = Preprocess { scale: 1.0 / 255.0, std: vec![0.25, 0.25, 0.25], ..Preprocess::default() };
        let Norms([scaled, _]) = Norms::of_levels(&unit, 3 * 227 * 227);
        assert!((scaled - least / 255.0 * 4.0).abs() < 1e-12);
    }
}
