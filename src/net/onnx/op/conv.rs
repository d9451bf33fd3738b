//! Convolution.
use super::{Importer, Node, Outputs, layers, window};
use crate::net::{Conv, Error, Op, Shape};

/// Reads a `Conv` of two spatial dimensions, grouped or not.
pub(super) fn conv<'a>(importer: &mut Importer<'a>, node: &Node<'a>) -> Outputs<'a> {
    let (feature, input) = importer.image(node, 0)?;
    let weight = importer.required(node, 1, "kernel")?;
    let groups = usize::try_from(node.int("group", 1)).ok().filter(|groups| *groups >= 1);
    let groups = groups.ok_or_else(|| node.misfit(format!("group {}", node.int("group", 1)), "at least 1"))?;
    let (out, kernel) = kernel_size(node, &weight.dims, input, groups)?;
    let placed = window::place(node, kernel, [input.h, input.w])?;
    let shape = layers::shape(&node.name, [out, placed.size[0], placed.size[1]])?;
    let weight = importer.floats(node, "kernel", weight)?;
    let bias = match node.input(2) {
        Some(_) => Some(importer.vector(node, 2, "bias", out)?),
        None => None,
    };
    let op = Op::Conv(Conv { weight, bias, window: placed.window, groups });
    Ok(importer.emit(node, op, &feature, shape))
}

/// Output channels and kernel size in the weight's dimensions, which must fit the input, the groups and the attributes.
fn kernel_size(node: &Node<'_>, dims: &[usize], input: Shape, groups: usize) -> Result<(usize, [usize; 2]), Error> {
    let wrong = |expected: String| node.misfit(format!("a kernel of dimensions {dims:?}"), expected);
    let &[out, channels, height, width] = dims else {
        return Err(wrong("out × in/groups × height × width (a 2-D network)".into()));
    };
    if channels.checked_mul(groups) != Some(input.c) {
        return Err(wrong(format!("one for {} input channels and group {groups}", input.c)));
    }
    if out == 0 || out % groups != 0 {
        return Err(wrong(format!("output channels that group {groups} divides")));
    }
    match window::pair(node, "kernel_shape")? {
        Some(kernel) if kernel != [height, width] => Err(wrong(format!("kernel_shape {kernel:?}"))),
        _ => Ok((out, [height, width])),
    }
}
