//! Pooling, global pooling, and means over space.
use super::{Feature, Importer, Node, Order, Outputs, Placed, Value, axis, layers, window};
use crate::net::{Error, Op, Pool, PoolKind, Shape, Window};

/// Reads `MaxPool`, `AveragePool` and their global forms.
pub(super) fn pool<'a>(importer: &mut Importer<'a>, node: &Node<'a>) -> Outputs<'a> {
    let (feature, input) = importer.image(node, 0)?;
    let placed = if node.op().starts_with("Global") {
        whole([input.h, input.w], [1, 1])
    } else {
        let kernel = window::pair(node, "kernel_shape")?;
        let kernel = kernel.ok_or_else(|| node.misfit("no kernel_shape", "a window size"))?;
        let placed = window::place(node, kernel, [input.h, input.w])?;
        check_padding(node, &placed, input)?;
        placed
    };
    let kind = match node.op() {
        "MaxPool" | "GlobalMaxPool" => PoolKind::Max,
        "AveragePool" if node.int("count_include_pad", 0) != 0 => PoolKind::AverageWithPad { after: placed.pad_after },
        _ => PoolKind::Average,
    };
    place(importer, node, (feature, input), kind, placed)
}

/// Appends the pooling layer, unless its window is a single element that stays where it is.
fn place<'a>(
    importer: &mut Importer<'a>,
    node: &Node<'a>,
    (feature, input): (Feature, Shape),
    kind: PoolKind,
    placed: Placed,
) -> Outputs<'a> {
    let shape = layers::shape(&node.name, [input.c, placed.size[0], placed.size[1]])?;
    if placed.window.kernel == [1, 1] && placed.window.pad == [0, 0] && shape == input {
        return Ok(vec![Value::Feature(feature)]);
    }
    Ok(importer.emit(node, Op::Pool(Pool { kind, window: placed.window }), &feature, shape))
}

/// One window over all of `size`.
fn whole(size: [usize; 2], out: [usize; 2]) -> Placed {
    let window = Window { kernel: size, stride: [1, 1], pad: [0, 0], dilation: [1, 1] };
    Placed { window, pad_after: [0, 0], size: out }
}

/// Every window must contain an element of the input.
fn check_padding(node: &Node<'_>, placed: &Placed, input: Shape) -> Result<(), Error> {
    let window = &placed.window;
    for (axis, size) in [input.h, input.w].into_iter().enumerate() {
        let (kernel, dilation) = (window.kernel[axis], window.dilation[axis]);
        let pads = [window.pad[axis], placed.pad_after[axis]];
        let extent = (kernel - 1) * dilation + 1; // checked when the window was placed
        if pads.iter().any(|pad| *pad >= extent) || (kernel > 1 && dilation > size && pads != [0, 0]) {
            let found = format!("padding {pads:?} of a window of {kernel} elements, dilation {dilation}");
            return Err(node.misfit(found, "windows that contain an element of the input"));
        }
    }
    Ok(())
}

/// Reads `ReduceMean` and `ReduceMax` over one or both spatial axes.
pub(super) fn reduce<'a>(importer: &mut Importer<'a>, node: &Node<'a>) -> Outputs<'a> {
    let feature = importer.feature(node, 0)?;
    let kind = if node.op() == "ReduceMax" { PoolKind::Max } else { PoolKind::Average };
    let rank = feature.dims.len();
    let listed = importer.int_list(node, "axes", 1)?.unwrap_or_default();
    if listed.is_empty() && node.int("noop_with_empty_axes", 0) != 0 {
        return Ok(vec![Value::Feature(feature)]);
    }
    let axes: Vec<usize> = listed.iter().map(|a| axis(node, *a, rank)).collect::<Result<_, _>>()?;
    let input = importer.layers.get(feature.layer).shape;
    // Pixels may have been flattened before: 1 × c × (h·w).
    let pixels = feature.dims == [1, input.c, input.h * input.w] && feature.order == Order::Same;
    if pixels && axes == [2] {
        return keep(importer, node, (feature, input), kind, &axes, whole([input.h, input.w], [1, 1]));
    }
    let (feature, input) = importer.plain(node, 0)?;
    if axes.is_empty() || axes.iter().any(|a| !(2..4).contains(a)) {
        return Err(node.unknown(format!("axes {listed:?} are not the height and width of the image")));
    }
    let (rows, columns) = (axes.contains(&2), axes.contains(&3));
    let kernel = [if rows { input.h } else { 1 }, if columns { input.w } else { 1 }];
    let size = [if rows { 1 } else { input.h }, if columns { 1 } else { input.w }];
    keep(importer, node, (feature, input), kind, &axes, whole(kernel, size))
}

/// Appends the pooling layer, and drops or keeps the reduced axes.
fn keep<'a>(
    importer: &mut Importer<'a>,
    node: &Node<'a>,
    (feature, input): (Feature, Shape),
    kind: PoolKind,
    axes: &[usize],
    placed: Placed,
) -> Outputs<'a> {
    let keep = node.int("keepdims", 1) != 0;
    let mut dims = Vec::new();
    for (i, d) in feature.dims.iter().enumerate() {
        match axes.contains(&i) {
            true if keep => dims.push(1),
            true => {}
            false => dims.push(*d),
        }
    }
    let mut outputs = place(importer, node, (feature, input), kind, placed)?;
    if let Some(Value::Feature(feature)) = outputs.first_mut() {
        feature.dims = dims;
    }
    Ok(outputs)
}
