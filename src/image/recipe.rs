//! A [`Preprocess`] for the input of one network: checked once, applied to every image.

use super::decode::Picture;
use super::resize::{ResizedSide, resize};
use super::{Channels, Crop, Error, Preprocess, Resize};
use crate::net::Shape;

/// Preprocessing that fits a network's input.
#[derive(Debug)]
pub(super) struct Recipe {
    preprocess: Preprocess,
    /// Input of the network.
    pub shape: Shape,
}

impl Recipe {
    /// Checks that the constants fit the channels.
    pub(super) fn new(preprocess: Preprocess, shape: Shape) -> Result<Self, Error> {
        preprocess.check()?;
        for (key, values) in [("mean", &preprocess.mean), ("std", &preprocess.std)] {
            if ![1, shape.c].contains(&values.len()) {
                let message =
                    format!("{key} has {} values for an input of {shape}; expected 1 or {}", values.len(), shape.c);
                return Err(Error::Preprocess(message));
            }
        }
        Ok(Self { preprocess, shape })
    }

    /// Checks that it makes inputs from images.
    pub(super) fn check_images(&self) -> Result<(), Error> {
        if ![1, 3].contains(&self.shape.c) {
            let message = format!("images have 1 or 3 channels, the network's input is {}; use tensors", self.shape);
            return Err(Error::Preprocess(message));
        }
        let extreme =
            [0.0, 255.0].into_iter().find(|&pixel| (0..self.shape.c).any(|c| !self.value(pixel, c).is_finite()));
        match extreme {
            Some(pixel) => {
                Err(Error::Preprocess(format!("pixels of {pixel} exceed single precision; check scale and std")))
            }
            None => Ok(()),
        }
    }

    /// Checks that it neither resizes nor crops, which tensors cannot be.
    pub(super) fn check_tensors(&self) -> Result<(), Error> {
        match (self.preprocess.resize, self.preprocess.crop) {
            (Resize::None, Crop::None) => Ok(()),
            _ => Err(Error::Preprocess(
                "tensors are neither resized nor cropped; use `none`, or a file with scale, mean and std alone".into(),
            )),
        }
    }

    /// Number `value` of channel `channel`, as the network counts channels.
    pub(super) fn value(&self, value: f64, channel: usize) -> f32 {
        let of = |values: &[f64]| values[if values.len() == 1 { 0 } else { channel }];
        ((value * self.preprocess.scale - of(&self.preprocess.mean)) / of(&self.preprocess.std)) as f32
    }

    /// Which channel of the image is channel `channel` of the network's input.
    pub(super) fn source_channel(&self, channel: usize) -> usize {
        match self.preprocess.channels {
            Channels::Bgr if self.shape.c == 3 => 2 - channel,
            _ => channel,
        }
    }

    /// The network's input, channels-last, or what was found and what expected.
    pub(super) fn input(&self, picture: Picture) -> Result<Vec<f32>, (String, String)> {
        let Shape { c, h, w } = self.shape;
        let [height, width] = self.resized(&picture);
        let (y, x) =
            self.kept(height, h).zip(self.kept(width, w)).ok_or_else(|| self.misfit(&picture, height, width))?;
        let picture = resize(picture, &y, &x, self.preprocess.interpolation);
        let table: Vec<[f32; 256]> =
            (0..c).map(|channel| std::array::from_fn(|value| self.value(value as f64, channel))).collect();
        let order: Vec<usize> = (0..c).map(|channel| self.source_channel(channel)).collect();
        let pixels = picture.pixels.chunks_exact(c);
        Ok(pixels
            .flat_map(|pixel| order.iter().zip(&table).map(|(&from, table)| table[usize::from(pixel[from])]))
            .collect())
    }

    /// Height and width after resizing. The longer side is rounded down, as torchvision does.
    fn resized(&self, picture: &Picture) -> [u64; 2] {
        let sides = [picture.height as u64, picture.width as u64];
        match self.preprocess.resize {
            Resize::None => sides,
            Resize::Stretch => [self.shape.h as u64, self.shape.w as u64],
            Resize::ShortSide(length) => sides.map(|side| u64::from(length) * side / sides[0].min(sides[1])),
        }
    }

    /// The part of an axis that the network sees: the middle, the odd pixel as torchvision does (ties to even).
    fn kept(&self, resized: u64, wanted: usize) -> Option<ResizedSide> {
        let wanted = wanted as u64;
        let spare = resized.checked_sub(wanted).filter(|&spare| spare == 0 || self.preprocess.crop == Crop::Centre)?;
        let first = (spare as f64 / 2.0).round_ties_even() as u64;
        Some(ResizedSide { resized, kept: first..first + wanted })
    }

    fn misfit(&self, picture: &Picture, height: u64, width: u64) -> (String, String) {
        let Shape { h, w, .. } = self.shape;
        let (was_h, was_w) = (picture.height, picture.width);
        let found = match self.preprocess.resize {
            Resize::None => format!("{was_h} × {was_w} pixels (height × width)"),
            _ => format!("{was_h} × {was_w} pixels (height × width), {height} × {width} once resized"),
        };
        let expected = match self.preprocess.crop {
            Crop::None => format!("{h} × {w}; use preprocessing that resizes or crops"),
            Crop::Centre => format!("at least {h} × {w}, the network's input; use preprocessing that resizes to more"),
        };
        (found, expected)
    }
}
