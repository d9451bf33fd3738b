//! Normalisations and softmax.
use super::{Importer, Node, Outputs, Value, axis};
use crate::net::{BatchNorm, Error, Lrn, Op, Shape};

/// Reads `BatchNormalization` with fixed statistics.
pub(super) fn batch_norm<'a>(importer: &mut Importer<'a>, node: &Node<'a>) -> Outputs<'a> {
    refuse_training(node, normalises_batches(importer.opset, node), "normalises by the statistics of the batch")?;
    let (feature, shape) = importer.plain(node, 0)?;
    if node.int("spatial", 1) == 0 && shape.h * shape.w > 1 {
        return Err(
            node.unknown("spatial = 0 has its own statistics for every pixel; only statistics per channel are covered")
        );
    }
    let norm = BatchNorm {
        gamma: importer.vector(node, 1, "scale", shape.c)?,
        beta: importer.vector(node, 2, "shift", shape.c)?,
        mean: importer.vector(node, 3, "mean", shape.c)?,
        var: importer.vector(node, 4, "variance", shape.c)?,
        epsilon: node.float("epsilon", 1e-5),
    };
    // The sum is NaN only if epsilon is.
    if let Some(channel) = norm.var.iter().position(|var| !(var + norm.epsilon > 0.0 && norm.epsilon.is_finite())) {
        let found = format!("variance {} + epsilon {} in channel {channel}", norm.var[channel], norm.epsilon);
        return Err(node.misfit(found, "a positive number"));
    }
    Ok(importer.emit(node, Op::BatchNorm(norm), &feature, shape))
}

/// True if a `BatchNormalization` is in training mode, by the convention of its operator set: `is_test` and, up to
/// opset 13, outputs for new statistics; then `training_mode`.
fn normalises_batches(opset: i64, node: &Node<'_>) -> bool {
    let has_statistics = node.proto.outputs.iter().skip(1).any(|name| !name.is_empty());
    match opset {
        ..7 => node.int("is_test", i64::from(!has_statistics)) == 0,
        7..14 => has_statistics,
        _ => node.int("training_mode", 0) != 0,
    }
}

/// Reads `Dropout`, which does nothing outside of training.
pub(super) fn dropout<'a>(importer: &mut Importer<'a>, node: &Node<'a>) -> Outputs<'a> {
    let trains = match importer.opset {
        ..7 => node.int("is_test", 1) == 0,
        7..12 => false,
        _ => importer.constant(node, 2)?.is_some_and(|flag| flag.as_scalar() != Some(0.0)),
    };
    refuse_training(node, trains, "drops elements by chance")?;
    importer.feature(node, 0).map(|feature| vec![Value::Feature(feature)])
}

fn refuse_training(node: &Node<'_>, trains: bool, effect: &str) -> Result<(), Error> {
    match trains {
        false => Ok(()),
        true => Err(node.unknown(format!(
            "it is in training mode and {effect}: export the model in evaluation mode (PyTorch: `model.eval()` and \
             `torch.onnx.export(..., training=TrainingMode.EVAL)`)"
        ))),
    }
}

/// Reads local response normalisation.
pub(super) fn lrn<'a>(importer: &mut Importer<'a>, node: &Node<'a>) -> Outputs<'a> {
    let (feature, shape) = importer.plain(node, 0)?;
    let (alpha, beta, bias) = (node.float("alpha", 1e-4), node.float("beta", 0.75), node.float("bias", 1.0));
    let size = usize::try_from(node.int("size", 0)).ok().filter(|size| (1..1 << 31).contains(size));
    match size {
        Some(size) if alpha.is_finite() && beta.is_finite() && bias.is_finite() => {
            Ok(importer.emit(node, Op::Lrn(Lrn { size, alpha, beta, bias }), &feature, shape))
        }
        _ => {
            let found = format!("size {}, alpha {alpha}, beta {beta}, bias {bias}", node.int("size", 0));
            Err(node.misfit(found, "a size of at least 1 and finite numbers"))
        }
    }
}

/// Reads `Softmax` and `LogSoftmax`, which must be over the channels and at the end.
pub(super) fn softmax<'a>(importer: &mut Importer<'a>, node: &Node<'a>) -> Outputs<'a> {
    let (mut feature, mut shape) = importer.plain(node, 0)?;
    let rank = feature.dims.len();
    let is_new = importer.opset >= 13;
    let at = axis(node, node.int("axis", if is_new { -1 } else { 1 }), rank)?;
    let pixels = shape.h * shape.w;
    // Before opset 13 all axes from `axis` on are one.
    let over_all = !is_new && at <= 1;
    if !over_all && at != 1 {
        return Err(node.unknown(format!("axis {at} is not the channels (axis 1)")));
    }
    if over_all && pixels > 1 {
        let flat = Shape::new(shape.len(), 1, 1);
        if let Some(Value::Feature(value)) = importer.emit(node, Op::Flatten, &feature, flat).pop() {
            (feature, shape) = (value, flat);
        }
    }
    if node.op() == "LogSoftmax" {
        importer
            .warnings
            .push(format!("layer `{}`: LogSoftmax is read as Softmax; the order of classes is the same", node.name));
    }
    Ok(importer.emit(node, Op::Softmax, &feature, shape))
}
