//! AlexNet: torchvision's single-tower version, and the grouped one of Caffe and MATLAB.
use super::builder::{Net, Rounding, conv, square};
use crate::net::Error;

/// torchvision: `features.*`, `classifier.*`.
pub(super) fn torchvision(net: &mut Net) -> Result<(), Error> {
    let pool = square(3, 2, 0);
    let x = net.conv_relu("features.0", 0, conv(64, 11).stride(4).pad(2).bias())?;
    let x = net.max_pool("features.2", x, pool, Rounding::Floor)?;
    let x = net.conv_relu("features.3", x, conv(192, 5).pad(2).bias())?;
    let x = net.max_pool("features.5", x, pool, Rounding::Floor)?;
    let x = net.conv_relu("features.6", x, conv(384, 3).pad(1).bias())?;
    let x = net.conv_relu("features.8", x, conv(256, 3).pad(1).bias())?;
    let x = net.conv_relu("features.10", x, conv(256, 3).pad(1).bias())?;
    let x = net.max_pool("features.12", x, pool, Rounding::Floor)?;
    let x = net.adaptive_average("avgpool", x, [6, 6])?;
    head(net, x, ["classifier.1", "classifier.4", "classifier.6"])
}

/// BVLC AlexNet: Caffe's layer names.
pub(super) fn caffe(net: &mut Net) -> Result<(), Error> {
    let pool = square(3, 2, 0);
    let x = net.conv_relu("conv1", 0, conv(96, 11).stride(4).bias())?;
    let x = net.lrn(x);
    let x = net.max_pool("pool1", x, pool, Rounding::Ceil)?;
    let x = net.conv_relu("conv2", x, conv(256, 5).pad(2).groups(2).bias())?;
    let x = net.lrn(x);
    let x = net.max_pool("pool2", x, pool, Rounding::Ceil)?;
    let x = net.conv_relu("conv3", x, conv(384, 3).pad(1).bias())?;
    let x = net.conv_relu("conv4", x, conv(384, 3).pad(1).groups(2).bias())?;
    let x = net.conv_relu("conv5", x, conv(256, 3).pad(1).groups(2).bias())?;
    let x = net.max_pool("pool5", x, pool, Rounding::Ceil)?;
    head(net, x, ["fc6", "fc7", "fc8"])
}

fn head(net: &mut Net, x: usize, names: [&str; 3]) -> Result<(), Error> {
    let x = net.dense(names[0], x, [256 * 6 * 6, 4096])?;
    let x = net.relu(x);
    let x = net.dense(names[1], x, [4096, 4096])?;
    let x = net.relu(x);
    net.dense(names[2], x, [4096, 1000])?;
    Ok(())
}
