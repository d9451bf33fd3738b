//! Nodes whose result is a constant: weights that are generated or rearranged, and the integer arithmetic on shapes
//! that exporters leave in the file.
use std::rc::Rc;

use super::region::SliceSpan;
use super::{Data, Importer, Node, Outputs, Tensor, Value, axis, count, integers, region, sizes, view};
use crate::net::Error;

/// Reads a node of constants, or one that asks for a feature's shape.
pub(super) fn apply<'a>(importer: &mut Importer<'a>, node: &Node<'a>) -> Outputs<'a> {
    let tensor = match node.op() {
        "Constant" => return constant(node),
        "Identity" | "Dropout" => {
            let value = importer.value(node, 0)?.cloned();
            return value.map(|value| vec![value]).ok_or_else(|| node.misfit("no input", "a tensor"));
        }
        "ConstantOfShape" => constant_of_shape(importer, node)?,
        "Shape" => shape(importer, node)?,
        "Size" => {
            Tensor { dims: vec![], data: Data::Int(vec![dims(importer, node)?.iter().product::<usize>() as i64]) }
        }
        "Cast" => cast(node, importer.required(node, 0, "input")?),
        "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" => renamed(importer, node)?,
        "Transpose" => transpose(node, importer.required(node, 0, "input")?)?,
        "Gather" => gather(importer, node)?,
        "Slice" => slice(importer, node)?,
        "Concat" => concat(importer, node)?,
        "Add" | "Sub" | "Mul" | "Div" => arithmetic(importer, node)?,
        _ => {
            return Err(node.unknown(super::hint::hint(node.op())));
        }
    };
    if !matches!(tensor.data, Data::Fill(_)) {
        importer.charge_computed(node, tensor.len())?;
    }
    Ok(vec![Value::Constant(Rc::new(tensor))])
}

/// The value in a `Constant`'s attribute.
fn constant<'a>(node: &Node<'a>) -> Outputs<'a> {
    let tensor = if let Some(tensor) = node.attribute("value").and_then(|value| value.tensor.as_deref()) {
        return Ok(vec![Value::Stored(tensor)]);
    } else if let Some(value) = node.attribute("value_float") {
        Tensor { dims: vec![], data: Data::Float(vec![value.float]) }
    } else if let Some(value) = node.attribute("value_int") {
        Tensor { dims: vec![], data: Data::Int(vec![value.int]) }
    } else if let Some(value) = node.attribute("value_floats") {
        Tensor { dims: vec![value.floats.len()], data: Data::Float(value.floats.clone()) }
    } else if let Some(value) = node.attribute("value_ints") {
        Tensor::ints(value.ints.clone())
    } else {
        return Err(node.misfit("no dense numerical value", "a tensor, a number or a list"));
    };
    Ok(vec![Value::Constant(Rc::new(tensor))])
}

/// Most integers of a generated list; shapes are short.
const MAX_INTS: usize = 1 << 12;

fn constant_of_shape<'a>(importer: &Importer<'a>, node: &Node<'a>) -> Result<Tensor, Error> {
    let list = integers(node, importer.required(node, 0, "shape")?)?;
    let (dims, len) = sizes(&list).map_err(|(found, expected)| node.misfit(found, expected))?;
    let Some(proto) = node.attribute("value").and_then(|value| value.tensor.as_deref()) else {
        return Ok(Tensor { dims, data: Data::Fill(0.0) });
    };
    let value = Tensor::decode(proto, None).map_err(|(found, expected)| node.misfit(found, expected))?;
    let data = match (&value.data, value.as_scalar()) {
        (Data::Int(values), Some(_)) if len <= MAX_INTS => Data::Int(values.repeat(len)),
        (Data::Float(_), Some(value)) => Data::Fill(value),
        _ => return Err(node.misfit(format!("a value of {:?}", value.dims), "one number")),
    };
    Ok(Tensor { dims, data })
}

/// Dimensions of input 0, constant or not.
fn dims<'a>(importer: &Importer<'a>, node: &Node<'a>) -> Result<Vec<usize>, Error> {
    match importer.value(node, 0)? {
        Some(Value::Feature(feature)) => Ok(feature.dims.clone()),
        Some(Value::Constant(tensor)) => Ok(tensor.dims.clone()),
        Some(Value::Stored(tensor)) => {
            let (dims, _) = sizes(&tensor.dims).map_err(|(found, expected)| node.misfit(found, expected))?;
            Ok(dims)
        }
        _ => importer.required(node, 0, "input").map(|tensor| tensor.dims),
    }
}

fn shape<'a>(importer: &Importer<'a>, node: &Node<'a>) -> Result<Tensor, Error> {
    let dims = dims(importer, node)?;
    let rank = dims.len() as i64;
    let clamp = |at: i64| (if at < 0 { at.saturating_add(rank) } else { at }).clamp(0, rank) as usize;
    let (start, end) = (clamp(node.int("start", 0)), clamp(node.int("end", rank)));
    Ok(Tensor::ints(dims.get(start..end).unwrap_or_default().iter().map(|d| *d as i64).collect()))
}

fn cast(node: &Node<'_>, tensor: Tensor) -> Tensor {
    let to_float =
        matches!(node.int("to", 0), 1 | 10 | 11 | 16) || matches!(node.text("to"), "FLOAT" | "FLOAT16" | "DOUBLE");
    let data = match tensor.data {
        Data::Int(values) if to_float => Data::Float(values.into_iter().map(|value| value as f32).collect()),
        Data::Float(values) if !to_float => Data::Int(values.into_iter().map(|value| value as i64).collect()),
        data => data,
    };
    Tensor { data, ..tensor }
}

/// The same elements under other dimensions.
fn renamed<'a>(importer: &Importer<'a>, node: &Node<'a>) -> Result<Tensor, Error> {
    let tensor = importer.required(node, 0, "input")?;
    let dims = match node.op() {
        "Squeeze" if node.ints("axes").is_none() && node.input(1).is_none() => {
            tensor.dims.iter().copied().filter(|d| *d != 1).collect()
        }
        _ => view::renamed(importer, node, &tensor.dims, 1)?,
    };
    Ok(Tensor { dims, ..tensor })
}

/// Rearranges the axes.
fn transpose(node: &Node<'_>, tensor: Tensor) -> Result<Tensor, Error> {
    let perm = view::permutation(node, tensor.dims.len())?;
    let dims: Vec<usize> = perm.iter().map(|at| tensor.dims[*at]).collect();
    let data = match tensor.data {
        Data::Float(values) => Data::Float(permuted(&values, &tensor.dims, &perm)),
        Data::Int(values) => Data::Int(permuted(&values, &tensor.dims, &perm)),
        fill => fill,
    };
    Ok(Tensor { dims, data })
}

/// Elements in the order of the permuted axes; `values` has as many as `dims` say.
fn permuted<T: Copy>(values: &[T], dims: &[usize], perm: &[usize]) -> Vec<T> {
    let mut strides = vec![1usize; dims.len()];
    for i in (1..dims.len()).rev() {
        strides[i - 1] = strides[i].saturating_mul(dims[i]);
    }
    let (sizes, steps): (Vec<usize>, Vec<usize>) = perm.iter().map(|at| (dims[*at], strides[*at])).unzip();
    let mut position = vec![0usize; perm.len()];
    let mut at = 0;
    let mut out = Vec::with_capacity(values.len());
    while out.len() < values.len() {
        out.push(values[at]);
        for axis in (0..perm.len()).rev() {
            position[axis] += 1;
            at += steps[axis];
            if position[axis] < sizes[axis] {
                break;
            }
            at -= steps[axis] * position[axis];
            position[axis] = 0;
        }
    }
    out
}

/// Elements of a list at constant positions.
fn gather<'a>(importer: &Importer<'a>, node: &Node<'a>) -> Result<Tensor, Error> {
    let list = importer.required(node, 0, "list")?;
    let indices = importer.required(node, 1, "indices")?;
    let dims = indices.dims.clone();
    let &[size] = list.dims.as_slice() else {
        return Err(node.unknown("only elements of a list of constants can be gathered"));
    };
    let positions: Vec<usize> =
        integers(node, indices)?.iter().map(|at| axis(node, *at, size)).collect::<Result<_, _>>()?;
    let data = match list.data {
        Data::Float(values) => Data::Float(positions.iter().map(|at| values[*at]).collect()),
        Data::Int(values) => Data::Int(positions.iter().map(|at| values[*at]).collect()),
        fill => fill,
    };
    Ok(Tensor { dims, data })
}

/// A part of a list.
fn slice<'a>(importer: &Importer<'a>, node: &Node<'a>) -> Result<Tensor, Error> {
    let list = importer.required(node, 0, "list")?;
    let spans = region::spans(importer, node, &list.dims)?;
    let &[SliceSpan { begin, step, len }] = spans.as_slice() else {
        return Err(node.unknown("only a list of constants can be sliced"));
    };
    let data = match list.data {
        Data::Float(values) => Data::Float(values.into_iter().skip(begin).step_by(step).take(len).collect()),
        Data::Int(values) => Data::Int(values.into_iter().skip(begin).step_by(step).take(len).collect()),
        fill => fill,
    };
    Ok(Tensor { dims: vec![len], data })
}

/// Constants one after the other, along axis 0.
fn concat<'a>(importer: &mut Importer<'a>, node: &Node<'a>) -> Result<Tensor, Error> {
    let parts: Vec<Tensor> =
        (0..node.proto.inputs.len()).map(|i| importer.required(node, i, "part")).collect::<Result<_, _>>()?;
    let Some(first) = parts.first() else { return Err(node.misfit("no inputs", "at least one")) };
    let mut dims = first.dims.clone();
    if dims.is_empty() || axis(node, node.int("axis", 1), dims.len())? != 0 {
        return Err(node.unknown("only constants along axis 0 can be joined"));
    }
    if parts.iter().any(|part| part.dims.get(1..) != dims.get(1..)) {
        return Err(node.misfit("parts of different dimensions", "the same dimensions after the first"));
    }
    dims[0] = parts.iter().fold(0usize, |sum, part| sum.saturating_add(part.dims.first().copied().unwrap_or(0)));
    importer.charge_computed(node, count(&dims).unwrap_or(usize::MAX))?;
    let data = match parts.iter().all(|part| part.as_ints().is_some()) {
        true => Data::Int(parts.iter().filter_map(Tensor::as_ints).flatten().copied().collect()),
        false => Data::Float(parts.into_iter().flat_map(Tensor::into_floats).collect()),
    };
    Ok(Tensor { dims, data })
}

/// Elementwise arithmetic; operands are repeated along axes that only the other has, or that are 1.
fn arithmetic<'a>(importer: &mut Importer<'a>, node: &Node<'a>) -> Result<Tensor, Error> {
    let [a, mut b] = [importer.required(node, 0, "operand")?, importer.required(node, 1, "operand")?];
    b.dims = aligned(importer.opset, node, b.dims, a.dims.len())?;
    let dims = broadcast(&a.dims, &b.dims).ok_or_else(|| {
        let found = format!("constants of {:?} and {:?}", a.dims, b.dims);
        node.misfit(found, "operands of one shape, or of 1 where they differ")
    })?;
    importer.charge_computed(node, count(&dims).unwrap_or(usize::MAX))?;
    let data = match (&a.data, &b.data) {
        (Data::Int(x), Data::Int(y)) => {
            Data::Int(integer_arithmetic(node, &repeated(x, &a.dims, &dims), &repeated(y, &b.dims, &dims))?)
        }
        (Data::Fill(x), Data::Fill(y)) => Data::Fill(float_arithmetic(node.op(), *x, *y)),
        _ => {
            let (x_dims, y_dims) = (a.dims.clone(), b.dims.clone());
            let (x, y) = (repeated(&a.into_floats(), &x_dims, &dims), repeated(&b.into_floats(), &y_dims, &dims));
            Data::Float(x.iter().zip(&y).map(|(x, y)| float_arithmetic(node.op(), *x, *y)).collect())
        }
    };
    Ok(Tensor { dims, data })
}

/// Dimensions of the second operand, with units at the end where an operator set below 7 puts its first axis at `axis`.
fn aligned(opset: i64, node: &Node<'_>, mut dims: Vec<usize>, rank: usize) -> Result<Vec<usize>, Error> {
    if opset < 7 && node.int("broadcast", 0) != 0 && node.attribute("axis").is_some() {
        let start = axis(node, node.int("axis", 0), rank)?;
        dims.resize(dims.len().max(rank - start), 1);
    }
    Ok(dims)
}

/// Dimensions of two operands together, aligned at the last axis.
fn broadcast(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let rank = a.len().max(b.len());
    let at = |dims: &[usize], i: usize| (i + dims.len()).checked_sub(rank).map_or(1, |i| dims[i]);
    let one = |i: usize| match (at(a, i), at(b, i)) {
        (x, y) if x == y => Some(x),
        (1, d) | (d, 1) => Some(d),
        _ => None,
    };
    (0..rank).map(one).collect()
}

/// Elements of a tensor of `dims`, repeated to one of `out`, which [`broadcast`] made of them.
fn repeated<T: Copy>(values: &[T], dims: &[usize], out: &[usize]) -> Vec<T> {
    let mut all = values.to_vec();
    let mut behind = 1;
    for (i, size) in out.iter().enumerate().rev() {
        let own = (i + dims.len()).checked_sub(out.len()).map_or(1, |i| dims[i]);
        if own == 1 && *size != 1 && behind > 0 {
            all = all.chunks_exact(behind).flat_map(|part| part.repeat(*size)).collect();
        }
        behind *= size;
    }
    all
}

fn float_arithmetic(op: &str, x: f32, y: f32) -> f32 {
    match op {
        "Add" => x + y,
        "Sub" => x - y,
        "Mul" => x * y,
        _ => x / y,
    }
}

fn integer_arithmetic(node: &Node<'_>, x: &[i64], y: &[i64]) -> Result<Vec<i64>, Error> {
    let one = |(x, y): (&i64, &i64)| match node.op() {
        "Add" => x.checked_add(*y),
        "Sub" => x.checked_sub(*y),
        "Mul" => x.checked_mul(*y),
        _ => x.checked_div(*y),
    };
    let all: Option<Vec<i64>> = x.iter().zip(y).map(one).collect();
    all.ok_or_else(|| node.misfit("integer arithmetic that overflows or divides by zero", "sizes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_are_repeated_along_the_axes_that_they_lack() {
        assert_eq!(broadcast(&[3], &[1, 1]), Some(vec![1, 3]));
        assert_eq!(broadcast(&[2, 1], &[3]), Some(vec![2, 3]));
        assert_eq!(broadcast(&[2], &[3]), None);
        assert_eq!(repeated(&[1, 2], &[2, 1], &[2, 3]), [1, 1, 1, 2, 2, 2]);
        assert_eq!(repeated(&[1, 2], &[2], &[2, 2]), [1, 2, 1, 2]);
        assert_eq!(repeated(&[1, 2, 3, 4], &[2, 1, 2], &[2, 2, 2]), [1, 2, 1, 2, 3, 4, 3, 4]);
        assert_eq!(repeated::<i64>(&[], &[0, 1], &[0, 3]), [0i64; 0]);
        assert_eq!(repeated(&[7], &[], &[1, 1]), [7]);
    }

    #[test]
    fn permuting_axes() {
        let values: Vec<i64> = (0..6).collect();
        assert_eq!(permuted(&values, &[2, 3], &[1, 0]), [0, 3, 1, 4, 2, 5]);
        let values: Vec<i64> = (0..8).collect();
        assert_eq!(permuted(&values, &[2, 2, 2], &[2, 0, 1]), [0, 2, 4, 6, 1, 3, 5, 7]);
        assert_eq!(permuted::<i64>(&[], &[0, 3], &[1, 0]), [0i64; 0]);
        assert_eq!(permuted(&[7], &[], &[]), [7]);
    }
}
