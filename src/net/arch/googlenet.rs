//! GoogLeNet (Inception v1): torchvision's version with batch norms, and BVLC's of Caffe and MATLAB.
use super::builder::{At, ConvSpec, Net, Rounding, conv, square};
use crate::net::Error;

/// An inception module: its name after `inception`, and the channels of 1×1, 3×3 reduce, 3×3, third branch's reduce,
/// third branch, pool projection.
type Module = (&'static str, [usize; 6]);

const STAGE_3: [Module; 2] = [("3a", [64, 96, 128, 16, 32, 32]), ("3b", [128, 128, 192, 32, 96, 64])];
const STAGE_4: [Module; 5] = [
    ("4a", [192, 96, 208, 16, 48, 64]),
    ("4b", [160, 112, 224, 24, 64, 64]),
    ("4c", [128, 128, 256, 24, 64, 64]),
    ("4d", [112, 144, 288, 32, 64, 64]),
    ("4e", [256, 160, 320, 32, 128, 128]),
];
const STAGE_5: [Module; 2] = [("5a", [256, 160, 320, 32, 128, 128]), ("5b", [384, 192, 384, 48, 128, 128])];

/// torchvision: the third branch is 3×3, the fourth pooling 2×2.
pub(super) fn torchvision(net: &mut Net) -> Result<(), Error> {
    let (pool, ceil) = (square(3, 2, 0), Rounding::Ceil);
    let x = basic(net, "conv1", 0, conv(64, 7).stride(2).pad(3))?;
    let x = net.max_pool("maxpool1", x, pool, ceil)?;
    let x = basic(net, "conv2", x, conv(64, 1))?;
    let x = basic(net, "conv3", x, conv(192, 3).pad(1))?;
    let x = net.max_pool("maxpool2", x, pool, ceil)?;
    let x = modules(net, x, &STAGE_3, inception_torchvision)?;
    let x = net.max_pool("maxpool3", x, pool, ceil)?;
    let x = modules(net, x, &STAGE_4, inception_torchvision)?;
    let x = net.max_pool("maxpool4", x, square(2, 2, 0), ceil)?;
    let x = modules(net, x, &STAGE_5, inception_torchvision)?;
    let x = net.adaptive_average("avgpool", x, [1, 1])?;
    net.dense("fc", x, [1024, 1000])?;
    Ok(())
}

/// BVLC: the third branch is 5×5, response normalisation, Caffe's layer names.
pub(super) fn caffe(net: &mut Net) -> Result<(), Error> {
    let (pool, ceil) = (square(3, 2, 0), Rounding::Ceil);
    let x = net.conv_relu("conv1/7x7_s2", 0, conv(64, 7).stride(2).pad(3).bias())?;
    let x = net.max_pool("pool1/3x3_s2", x, pool, ceil)?;
    let x = net.lrn(x);
    let x = net.conv_relu("conv2/3x3_reduce", x, conv(64, 1).bias())?;
    let x = net.conv_relu("conv2/3x3", x, conv(192, 3).pad(1).bias())?;
    let x = net.lrn(x);
    let x = net.max_pool("pool2/3x3_s2", x, pool, ceil)?;
    let x = modules(net, x, &STAGE_3, inception_caffe)?;
    let x = net.max_pool("pool3/3x3_s2", x, pool, ceil)?;
    let x = modules(net, x, &STAGE_4, inception_caffe)?;
    let x = net.max_pool("pool4/3x3_s2", x, pool, ceil)?;
    let x = modules(net, x, &STAGE_5, inception_caffe)?;
    let x = net.adaptive_average("pool5/7x7_s1", x, [1, 1])?;
    net.dense("loss3/classifier", x, [1024, 1000])?;
    Ok(())
}

type Inception = fn(&mut Net, At, &Module) -> Result<At, Error>;

fn modules(net: &mut Net, mut x: At, modules: &[Module], inception: Inception) -> Result<At, Error> {
    for module in modules {
        x = inception(net, x, module)?;
    }
    Ok(x)
}

fn inception_torchvision(net: &mut Net, x: At, (name, [a, b0, b, c0, c, d]): &Module) -> Result<At, Error> {
    let key = |branch: &str| format!("inception{name}.branch{branch}");
    let first = basic(net, &key("1"), x, conv(*a, 1))?;
    let second = basic(net, &key("2.0"), x, conv(*b0, 1))?;
    let second = basic(net, &key("2.1"), second, conv(*b, 3).pad(1))?;
    let third = basic(net, &key("3.0"), x, conv(*c0, 1))?;
    let third = basic(net, &key("3.1"), third, conv(*c, 3).pad(1))?;
    let fourth = net.max_pool(&key("4.0"), x, square(3, 1, 1), Rounding::Ceil)?;
    let fourth = basic(net, &key("4.1"), fourth, conv(*d, 1))?;
    Ok(net.concat(&format!("inception{name}.cat"), &[first, second, third, fourth]))
}

fn inception_caffe(net: &mut Net, x: At, (name, [a, b0, b, c0, c, d]): &Module) -> Result<At, Error> {
    let key = |layer: &str| format!("inception_{name}/{layer}");
    let first = net.conv_relu(&key("1x1"), x, conv(*a, 1).bias())?;
    let second = net.conv_relu(&key("3x3_reduce"), x, conv(*b0, 1).bias())?;
    let second = net.conv_relu(&key("3x3"), second, conv(*b, 3).pad(1).bias())?;
    let third = net.conv_relu(&key("5x5_reduce"), x, conv(*c0, 1).bias())?;
    let third = net.conv_relu(&key("5x5"), third, conv(*c, 5).pad(2).bias())?;
    let fourth = net.max_pool(&key("pool"), x, square(3, 1, 1), Rounding::Ceil)?;
    let fourth = net.conv_relu(&key("pool_proj"), fourth, conv(*d, 1).bias())?;
    Ok(net.concat(&key("output"), &[first, second, third, fourth]))
}

/// torchvision's `BasicConv2d`: `conv` without bias, `bn` with its own epsilon, ReLU.
fn basic(net: &mut Net, name: &str, x: At, spec: ConvSpec) -> Result<At, Error> {
    let x = net.conv(&format!("{name}.conv"), x, spec)?;
    let x = net.batch_norm(&format!("{name}.bn"), x, 0.001)?;
    Ok(net.relu(x))
}
