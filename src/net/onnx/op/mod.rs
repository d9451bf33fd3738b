//! The operators: one file per family, each function reads one node and returns what its outputs stand for.
mod activation;
mod arithmetic;
mod conv;
mod dense;
mod fold;
mod hint;
mod join;
mod norm;
mod pool;
mod region;
mod view;

use hint::hint;

// What the operators share; each takes it from here.
use super::importer::{Feature, Importer, Order, Outputs, Value, axis, integers, reads_features, same_dims};
use super::layers;
use super::node::Node;
use super::tensor::{Data, MAX_RANK, Tensor, count, sizes};
use super::window::{self, Placed};

/// Reads one node. Its inputs are in `importer.values`.
pub(super) fn apply<'a>(importer: &mut Importer<'a>, node: &Node<'a>) -> Outputs<'a> {
    if !matches!(node.proto.domain, "" | "ai.onnx") {
        return Err(node.unknown(hint(node.op())));
    }
    if !reads_features(importer, node)? || node.op() == "Shape" || node.op() == "Size" {
        return fold::apply(importer, node);
    }
    match node.op() {
        "Conv" => conv::conv(importer, node),
        "Gemm" => dense::gemm(importer, node),
        "MatMul" => dense::matmul(importer, node),
        "MaxPool" | "AveragePool" | "GlobalMaxPool" | "GlobalAveragePool" => pool::pool(importer, node),
        "ReduceMean" | "ReduceMax" => pool::reduce(importer, node),
        "BatchNormalization" => norm::batch_norm(importer, node),
        "LRN" => norm::lrn(importer, node),
        "Softmax" | "LogSoftmax" => norm::softmax(importer, node),
        "Dropout" => norm::dropout(importer, node),
        "Identity" => importer.feature(node, 0).map(|feature| vec![Value::Feature(feature)]),
        "Cast" => view::cast(importer, node),
        "Flatten" | "Reshape" | "Squeeze" | "Unsqueeze" => view::rename(importer, node),
        "Transpose" => view::transpose(importer, node),
        "Slice" => region::slice(importer, node),
        "Split" => region::split(importer, node),
        "Pad" => region::pad(importer, node),
        "Concat" => join::concat(importer, node),
        "Add" | "Sum" => arithmetic::add(importer, node),
        "Sub" | "Mul" | "Div" | "Neg" => arithmetic::scale(importer, node),
        "Max" | "Min" => activation::bound(importer, node),
        _ => match activation::read(importer, node)? {
            Some(outputs) => Ok(outputs),
            None => Err(node.unknown(hint(node.op()))),
        },
    }
}
