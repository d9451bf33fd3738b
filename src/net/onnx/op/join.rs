//! Concatenation.
use super::{Feature, Importer, Node, Order, Outputs, Value, axis, layers};
use crate::net::{Op, Shape};

/// Reads `Concat` along channels.
pub(super) fn concat<'a>(importer: &mut Importer<'a>, node: &Node<'a>) -> Outputs<'a> {
    let mut parts: Vec<(Feature, Shape)> = Vec::new();
    for i in 0..node.proto.inputs.len() {
        if !matches!(importer.value(node, i)?, Some(Value::Feature(_))) {
            return Err(node
                .unknown(format!("its input {i} is a constant; only tensors that depend on the image can be joined")));
        }
        parts.push(importer.plain(node, i)?);
    }
    let Some((first, shape)) = parts.first().cloned() else {
        return Err(node.misfit("no inputs", "at least one"));
    };
    let rank = first.dims.len();
    let at = axis(node, node.int("axis", 1), rank)?;
    if at != 1 {
        return Err(node.unknown(format!("axis {at} is not the channels (axis 1)")));
    }
    if let Some((_, other)) = parts.iter().find(|(f, s)| (s.h, s.w) != (shape.h, shape.w) || f.dims.len() != rank) {
        return Err(node.misfit(format!("tensors of {shape} and {other}"), "tensors of one height and width"));
    }
    if parts.len() == 1 {
        return Ok(vec![Value::Feature(first)]);
    }
    let channels = parts.iter().try_fold(0usize, |sum, (_, part)| sum.checked_add(part.c)).unwrap_or(usize::MAX);
    let shape = layers::shape(&node.name, [channels, shape.h, shape.w])?;
    let inputs = parts.iter().map(|(part, _)| part.layer).collect();
    let layer = importer.layers.push(&node.name, Op::Concat, inputs, shape);
    let mut dims = first.dims;
    if let Some(d) = dims.get_mut(1) {
        *d = channels;
    }
    Ok(vec![Value::Feature(Feature { layer, dims, order: Order::Same })])
}
