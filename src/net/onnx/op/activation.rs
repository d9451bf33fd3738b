//! Elementwise functions.
use super::{Feature, Importer, Node, Order, Outputs, Value, arithmetic};
use crate::net::{Activation, Error, Op};

/// Reads an activation; nothing if the operator is none. Errors: an activation that is not monotone.
pub(super) fn read<'a>(importer: &mut Importer<'a>, node: &Node<'a>) -> Result<Option<Vec<Value<'a>>>, Error> {
    let activation = match node.op() {
        "Relu" => Activation::Relu,
        "LeakyRelu" => Activation::LeakyRelu(slope(node, "slope", node.float("alpha", 0.01))?),
        "PRelu" => return prelu(importer, node).map(Some),
        "Clip" => clip(importer, node)?,
        "Sigmoid" => Activation::Sigmoid,
        "Tanh" => Activation::Tanh,
        "HardSigmoid" => {
            let beta = finite(node, "beta", node.float("beta", 0.5))?;
            Activation::HardSigmoid(slope(node, "alpha", node.float("alpha", 0.2))?, beta)
        }
        "Elu" => Activation::Elu(slope(node, "alpha", node.float("alpha", 1.0))?),
        "Celu" if node.float("alpha", 1.0) == 1.0 => Activation::Elu(1.0),
        "Selu" => {
            let gamma = slope(node, "gamma", node.float("gamma", 1.050_701))?;
            Activation::Selu(gamma, slope(node, "alpha", node.float("alpha", 1.673_263_2))?)
        }
        "Softplus" => Activation::Softplus,
        "Softsign" => Activation::Softsign,
        "HardSwish" | "Swish" | "Mish" | "Gelu" | "Abs" | "Sin" | "Cos" | "Sinh" | "Cosh" | "Tan" | "Reciprocal"
        | "Softmin" | "Shrink" | "Not" | "Hardmax" | "Mod" | "Pow" => return Err(node.not_monotone(node.op())),
        _ => return Ok(None),
    };
    emit(importer, node, activation).map(Some)
}

fn emit<'a>(importer: &mut Importer<'a>, node: &Node<'a>, activation: Activation) -> Outputs<'a> {
    // Elementwise: any arrangement of the elements will do.
    let feature = importer.feature(node, 0)?;
    let shape = importer.layers.get(feature.layer).shape;
    let layer = importer.layers.push(&node.name, Op::Activation(activation), vec![feature.layer], shape);
    Ok(vec![Value::Feature(Feature { layer, ..feature })])
}

/// A factor that must not be negative.
fn slope(node: &Node<'_>, what: &str, value: f32) -> Result<f32, Error> {
    match finite(node, what, value)? {
        value if value < 0.0 => Err(node.not_monotone(format!("{} with {what} {value}", node.op()))),
        value => Ok(value),
    }
}

fn finite(node: &Node<'_>, what: &str, value: f32) -> Result<f32, Error> {
    node.unless_finite(what, &[value]).map(|()| value)
}

/// Slopes that are the same for all pixels of a channel.
fn prelu<'a>(importer: &mut Importer<'a>, node: &Node<'a>) -> Outputs<'a> {
    let (feature, shape) = importer.plain(node, 0)?;
    let slopes = arithmetic::per_channel(importer, node, 1, &feature, shape)?;
    match slopes.iter().find(|value| **value < 0.0) {
        Some(negative) => Err(node.not_monotone(format!("PRelu with slope {negative}"))),
        None => emit(importer, node, Activation::PRelu(slopes)),
    }
}

/// Bounds as attributes, or as inputs since opset 11.
fn clip<'a>(importer: &Importer<'a>, node: &Node<'a>) -> Result<Activation, Error> {
    let bound = |i: usize, name: &str, default: f32| match importer.constant(node, i)? {
        None => Ok(node.float(name, default)),
        Some(tensor) => tensor
            .as_scalar()
            .ok_or_else(|| node.misfit(format!("{name} of dimensions {:?}", tensor.dims), "one number")),
    };
    bounds(node, bound(1, "min", f32::MIN)?, bound(2, "max", f32::MAX)?)
}

fn bounds(node: &Node<'_>, low: f32, high: f32) -> Result<Activation, Error> {
    if low <= high {
        return Ok(Activation::Clip(low, high));
    }
    Err(node.misfit(format!("bounds {low} and {high}"), "a lower bound that is not above the upper one"))
}

/// Reads `Max` and `Min` with one constant number: `max(x, 0)` is Relu.
pub(super) fn bound<'a>(importer: &mut Importer<'a>, node: &Node<'a>) -> Outputs<'a> {
    let numbers: Vec<Option<f32>> = (0..2)
        .map(|i| match importer.value(node, i)? {
            Some(Value::Feature(_)) | None => Ok(None),
            Some(_) => importer.constant(node, i).map(|tensor| tensor.and_then(|tensor| tensor.as_scalar())),
        })
        .collect::<Result<_, Error>>()?;
    let (at, number) = match numbers[..] {
        [None, Some(number)] if node.proto.inputs.len() == 2 => (0, number),
        [Some(number), None] if node.proto.inputs.len() == 2 => (1, number),
        _ => return Err(node.unknown("only the maximum or minimum with one constant number has an edge rule")),
    };
    let activation = match (node.op(), number) {
        ("Max", 0.0) => Activation::Relu,
        ("Max", low) => bounds(node, low, f32::MAX)?,
        (_, high) => bounds(node, f32::MIN, high)?,
    };
    let feature = importer.feature(node, at)?;
    if feature.order != Order::Same {
        importer.plain(node, at)?;
    }
    let shape = importer.layers.get(feature.layer).shape;
    let layer = importer.layers.push(&node.name, Op::Activation(activation), vec![feature.layer], shape);
    let rank = importer.constant(node, 1 - at)?.map_or(0, |tensor| tensor.dims.len());
    Ok(arithmetic::of_rank(vec![Value::Feature(Feature { layer, ..feature })], rank))
}
