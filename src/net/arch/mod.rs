//! Named architectures: geometry and key names in code, parameters from safetensors or an initialiser.
//!
//! | name | input | key names and geometry |
//! | --- | --- | --- |
//! | `alexnet` | 224×224 | torchvision |
//! | `alexnet_caffe` | 227×227 | BVLC AlexNet (also MATLAB's): two groups, response normalisation; `conv1` … `fc8` |
//! | `digits` | 16×16, one channel | this project's `fixtures/digits`, key names in its README |
//! | `googlenet` | 224×224 | torchvision without the auxiliary heads or `transform_input`: images need mean 0.5, std 0.5 |
//! | `googlenet_caffe` | 224×224 | BVLC GoogLeNet without the auxiliary heads; `conv1/7x7_s2` … `loss3/classifier` |
//! | `resnet18` | 224×224 | torchvision |
//! | `resnet20_cifar10` | 32×32 | akamaster/pytorch_resnet_cifar10, option-A shortcuts |
//! | `shufflenet_v1_g4` | 224×224 | the ONNX model zoo's ShuffleNet v1, 4 groups; `conv3_0` … `pred` |
//! | `squeezenet1_0` | 224×224 | torchvision |
//! | `squeezenet1_1` | 227×227 | torchvision |
//!
//! All but `digits` take three channels; all end in logits (no softmax). Dropout, and adaptive pooling that keeps the
//! size, are left out. Keys are the layer's name and `weight`, `bias`, `running_mean` or `running_var`, joined by a dot.

mod alexnet;
mod builder;
mod digits;
mod googlenet;
mod init;
mod resnet;
mod shufflenet;
mod squeezenet;
mod weights;

pub use init::{Init, draw, fans, rng};
pub use weights::WeightSource;

use super::{Error, Network, Shape};
use builder::Net;

/// Largest input height or width, so that no size computation overflows.
const MAX_SIDE: usize = 1 << 14;

/// How to build one architecture: appends all layers after the input (layer 0).
type Architecture = fn(&mut Net) -> Result<(), Error>;

/// Name, default input (channels, side), recipe; sorted by name, in the order of [`names`].
const ARCHITECTURES: [(&str, [usize; 2], Architecture); 10] = [
    ("alexnet", [3, 224], alexnet::torchvision),
    ("alexnet_caffe", [3, 227], alexnet::caffe),
    ("digits", [1, 16], digits::digits),
    ("googlenet", [3, 224], googlenet::torchvision),
    ("googlenet_caffe", [3, 224], googlenet::caffe),
    ("resnet18", [3, 224], resnet::resnet18),
    ("resnet20_cifar10", [3, 32], resnet::resnet20_cifar10),
    ("shufflenet_v1_g4", [3, 224], shufflenet::v1_g4),
    ("squeezenet1_0", [3, 224], squeezenet::v1_0),
    ("squeezenet1_1", [3, 227], squeezenet::v1_1),
];

/// The names that [`build`] knows, sorted.
pub fn names() -> [&'static str; ARCHITECTURES.len()] {
    ARCHITECTURES.map(|(name, ..)| name)
}

/// Builds an architecture by name. `input_size` is `[height, width]`; by default the architecture's own.
///
/// Tensors in the file that the architecture does not use become a warning of the network. Fails on an unknown name, a
/// missing or misshapen or non-finite tensor, an unreadable file, or an input size that the layers cannot take.
///
/// ```
/// use frustration::net::arch::{Init, WeightSource, build};
/// let net = build("squeezenet1_1", WeightSource::Init { scheme: Init::Xavier, seed: 1 }, Some([67, 67]))?;
/// assert_eq!(net.layers.last().unwrap().shape.len(), 1000);
/// # Ok::<(), frustration::net::Error>(())
/// ```
pub fn build(name: &str, weights: WeightSource, input_size: Option<[usize; 2]>) -> Result<Network, Error> {
    let Some(&(name, [channels, side], recipe)) = ARCHITECTURES.iter().find(|(known, ..)| *known == name) else {
        return Err(Error::UnknownArchitecture { name: name.into(), known: names().join(", ") });
    };
    let [h, w] = input_size.unwrap_or([side; 2]);
    if h.max(w) > MAX_SIDE || h.min(w) == 0 {
        return Err(Error::misfit("input", format!("{h}×{w}"), format!("height and width from 1 to {MAX_SIDE}")));
    }
    let mut net = Net::new(weights::Params::open(weights)?, Shape::new(channels, h, w));
    recipe(&mut net)?;
    Ok(net.finish(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted() {
        assert!(names().is_sorted());
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let init = WeightSource::Init { scheme: Init::He, seed: 0 };
        let message = build("vgg", init, None).expect_err("no such architecture").to_string();
        assert!(message.contains("`vgg`") && message.contains("squeezenet1_1"), "{message}");
    }
}
