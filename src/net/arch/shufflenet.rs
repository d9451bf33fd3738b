//! ShuffleNet v1 with 4 groups, as in the ONNX model zoo.
//!
//! Names are the zoo's without `gpu_0/` and the trailing `_0`s: `conv3_0`, `gconv1_0` … `gconv1_31` (grouped 1×1), `gconv3_0` …
//! `gconv3_15` (depthwise 3×3), each with a batch norm `…_bn`, and `pred`. The zoo's bottleneck is as wide as its
//! output (112 channels in the first unit, which has 24 more from the shortcut).
use super::builder::{At, ConvSpec, Net, Rounding, conv, square};
use crate::net::{Error, Pool, PoolKind};

const GROUPS: usize = 4;

pub(super) fn v1_g4(net: &mut Net) -> Result<(), Error> {
    let x = conv_bn(net, "conv3_0", 0, conv(24, 3).stride(2).pad(1))?;
    let x = net.relu(x);
    let mut x = net.max_pool("pool1", x, square(3, 2, 1), Rounding::Floor)?;
    let mut unit = 0;
    for (width, depth) in [(136, 4), (272, 8), (544, 4)] {
        for block in 0..depth {
            x = match block {
                0 => halving_unit(net, unit, x, width)?,
                _ => residual_unit(net, unit, x)?,
            };
            unit += 1;
        }
    }
    let x = net.adaptive_average("final_avg", x, [1, 1])?;
    net.dense("pred", x, [544, 1000])?;
    Ok(())
}

/// Halves the size; the input, average-pooled, is concatenated to make `width` channels.
fn halving_unit(net: &mut Net, unit: usize, x: At, width: usize) -> Result<At, Error> {
    let y = branch(net, unit, x, width - net.shape(x).c, 2)?;
    let pool = Pool { kind: PoolKind::Average, window: square(3, 2, 1) };
    let short = net.pool(&format!("unit{unit}.pool"), x, pool, Rounding::Floor)?;
    let joined = net.concat(&format!("unit{unit}.cat"), &[y, short]);
    Ok(net.relu(joined))
}

fn residual_unit(net: &mut Net, unit: usize, x: At) -> Result<At, Error> {
    let y = branch(net, unit, x, net.shape(x).c, 1)?;
    Ok(net.add_relu(&format!("unit{unit}.add"), y, x))
}

/// Grouped 1×1, channel shuffle, depthwise 3×3, grouped 1×1.
fn branch(net: &mut Net, unit: usize, x: At, width: usize, stride: usize) -> Result<At, Error> {
    let y = conv_bn(net, &format!("gconv1_{}", 2 * unit), x, conv(width, 1).groups(GROUPS))?;
    let y = net.relu(y);
    let y = net.shuffle(y, GROUPS);
    let y = conv_bn(net, &format!("gconv3_{unit}"), y, conv(width, 3).stride(stride).pad(1).groups(width))?;
    conv_bn(net, &format!("gconv1_{}", 2 * unit + 1), y, conv(width, 1).groups(GROUPS))
}

fn conv_bn(net: &mut Net, name: &str, x: At, spec: ConvSpec) -> Result<At, Error> {
    net.conv_bn([name, &format!("{name}_bn")], x, spec)
}
