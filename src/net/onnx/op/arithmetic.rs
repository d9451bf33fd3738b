//! Sums of tensors, and arithmetic with constants.
use super::{Feature, Importer, Node, Outputs, Tensor, Value, axis};
use crate::net::{Activation, Error, Op, Scale, Shape};

/// Reads `Add` and `Sum`: image tensors are summed, constants become a shift.
pub(super) fn add<'a>(importer: &mut Importer<'a>, node: &Node<'a>) -> Outputs<'a> {
    let mut terms: Vec<(Feature, Shape)> = Vec::new();
    let mut constants = Vec::new();
    for i in 0..node.proto.inputs.len() {
        match importer.value(node, i)? {
            Some(Value::Feature(_)) => terms.push(importer.plain(node, i)?),
            Some(_) => constants.push(i),
            None => return Err(node.misfit(format!("input {i} is missing"), "a tensor")),
        }
    }
    let Some((first, shape)) = terms.first().cloned() else {
        return Err(node.misfit("no inputs", "at least one"));
    };
    if let Some((_, other)) = terms.iter().find(|(term, other)| *other != shape || term.dims.len() != first.dims.len())
    {
        let found = format!("a sum of {shape} and {other}");
        return Err(node.misfit(found, "tensors of one shape (a sum that broadcasts has no edge rule)"));
    }
    let mut outputs = vec![Value::Feature(first)];
    if terms.len() > 1 {
        let inputs = terms.iter().map(|(term, _)| term.layer).collect();
        if let Some(Value::Feature(sum)) = outputs.first_mut() {
            sum.layer = importer.layers.push(&node.name, Op::Add, inputs, shape);
        }
    }
    let mut rank = 0;
    for i in constants {
        let Some(Value::Feature(feature)) = outputs.pop() else { break };
        importer.charge_computed(node, shape.c)?;
        let add = per_channel(importer, node, i, &feature, shape)?;
        outputs = affine(importer, node, (feature, shape), Scale { mul: vec![1.0; shape.c], add })?;
        rank = rank.max(constant_rank(importer, node, i)?);
    }
    Ok(of_rank(outputs, rank))
}

/// Reads `Sub`, `Mul`, `Div` with one constant, and `Neg`.
pub(super) fn scale<'a>(importer: &mut Importer<'a>, node: &Node<'a>) -> Outputs<'a> {
    let is_feature = |i| importer.value(node, i).map(|value| matches!(value, Some(Value::Feature(_))));
    let (left, right) = (is_feature(0)?, is_feature(1)?);
    if left && right {
        return Err(of_two_tensors(importer, node));
    }
    let at = usize::from(!left);
    let (feature, shape) = importer.plain(node, at)?;
    importer.charge_computed(node, 2 * shape.c)?;
    let constant = match node.op() {
        "Neg" => Vec::new(),
        _ => per_channel(importer, node, 1 - at, &feature, shape)?,
    };
    let same = |value: f32| vec![value; shape.c];
    let (mul, add) = match (node.op(), left) {
        ("Neg", _) => (same(-1.0), same(0.0)),
        ("Mul", _) => (constant, same(0.0)),
        ("Sub", true) => (same(1.0), constant.iter().map(|value| -value).collect()),
        ("Sub", false) => (same(-1.0), constant),
        ("Div", true) => (constant.iter().map(|value| 1.0 / value).collect(), same(0.0)),
        _ => return Err(node.not_monotone("division by a computed tensor")),
    };
    let rank = if node.op() == "Neg" { 0 } else { constant_rank(importer, node, 1 - at)? };
    affine(importer, node, (feature, shape), Scale { mul, add }).map(|outputs| of_rank(outputs, rank))
}

/// Number of dimensions of input `i`, if that is a constant.
fn constant_rank<'a>(importer: &Importer<'a>, node: &Node<'a>, i: usize) -> Result<usize, Error> {
    Ok(importer.constant(node, i)?.map_or(0, |tensor| tensor.dims.len()))
}

/// Features with leading units up to `rank`, as a constant of more dimensions gives them.
pub(super) fn of_rank(mut outputs: Vec<Value<'_>>, rank: usize) -> Vec<Value<'_>> {
    for value in &mut outputs {
        if let Value::Feature(feature) = value {
            let missing = rank.saturating_sub(feature.dims.len());
            feature.dims.splice(0..0, std::iter::repeat_n(1, missing));
        }
    }
    outputs
}

/// Appends a scale, unless it changes nothing.
fn affine<'a>(importer: &mut Importer<'a>, node: &Node<'a>, input: (Feature, Shape), scale: Scale) -> Outputs<'a> {
    let (feature, shape) = input;
    node.unless_finite("factor", &scale.mul)?;
    if scale.mul.iter().all(|mul| *mul == 1.0) && scale.add.iter().all(|add| *add == 0.0) {
        return Ok(vec![Value::Feature(feature)]);
    }
    Ok(importer.emit(node, Op::Scale(scale), &feature, shape))
}

/// Why the product, quotient or difference of two image tensors cannot be read.
fn of_two_tensors<'a>(importer: &Importer<'a>, node: &Node<'a>) -> Error {
    let sources: Vec<usize> = (0..2).filter_map(|i| importer.feature(node, i).ok()).map(|f| f.layer).collect();
    let gate = |a: usize, b: usize| match &importer.layers.get(a).op {
        Op::Activation(Activation::Sigmoid) if importer.layers.get(a).inputs == [b] => Some("Swish, x · Sigmoid(x)"),
        Op::Activation(Activation::HardSigmoid(..)) if importer.layers.get(a).inputs == [b] => {
            Some("HardSwish, x · HardSigmoid(x)")
        }
        _ => None,
    };
    if let (&[a, b], "Mul") = (sources.as_slice(), node.op()) {
        if let Some(name) = gate(a, b).or_else(|| gate(b, a)) {
            return node.not_monotone(name);
        }
        if a == b {
            return node.not_monotone("x · x");
        }
    }
    node.unknown("both inputs are computed from the image; gates and attention have no edge rule, only sums do")
}

/// Constant input `i`, broadcast over the feature, as one value per channel.
///
/// A shift that differs from pixel to pixel (a mean image) has one value per element. Errors: a constant that would enlarge
/// the feature; a factor that differs from pixel to pixel.
pub(super) fn per_channel<'a>(
    importer: &mut Importer<'a>,
    node: &Node<'a>,
    i: usize,
    feature: &Feature,
    shape: Shape,
) -> Result<Vec<f32>, Error> {
    let tensor = importer.required(node, i, "constant")?;
    let dims = broadcast_dims(importer, node, &tensor, feature.dims.len())?;
    let sizes = [shape.c, shape.h, shape.w];
    if dims.iter().zip(sizes).any(|(d, size)| *d != 1 && *d != size) {
        let found = format!("a constant of dimensions {:?} with a tensor of {shape}", tensor.dims);
        return Err(node.misfit(found, "one number, or one for each channel"));
    }
    let values = importer.floats(node, "constant", tensor)?;
    let pixels = dims[1] * dims[2];
    let varies = values.chunks_exact(pixels).any(|channel| channel.iter().any(|value| *value != channel[0]));
    if varies && !matches!(node.op(), "Add" | "Sum" | "Sub") {
        return Err(
            node.unknown("its constant differs from pixel to pixel; only constants per channel have an edge rule")
        );
    }
    if varies {
        importer.charge_computed(node, shape.len())?;
        return Ok(spread(&values, dims, sizes));
    }
    let mut channels: Vec<f32> = values.chunks_exact(pixels).map(|channel| channel[0]).collect();
    if let [value] = channels[..] {
        importer.charge_computed(node, shape.c)?;
        channels = vec![value; shape.c];
    }
    Ok(channels)
}

/// A constant of `dims` as one value per element of a tensor of `sizes`, channel-major.
fn spread(values: &[f32], dims: [usize; 3], sizes: [usize; 3]) -> Vec<f32> {
    let at = |axis: usize, position: usize| if dims[axis] == 1 { 0 } else { position };
    let mut spread = Vec::with_capacity(sizes.iter().product());
    for c in 0..sizes[0] {
        for y in 0..sizes[1] {
            let row = (at(0, c) * dims[1] + at(1, y)) * dims[2];
            spread.extend((0..sizes[2]).map(|x| values[row + at(2, x)]));
        }
    }
    spread
}

/// Dimensions of a constant along channels, rows and columns.
///
/// Aligned at the last axis, or before opset 7 at `axis` in the form with `broadcast`, and at the channels if they are slopes.
fn broadcast_dims<'a>(
    importer: &Importer<'a>,
    node: &Node<'a>,
    tensor: &Tensor,
    rank: usize,
) -> Result<[usize; 3], Error> {
    let mut dims = tensor.dims.clone();
    if importer.opset < 7 && node.op() == "PRelu" && dims.len() == 1 {
        dims.resize(rank.saturating_sub(1).max(1), 1);
    } else if importer.opset < 7 && node.int("broadcast", 0) != 0 && node.attribute("axis").is_some() {
        let start = axis(node, node.int("axis", 0), rank)?;
        dims.resize(dims.len().max(rank.saturating_sub(start)), 1);
    }
    let wrong = || {
        let found = format!("a constant of dimensions {:?} with a tensor of {rank} dimensions", tensor.dims);
        node.misfit(found, "a constant that does not enlarge the tensor")
    };
    // All axes, batch first.
    let missing = rank.checked_sub(dims.len());
    let all = match missing {
        Some(missing) => [vec![1; missing], dims].concat(),
        None => {
            let extra = dims.len() - rank;
            if dims.iter().take(extra).any(|d| *d != 1) {
                return Err(wrong());
            }
            dims.split_off(extra)
        }
    };
    if all.first().is_some_and(|batch| *batch != 1) || all.iter().skip(4).any(|d| *d != 1) {
        return Err(wrong());
    }
    let at = |i: usize| all.get(i).copied().unwrap_or(1);
    Ok([at(1), at(2), at(3)])
}
