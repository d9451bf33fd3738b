//! The operators: one file per family, each function reads one node and returns what its outputs stand for.
mod activation;
mod arithmetic;
mod conv;
mod dense;
mod fold;
mod join;
mod norm;
mod pool;
mod region;
mod view;

use super::importer::{Importer, Value, reads_features};
use super::node::Node;
use crate::net::Error;

/// Values of a node's outputs, in order; those that nobody can use may be missing.
pub type Outputs<'a> = Result<Vec<Value<'a>>, Error>;

/// Reads one node. Its inputs are in `importer.values`.
pub fn apply<'a>(importer: &mut Importer<'a>, node: &Node<'a>) -> Outputs<'a> {
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
        "Flatten" => view::flatten(importer, node),
        "Reshape" => view::reshape(importer, node),
        "Squeeze" => view::squeeze(importer, node),
        "Unsqueeze" => view::unsqueeze(importer, node),
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

/// What to do about an operator without a rule.
fn hint(op: &str) -> &'static str {
    match op {
        "ConvTranspose" | "Upsample" | "Resize" => "only networks that reduce an image (classifiers) are covered",
        "QLinearConv"
        | "QLinearMatMul"
        | "ConvInteger"
        | "MatMulInteger"
        | "QuantizeLinear"
        | "DequantizeLinear"
        | "DynamicQuantizeLinear" => "the model is quantised: export it in float32",
        "LSTM" | "GRU" | "RNN" | "Attention" | "MultiHeadAttention" | "Einsum" => {
            "only feed-forward convolutional networks are covered"
        }
        "If" | "Loop" | "Scan" => "export the model without control flow (tracing instead of scripting)",
        "InstanceNormalization"
        | "LayerNormalization"
        | "GroupNormalization"
        | "MeanVarianceNormalization"
        | "LpNormalization" => "its statistics depend on the image, so an edge has no fixed weight",
        "Erf" => "this is part of GELU, which is not monotone",
        "ArgMax" | "TopK" | "ZipMap" => "remove it: the output should be the scores (logits)",
        "FusedConv" | "FusedGemm" | "FusedMatMul" => "save the model without ONNX Runtime's graph optimisation",
        _ => "simplify the model (onnxsim computes constants in advance) or replace this operator",
    }
}
