//! SqueezeNet 1.0 and 1.1, torchvision's: `features.N` with fire modules, `classifier.1`.
use super::builder::{At, ConvSpec, Net, Rounding, conv, square};
use crate::net::Error;

/// One entry of `features` after the stem's convolution and ReLU.
#[derive(Clone, Copy)]
enum Stage {
    /// 3×3 max pooling, stride 2, ceil mode.
    Pool,
    /// A fire module: channels of the squeeze layer and of each of the two expand layers.
    Fire(usize, usize),
}
use Stage::{Fire, Pool};

pub(super) fn v1_0(net: &mut Net) -> Result<(), Error> {
    let fires =
        [Fire(16, 64), Fire(16, 64), Fire(32, 128), Pool, Fire(32, 128), Fire(48, 192), Fire(48, 192), Fire(64, 256)];
    squeezenet(net, conv(96, 7), &[&fires[..], &[Pool, Fire(64, 256)]].concat())
}

pub(super) fn v1_1(net: &mut Net) -> Result<(), Error> {
    let fires = [Fire(16, 64), Fire(16, 64), Pool, Fire(32, 128), Fire(32, 128), Pool, Fire(48, 192), Fire(48, 192)];
    squeezenet(net, conv(64, 3), &[&fires[..], &[Fire(64, 256), Fire(64, 256)]].concat())
}

/// The stem, a first pooling (`features.2`), `features` from number 3 on, and the classifier.
fn squeezenet(net: &mut Net, stem: ConvSpec, features: &[Stage]) -> Result<(), Error> {
    let mut x = net.conv_relu("features.0", 0, stem.stride(2).bias())?;
    for (i, feature) in [Pool].iter().chain(features).enumerate() {
        let name = format!("features.{}", i + 2);
        x = match *feature {
            Pool => net.max_pool(&name, x, square(3, 2, 0), Rounding::Ceil)?,
            Fire(squeeze, expand) => fire(net, &name, x, [squeeze, expand])?,
        };
    }
    let x = net.conv_relu("classifier.1", x, conv(1000, 1).bias())?;
    net.adaptive_average("classifier.3", x, [1, 1])?;
    Ok(())
}

fn fire(net: &mut Net, name: &str, x: At, [squeeze, expand]: [usize; 2]) -> Result<At, Error> {
    let x = net.conv_relu(&format!("{name}.squeeze"), x, conv(squeeze, 1).bias())?;
    let narrow = net.conv_relu(&format!("{name}.expand1x1"), x, conv(expand, 1).bias())?;
    let wide = net.conv_relu(&format!("{name}.expand3x3"), x, conv(expand, 3).pad(1).bias())?;
    Ok(net.concat(&format!("{name}.cat"), &[narrow, wide]))
}
