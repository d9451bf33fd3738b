//! From the pixels of a file to the numbers that a network was trained on.

use serde::{Deserialize, Serialize};

use super::error::Error;

/// What happens to an image before it enters the network, in this order: resize, crop, order of channels, then
/// `(pixel · scale − mean) / std` per channel with pixels from 0 to 255.
///
/// # Which one a network needs
/// The one it was trained with; no file of a network says it. By where the network comes from:
///
/// | source | preset | where it is written |
/// | --- | --- | --- |
/// | torchvision, most PyTorch models for ImageNet | `imagenet` | `weights.transforms()` prints it; newer weights resize to 232 or more, timm's `pretrained_cfg` has `mean`, `std`, `crop_pct`, `interpolation` |
/// | Caffe, and what was converted from it (also DeepScale's SqueezeNet) | `caffe` | `transform_param` of `train_val.prototxt` |
/// | PyTorch models for CIFAR-10 with ImageNet's constants | `cifar10` | `transforms.Normalize` in the training script |
/// | MATLAB | `matlab` | the network subtracts the mean itself: its first layer is a subtraction or batch normalisation |
/// | tensors that another program has prepared | `none` | |
///
/// The test is the accuracy: on labelled images it must be what the network's authors state. Wrong constants often cost
/// only a few points, a wrong order of channels more, values of the wrong size nearly everything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Preprocess {
    /// How the image gets its size.
    pub resize: Resize,
    /// What resizing makes of the pixels.
    pub interpolation: Interpolation,
    /// How the image gets the size of the network's input, once resized.
    pub crop: Crop,
    /// Order of the channels that the network takes; says nothing of grey images.
    pub channels: Channels,
    /// Factor for pixels, which are 0 to 255.
    pub scale: f64,
    /// What is subtracted, in units after `scale`: one value, or one per channel in the order of `channels`.
    pub mean: Vec<f64>,
    /// What is divided by: one value, or one per channel in the order of `channels`.
    pub std: Vec<f64>,
}

/// How an image gets its size. In TOML a number, `"stretch"` or `"none"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "ResizeText", into = "ResizeText")]
pub enum Resize {
    /// It keeps its own.
    None,
    /// The shorter side gets this length, the other keeps the proportions.
    ShortSide(u32),
    /// Both sides get the lengths of the network's input.
    Stretch,
}

/// How an image gets the size of the network's input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Crop {
    /// It must have it.
    None,
    /// The middle is cut out.
    Centre,
}

/// Order of three channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channels {
    /// Red, green, blue: PyTorch, TensorFlow, MATLAB.
    Rgb,
    /// Blue, green, red: Caffe.
    Bgr,
}

/// Weights of the pixels around, which always spread over all that becomes one pixel (antialiasing).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Interpolation {
    /// Triangle.
    Bilinear,
    /// Cubic with a = −0.5.
    Bicubic,
}

/// [`Resize`] as it is written.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum ResizeText {
    Side(u32),
    Word(String),
}

impl From<Resize> for ResizeText {
    fn from(resize: Resize) -> Self {
        match resize {
            Resize::None => Self::Word("none".into()),
            Resize::ShortSide(side) => Self::Side(side),
            Resize::Stretch => Self::Word("stretch".into()),
        }
    }
}

impl TryFrom<ResizeText> for Resize {
    type Error = String;

    fn try_from(text: ResizeText) -> Result<Self, String> {
        match text {
            ResizeText::Side(side) if side > 0 => Ok(Self::ShortSide(side)),
            ResizeText::Word(word) if word == "none" => Ok(Self::None),
            ResizeText::Word(word) if word == "stretch" => Ok(Self::Stretch),
            ResizeText::Side(side) => Err(format!("resize is {side}, expected at least 1")),
            ResizeText::Word(word) => Err(format!("resize is `{word}`, expected a length, `stretch` or `none`")),
        }
    }
}

impl Default for Preprocess {
    /// Nothing: the values as they are.
    fn default() -> Self {
        Self {
            resize: Resize::None,
            interpolation: Interpolation::Bilinear,
            crop: Crop::None,
            channels: Channels::Rgb,
            scale: 1.0,
            mean: vec![0.0],
            std: vec![1.0],
        }
    }
}

/// ImageNet's means and standard deviations of red, green and blue in 0 to 1, as PyTorch's models have them.
const MEAN: [f64; 3] = [0.485, 0.456, 0.406];
const STD: [f64; 3] = [0.229, 0.224, 0.225];
/// ImageNet's means of blue, green and red in 0 to 255, as Caffe's models have them.
const CAFFE_MEAN: [f64; 3] = [104.0, 117.0, 123.0];

impl Preprocess {
    /// The names that [`named`](Self::named) knows.
    pub const NAMES: [&'static str; 6] = ["none", "imagenet", "caffe", "squeezenet1_1-caffe", "cifar10", "matlab"];

    /// The preprocessing of a family of networks.
    pub fn named(name: &str) -> Option<Self> {
        let none = Self::default();
        let unit = Self { scale: 1.0 / 255.0, mean: MEAN.into(), std: STD.into(), ..none.clone() };
        let short_side = Self { resize: Resize::ShortSide(256), crop: Crop::Centre, ..none.clone() };
        Some(match name {
            "none" => none,
            "imagenet" => Self { resize: Resize::ShortSide(256), crop: Crop::Centre, ..unit },
            "caffe" | "squeezenet1_1-caffe" => Self { channels: Channels::Bgr, mean: CAFFE_MEAN.into(), ..short_side },
            "cifar10" => unit,
            "matlab" => Self { resize: Resize::Stretch, interpolation: Interpolation::Bicubic, ..none },
            _ => return None,
        })
    }

    /// Reads the text of a TOML file; what it leaves out is as in `none`.
    ///
    /// # Errors
    /// If it is no TOML, has an unknown key or a value that cannot be.
    pub fn from_toml(text: &str) -> Result<Self, Error> {
        let preprocess: Self = toml::from_str(text).map_err(|error| Error::Preprocess(error.to_string()))?;
        preprocess.check()?;
        Ok(preprocess)
    }

    /// Checks that all constants are numbers one can compute with.
    pub(super) fn check(&self) -> Result<(), Error> {
        let finite = |values: &[f64]| values.iter().all(|value| value.is_finite());
        let wrong = match self {
            _ if !(self.scale.is_finite() && self.scale != 0.0) => format!("scale is {}", self.scale),
            _ if !finite(&self.mean) || ![1, 3].contains(&self.mean.len()) => format!("mean is {:?}", self.mean),
            _ if !finite(&self.std) || ![1, 3].contains(&self.std.len()) || self.std.contains(&0.0) => {
                format!("std is {:?}", self.std)
            }
            _ => return Ok(()),
        };
        Err(Error::Preprocess(format!("{wrong}; expected finite numbers, one or three, scale and std not 0")))
    }
}
