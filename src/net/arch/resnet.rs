//! ResNet-18 (torchvision) and ResNet-20 for CIFAR-10 (akamaster): basic blocks.
use super::builder::{At, Net, Rounding, conv, square};
use crate::net::{Error, Op, Shape};

/// What a block's shortcut does where channels or size change.
#[derive(Clone, Copy)]
enum Shortcut {
    /// A strided 1×1 convolution and a batch norm: `downsample.0`, `downsample.1`.
    Projection,
    /// Option A: every second pixel, and zero channels on both sides.
    ZeroPadding,
}

pub(super) fn resnet18(net: &mut Net) -> Result<(), Error> {
    let x = net.conv_bn_relu(["conv1", "bn1"], 0, conv(64, 7).stride(2).pad(3))?;
    let x = net.max_pool("maxpool", x, square(3, 2, 1), Rounding::Floor)?;
    let x = stages(net, x, &[64, 128, 256, 512], 2, Shortcut::Projection)?;
    let x = net.adaptive_average("avgpool", x, [1, 1])?;
    net.dense("fc", x, [512, 1000])?;
    Ok(())
}

pub(super) fn resnet20_cifar10(net: &mut Net) -> Result<(), Error> {
    let x = net.conv_bn_relu(["conv1", "bn1"], 0, conv(16, 3).pad(1))?;
    let x = stages(net, x, &[16, 32, 64], 3, Shortcut::ZeroPadding)?;
    let x = net.adaptive_average("avgpool", x, [1, 1])?;
    net.dense("linear", x, [64, 10])?;
    Ok(())
}

/// `layer1.0`, `layer1.1`, …: `depth` blocks per stage; every stage but the first halves the size.
fn stages(net: &mut Net, mut x: At, widths: &[usize], depth: usize, shortcut: Shortcut) -> Result<At, Error> {
    for (stage, &width) in widths.iter().enumerate() {
        for block in 0..depth {
            let stride = if stage > 0 && block == 0 { 2 } else { 1 };
            let name = format!("layer{}.{block}", stage + 1);
            let short = match stride {
                1 => None,
                _ => Some(shortcut),
            };
            x = basic_block(net, &name, x, width, short)?;
        }
    }
    Ok(x)
}

/// Two 3×3 convolutions beside a shortcut; with stride 2 if the shortcut is not the identity (`None`).
fn basic_block(net: &mut Net, name: &str, x: At, width: usize, shortcut: Option<Shortcut>) -> Result<At, Error> {
    let stride = if shortcut.is_some() { 2 } else { 1 };
    let [conv1, bn1, conv2, bn2] = ["conv1", "bn1", "conv2", "bn2"].map(|layer| format!("{name}.{layer}"));
    let y = net.conv_bn_relu([&conv1, &bn1], x, conv(width, 3).stride(stride).pad(1))?;
    let y = net.conv_bn([&conv2, &bn2], y, conv(width, 3).pad(1))?;
    let short = match shortcut {
        None => x,
        Some(Shortcut::Projection) => projection(net, name, x, width)?,
        Some(Shortcut::ZeroPadding) => zero_padding(net, name, x, width),
    };
    Ok(net.add_relu(&format!("{name}.add"), y, short))
}

fn projection(net: &mut Net, name: &str, x: At, width: usize) -> Result<At, Error> {
    net.conv_bn([&format!("{name}.downsample.0"), &format!("{name}.downsample.1")], x, conv(width, 1).stride(2))
}

fn zero_padding(net: &mut Net, name: &str, x: At, width: usize) -> At {
    let Shape { c, h, w } = net.shape(x);
    let (h, w) = (h.div_ceil(2), w.div_ceil(2));
    let slice = Op::Slice { begin: [0; 3], step: [1, 2, 2] };
    let half = net.push(format!("{name}.shortcut.slice"), slice, &[x], Shape::new(c, h, w));
    let pad = Op::Pad { before: [width / 4, 0, 0] };
    net.push(format!("{name}.shortcut.pad"), pad, &[half], Shape::new(width, h, w))
}
