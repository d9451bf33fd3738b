//! Fully connected layers.
use super::{Feature, Importer, Node, Order, Outputs, Tensor, Value, count, layers};
use crate::net::{Dense, Error, Op, Shape};

/// Reads `alpha · A · B + beta · C` with the image in A.
pub(super) fn gemm<'a>(importer: &mut Importer<'a>, node: &Node<'a>) -> Outputs<'a> {
    let input = flat_input(importer, node)?;
    if node.int("transA", 0) != 0 && input.len != 1 {
        let found = format!("transA over an image of {} values", input.len);
        return Err(node.misfit(found, "transA = 0, since the first axis is the batch"));
    }
    let weight = importer.required(node, 1, "matrix")?;
    let rows = if node.int("transB", 0) == 0 { MatrixRows::Inputs } else { MatrixRows::Outputs };
    let alpha = node.float("alpha", 1.0);
    let (mut weight, out) = matrix(importer, node, weight, rows, input.len)?;
    weight.iter_mut().for_each(|value| *value *= alpha);
    let bias = bias(importer, node, out)?;
    dense(importer, node, input, weight, bias, out)
}

/// Reads `A · B` with the image in A.
pub(super) fn matmul<'a>(importer: &mut Importer<'a>, node: &Node<'a>) -> Outputs<'a> {
    let input = flat_input(importer, node)?;
    let weight = importer.required(node, 1, "matrix")?;
    let (weight, out) = matrix(importer, node, weight, MatrixRows::Inputs, input.len)?;
    dense(importer, node, input, weight, None, out)
}

/// What a row of the file's matrix belongs to.
#[derive(Clone, Copy)]
enum MatrixRows {
    Inputs,
    Outputs,
}

struct Input {
    feature: Feature,
    /// The layer's shape.
    shape: Shape,
    /// Number of values.
    len: usize,
}

/// The image as one row: `1 × n`, or units besides.
fn flat_input<'a>(importer: &Importer<'a>, node: &Node<'a>) -> Result<Input, Error> {
    let feature = importer.feature(node, 0)?;
    let shape = importer.layers.get(feature.layer).shape;
    let len = shape.len();
    // Old exporters leave the flattening to the operator, so all axes after the batch count as one.
    let whole = feature.dims.first() == Some(&1) && count(&feature.dims) == Some(len);
    let per_position = node.op() == "MatMul" && feature.dims.len() > 2 && feature.dims.last() != Some(&len);
    if !whole || per_position || matches!(feature.order, Order::Swapped { .. }) {
        let found = format!("an input of dimensions {:?}", feature.dims);
        return Err(node.misfit(found, "1 × n: one row for the image (flatten it first)"));
    }
    Ok(Input { feature, shape, len })
}

/// The matrix as `[out][in]`, and `out`.
fn matrix<'a>(
    importer: &mut Importer<'a>,
    node: &Node<'a>,
    tensor: Tensor,
    rows: MatrixRows,
    inputs: usize,
) -> Result<(Vec<f32>, usize), Error> {
    let dims = tensor.dims.clone();
    let out = match (rows, dims.as_slice()) {
        (MatrixRows::Inputs, &[k, n]) if k == inputs => n,
        (MatrixRows::Outputs, &[n, k]) if k == inputs => n,
        _ => {
            let axis = if matches!(rows, MatrixRows::Inputs) { "rows" } else { "columns" };
            let expected = format!("a matrix with {inputs} {axis}, the number of inputs (does --input-size fit?)");
            return Err(node.misfit(format!("a constant of dimensions {dims:?}"), expected));
        }
    };
    let values = importer.floats(node, "matrix", tensor)?;
    match rows {
        MatrixRows::Outputs => Ok((values, out)),
        MatrixRows::Inputs => Ok((transpose(&values, inputs, out), out)),
    }
}

/// `[rows][columns]` to `[columns][rows]`.
fn transpose(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    let mut out = Vec::with_capacity(values.len());
    for column in 0..columns {
        out.extend((0..rows).map(|row| values[row * columns + column]));
    }
    out
}

/// `beta · C`, broadcast to one value per output.
fn bias<'a>(importer: &mut Importer<'a>, node: &Node<'a>, out: usize) -> Result<Option<Vec<f32>>, Error> {
    let Some(tensor) = importer.constant(node, 2)? else { return Ok(None) };
    let beta = node.float("beta", 1.0);
    let dims = tensor.dims.clone();
    let fits = match dims.as_slice() {
        [] | [1] | [1, 1] => true,
        [n] | [1, n] => *n == out,
        _ => false,
    };
    if !fits {
        return Err(node.misfit(format!("a bias of dimensions {dims:?}"), format!("{out} values, or one")));
    }
    let mut values = importer.floats(node, "bias", tensor)?;
    if let [value] = values[..] {
        values = vec![value; out];
    }
    values.iter_mut().for_each(|value| *value *= beta);
    Ok(Some(values))
}

fn dense<'a>(
    importer: &mut Importer<'a>,
    node: &Node<'a>,
    input: Input,
    mut weight: Vec<f32>,
    bias: Option<Vec<f32>>,
    out: usize,
) -> Outputs<'a> {
    node.unless_finite("matrix × alpha", &weight)?;
    node.unless_finite("bias × beta", bias.as_deref().unwrap_or_default())?;
    if input.feature.order == Order::ChannelsLast {
        weight = channels_first(&weight, input.shape);
    }
    let shape = layers::shape(&node.name, [out, 1, 1])?;
    let op = Op::Dense(Dense { weight, bias });
    let layer = importer.layers.push(&node.name, op, vec![input.feature.layer], shape);
    Ok(vec![Value::Feature(Feature { layer, dims: vec![1, out], order: Order::Same })])
}

/// Columns from row–column–channel order to channel–row–column order.
fn channels_first(weight: &[f32], shape: Shape) -> Vec<f32> {
    let pixels = shape.h * shape.w;
    let mut out = Vec::with_capacity(weight.len());
    for row in weight.chunks_exact(shape.len()) {
        for channel in 0..shape.c {
            out.extend((0..pixels).map(|pixel| row[pixel * shape.c + channel]));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matrices_turn_round() {
        assert_eq!(transpose(&[1., 2., 3., 4., 5., 6.], 2, 3), [1., 4., 2., 5., 3., 6.]);
        // Two pixels of two channels: file order p0c0 p0c1 p1c0 p1c1.
        assert_eq!(channels_first(&[1., 2., 3., 4.], Shape::new(2, 2, 1)), [1., 3., 2., 4.]);
    }
}
