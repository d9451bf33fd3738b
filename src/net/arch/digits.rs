//! `fixtures/digits`: a small network for handwritten digits that has one of everything the edge rules tell apart.
use super::builder::{At, ConvSpec, Net, Rounding, conv, square};
use crate::net::{Error, Pool, PoolKind};

pub(super) fn digits(net: &mut Net) -> Result<(), Error> {
    let x = stem(net)?;
    let x = branches(net, x)?;
    let x = projection_block(net, x)?;
    let x = depthwise_block(net, x)?;
    let pool = Pool { kind: PoolKind::Average, window: square(2, 2, 0) };
    let x = net.pool("pool5", x, pool, Rounding::Floor)?;
    let x = net.dense("fc1", x, [192, 64])?;
    let x = net.relu(x);
    net.dense("fc2", x, [64, 10])?;
    Ok(())
}

/// A residual block with an identity shortcut, then max pooling: 16 × 8 × 8.
fn stem(net: &mut Net) -> Result<At, Error> {
    let short = conv_bn_relu(net, "1", 0, conv(16, 3).pad(1))?;
    let x = conv_bn_relu(net, "2a", short, conv(16, 3).pad(1))?;
    let x = conv_bn(net, "2b", x, conv(16, 3).pad(1))?;
    let x = net.add_relu("add2", x, short);
    net.max_pool("pool2", x, square(3, 2, 1), Rounding::Floor)
}

/// Two branches side by side: 1×1, and 1×1 then depthwise: 40 × 8 × 8.
fn branches(net: &mut Net, x: At) -> Result<At, Error> {
    let narrow = net.conv_relu("conv3a", x, conv(24, 1).bias())?;
    let wide = net.conv_relu("conv3b", x, conv(16, 1).bias())?;
    let wide = conv_bn_relu(net, "3c", wide, conv(16, 3).pad(1).groups(16))?;
    Ok(net.concat("concat3", &[narrow, wide]))
}

/// A residual block with stride, groups and a projection: 48 × 4 × 4.
fn projection_block(net: &mut Net, x: At) -> Result<At, Error> {
    let y = conv_bn_relu(net, "4a", x, conv(48, 3).stride(2).pad(1).groups(4))?;
    let y = conv_bn(net, "4b", y, conv(48, 3).pad(1))?;
    let short = conv_bn(net, "4s", x, conv(48, 1).stride(2))?;
    Ok(net.add_relu("add4", y, short))
}

/// A residual block whose sum has a sum as an addend.
fn depthwise_block(net: &mut Net, x: At) -> Result<At, Error> {
    let y = conv_bn_relu(net, "5a", x, conv(48, 3).pad(1).groups(48))?;
    let y = conv_bn(net, "5b", y, conv(48, 1))?;
    Ok(net.add_relu("add5", y, x))
}

fn conv_bn(net: &mut Net, suffix: &str, x: At, spec: ConvSpec) -> Result<At, Error> {
    net.conv_bn([&format!("conv{suffix}"), &format!("bn{suffix}")], x, spec)
}

fn conv_bn_relu(net: &mut Net, suffix: &str, x: At, spec: ConvSpec) -> Result<At, Error> {
    net.conv_bn_relu([&format!("conv{suffix}"), &format!("bn{suffix}")], x, spec)
}
