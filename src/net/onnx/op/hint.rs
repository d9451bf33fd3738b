//! What to do about operators that have no edge rule.

/// A sentence for the error that names the operator.
pub(super) fn hint(op: &str) -> &'static str {
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
