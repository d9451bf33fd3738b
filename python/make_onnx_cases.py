"""Writes the small ONNX files in fixtures/onnx and fixtures/hostile.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install onnx numpy
    /tmp/venv/bin/python python/make_onnx_cases.py

Every family of operators has one file; tests/net_onnx.rs knows what each must become. Weights are small integers in a
fixed order, so layouts can be checked by eye.
"""

import pathlib

import numpy as np
from onnx import TensorProto, helper, numpy_helper

ROOT = pathlib.Path(__file__).resolve().parent.parent / "fixtures"
F = TensorProto.FLOAT


def ramp(*shape):
    """1, 2, 3, … in the given shape."""
    return (np.arange(np.prod(shape)) + 1).astype(np.float32).reshape(shape)


def tensor(name, array):
    array = np.asarray(array)
    if array.dtype == np.float64:
        array = array.astype(np.float32)
    return numpy_helper.from_array(array, name)


def node(op, inputs, outputs, name=None, **attributes):
    inputs = inputs.split() if isinstance(inputs, str) else inputs
    return helper.make_node(op, inputs, outputs.split(), name=name or outputs.split()[0], **attributes)


def save(folder, name, nodes, weights=(), x=(1, 2, 6, 6), outputs=("y",), opset=13, ir=8, inputs=(), edit=None):
    values = [w if isinstance(w, TensorProto) else tensor(*w) for w in weights]
    declared = [helper.make_tensor_value_info("x", F, list(x))] + list(inputs)
    made = [helper.make_tensor_value_info(o, F, None) for o in outputs]
    graph = helper.make_graph(nodes, name, declared, made, initializer=values)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir, producer_name="")
    if edit:
        edit(model)
    data = model.SerializeToString(deterministic=True)
    path = ROOT / folder / f"{name}.onnx"
    path.write_bytes(data)
    return data


def ok(*args, **kwargs):
    return save("onnx", *args, **kwargs)


def bad(*args, **kwargs):
    return save("hostile", *args, **kwargs)


def i64(*values):
    return np.array(values, dtype=np.int64)


def windows():
    w = ("w", ramp(3, 2, 3, 3))
    ok("auto_pad", [
        node("Conv", "x w", "upper", auto_pad="SAME_UPPER", strides=[2, 2], kernel_shape=[3, 3]),
        node("Relu", "upper", "r"),
        node("MaxPool", "r", "lower", auto_pad="SAME_LOWER", strides=[2, 2], kernel_shape=[2, 2]),
        node("AveragePool", "lower", "y", auto_pad="VALID", kernel_shape=[2, 2]),
    ], [w])
    ok("ceil_mode", [node("MaxPool", "x", "y", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)], opset=10)
    ok("asymmetric_pad", [node("Conv", "x w", "c", pads=[0, 1, 2, 0]),
                          node("AveragePool", "c", "y", kernel_shape=[2, 2], pads=[0, 0, 1, 1], count_include_pad=1)],
       [w])
    ok("ceil_mode_average", [
        node("AveragePool", "x", "a", kernel_shape=[2, 3], strides=[2, 2], pads=[1, 0, 1, 1], ceil_mode=1,
             count_include_pad=1),
        node("AveragePool", "a", "y", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1, count_include_pad=1)],
        x=(1, 2, 5, 6), opset=11)
    ok("dilation", [node("Conv", "x w b", "y", dilations=[2, 1], pads=[2, 1, 2, 1])], [w, ("b", [1.0, 2.0, 3.0])])
    ok("groups", [node("Conv", "x w", "y", group=2)], [("w", ramp(4, 1, 3, 3))])


def weights():
    fill = helper.make_tensor("v", F, [1], [0.5])
    ok("constant_of_shape", [node("ConstantOfShape", "s", "w", value=fill), node("Conv", "x w", "y")],
       [("s", i64(3, 2, 3, 3))], opset=9, ir=3,
       inputs=[helper.make_tensor_value_info("s", TensorProto.INT64, [4])])
    kernel = ramp(1, 2, 1, 1)
    typed = helper.make_tensor("float_data", F, [1, 2, 1, 1], kernel.flatten())
    half = numpy_helper.from_array(kernel.astype(np.float16), "half")
    double = numpy_helper.from_array(kernel.astype(np.float64), "double")
    bits = (kernel.view(np.uint32) >> 16).astype(np.uint16)
    bfloat = helper.make_tensor("bfloat", TensorProto.BFLOAT16, [1, 2, 1, 1], bits.tobytes(), raw=True)
    kinds = ["raw", "float_data", "half", "double", "bfloat"]
    convolutions = [node("Conv", f"x {k}", f"c_{k}") for k in kinds]
    ok("data_types", [*convolutions, node("Concat", " ".join(f"c_{k}" for k in kinds), "y", axis=-3)],
       [("raw", kernel), typed, half, double, bfloat])
    constant = numpy_helper.from_array(kernel, "k")
    ok("constant_node", [node("Constant", "", "w", value=constant), node("Identity", "w", "w2"),
                         node("Conv", "x w2", "y")])
    ok("initializers_as_inputs", [node("Conv", "x w b", "y")], [("w", ramp(3, 2, 1, 1)), ("b", ramp(3))],
       opset=3, ir=3, x=("N", 2, "H", "W"),
       inputs=[helper.make_tensor_value_info("w", F, [3, 2, 1, 1]), helper.make_tensor_value_info("b", F, [3])])
    data = ramp(3, 2, 1, 1)
    (ROOT / "onnx" / "external.bin").write_bytes(b"skip" + data.tobytes())
    ok("external", [node("Conv", "x w", "y")], [external("w", data, "external.bin", 4)])
    bad("external_escape", [node("Conv", "x w", "y", name="conv")], [external("w", data, "../onnx/external.bin", 4)])
    bad("external_absolute", [node("Conv", "x w", "y")], [external("w", data, "/etc/passwd", 0)])
    bad("external_too_short", [node("Conv", "x w", "y")], [external("w", data, "external_escape.onnx", 1 << 40)])


def external(name, array, location, offset):
    value = TensorProto(name=name, data_type=F, dims=array.shape, data_location=TensorProto.EXTERNAL)
    for key, text in [("location", location), ("offset", str(offset)), ("length", str(array.nbytes))]:
        value.external_data.add(key=key, value=text)
    return value


def dense():
    ok("gemm", [node("Flatten", "x", "f"), node("Gemm", "f w c", "y", alpha=2.0, beta=0.5)],
       [("w", ramp(8, 3)), ("c", [[2.0, 4.0, 6.0]])], x=(1, 2, 2, 2))
    ok("gemm_old", [node("Reshape", "x", "f", shape=[1, -1]), node("Gemm", "f w c", "y", transB=1, broadcast=1)],
       [("w", ramp(3, 8)), ("c", ramp(3))], x=(1, 2, 2, 2), opset=3, ir=3)
    ok("matmul_add", [node("Reshape", "x shape", "f"), node("MatMul", "f w", "m"), node("Add", "b m", "a"),
                      node("Softmax", "a", "y")],
       [("shape", i64(0, -1)), ("w", ramp(8, 3)), ("b", ramp(3))], x=(1, 2, 2, 2))
    ok("shape_arithmetic", [
        node("Shape", "x", "s"),
        node("Constant", "", "zero", value=helper.make_tensor("z", TensorProto.INT64, [], [0])),
        node("Gather", "s zero", "n", axis=0), node("Unsqueeze", "n", "n1", axes=[0]),
        node("Slice", "s", "chw", starts=[1], ends=[4], axes=[0]),
        node("Constant", "", "minus", value=helper.make_tensor("m", TensorProto.INT64, [1], [-1])),
        node("Concat", "n1 minus", "target", axis=0), node("Reshape", "x target", "f"),
        node("Gemm", "f w", "y", transB=1)], [("w", ramp(3, 8))], x=(1, 2, 2, 2), opset=9)
    ok("channels_last", [
        node("Transpose", "x", "t", perm=[0, 3, 1, 2]), node("Conv", "t w", "c"), node("Add", "c b", "cb"),
        node("Transpose", "cb", "back", perm=[0, 2, 3, 1]), node("Reshape", "back shape", "f"),
        node("MatMul", "f m", "y")],
       [("w", ramp(2, 3, 1, 1)), ("b", ramp(1, 2, 1, 1)), ("shape", i64(-1, 8)), ("m", ramp(8, 1))], x=("N", 2, 2, 3))


def elementwise():
    ok("old_broadcast", [
        node("Mul", "x scale", "m", broadcast=1, axis=1), node("Add", "m shift", "a", broadcast=1, axis=1),
        node("BatchNormalization", "a g b mu v", "bn", is_test=1, spatial=1, consumed_inputs=[0, 0, 0, 1, 1],
             epsilon=1e-3),
        node("Relu", "bn", "y", consumed_inputs=[0])],
       [("scale", [2.0, 3.0]), ("shift", [1.0, -1.0]), ("g", ramp(2)), ("b", ramp(2)), ("mu", ramp(2)),
        ("v", ramp(2))],
       opset=6, ir=3)
    ok("constants", [
        node("Sub", "x mean", "s"), node("Div", "s std", "d"), node("Sub", "one d", "flip"), node("Relu", "flip", "r"),
        node("Neg", "r", "n"), node("Identity", "n", "y")],
       [("mean", ramp(2, 1, 1)), ("std", np.float32(4.0)), ("one", ramp(1, 1, 1, 1))])
    ok("mean_image", [node("Sub", "x mean", "s"), node("Relu", "s", "y")], [("mean", ramp(1, 2, 6, 6))], opset=7)
    ok("prelu", [node("PRelu", "x slope", "p"), node("PRelu", "p one", "y")],
       [("slope", [[[0.25]], [[0.5]]]), ("one", [0.125])])
    ok("activations", [
        node("LeakyRelu", "x", "leaky", alpha=0.1), node("Clip", "leaky lo hi", "relu6"),
        node("Clip", "relu6", "clip"),
        node("Sigmoid", "clip", "sigmoid"), node("Tanh", "sigmoid", "tanh"), node("HardSigmoid", "tanh", "hard"),
        node("Elu", "hard", "elu"), node("Selu", "elu", "selu", alpha=2.0, gamma=3.0),
        node("Softplus", "selu", "plus"),
        node("Softsign", "plus", "sign"), node("Max", "sign zero", "max"), node("Cast", "max", "y", to=F)],
       [("lo", np.float32(0)), ("hi", np.float32(6)), ("zero", np.float32(0))])
    ok("clip_old", [node("Clip", "x", "y", min=0.0, max=6.0)], opset=6)
    ok("lrn", [node("LRN", "x", "y", size=5, alpha=0.5, beta=0.25, bias=2.0)])
    ok("dropout_mask", [node("Dropout", "x", "d mask", ratio=0.5), node("Relu", "d", "y")], opset=7)


def joins():
    ok("sum", [node("Relu", "x", "a"), node("Tanh", "x", "b"), node("Sum", "x a b", "y")])
    ok("nested_sum", [node("Relu", "x", "a"), node("Add", "x a", "s"), node("Tanh", "s", "b"), node("Add", "s b", "t"),
                      node("Add", "t x", "y")])
    ok("two_outputs", [node("Relu", "x", "a"), node("Tanh", "a", "y"), node("Sigmoid", "a", "aux"),
                       node("Erf", "a", "unused")],
       outputs=("y", "aux"))
    ok("unnamed", [helper.make_node("Relu", ["x"], ["a"]), helper.make_node("Tanh", ["a"], ["y"])])


def views():
    ok("shuffle", [node("Reshape", "x five", "r"), node("Transpose", "r", "t", perm=[0, 2, 1, 3, 4]),
                   node("Reshape", "t four", "y")],
       [("five", i64(1, 2, 3, 2, 2)), ("four", i64(1, 6, 2, 2))], x=(1, 6, 2, 2))
    ok("option_a", [
        node("Slice", "x start end axes step", "s"), node("Pad", "s pads", "p"),
        node("Conv", "x w", "c", strides=[2, 2]),
        node("Add", "c p", "y")],
       [("start", i64(0, 0)), ("end", i64(2**62, 6)), ("axes", i64(2, -1)), ("step", i64(2, 2)),
        ("pads", i64(0, 1, 0, 0, 0, 1, 0, 0)), ("w", ramp(4, 2, 1, 1))])
    ok("option_a_old", [node("Slice", "x", "s", starts=[1], ends=[-1], axes=[3]),
                        node("Pad", "s", "y", pads=[0, 0, 1, 2, 0, 0, 0, 1], mode="constant", value=0.0)],
       opset=2, ir=3)
    ok("split", [node("Split", "x", "a b", axis=1), node("Relu", "a", "r"), node("Concat", "r b", "y", axis=1)])
    ok("reduce_mean", [node("ReduceMean", "x", "m", axes=[-2, -1], keepdims=0), node("Gemm", "m w", "y")],
       [("w", ramp(2, 3))])
    ok("reduce_mean_input", [node("ReduceMean", "x axes", "m"), node("Squeeze", "m last", "y")],
       [("axes", i64(2, 3)), ("last", i64(2, 3))], opset=18)
    ok("global_pool", [node("GlobalMaxPool", "x", "g"), node("Flatten", "g", "f"),
                       node("Unsqueeze", "f", "u", axes=[2, 3]), node("Relu", "u", "y")],
       opset=11)


def hostile():
    relu = node("Relu", "x", "y", name="act")
    bad("unknown_operator", [node("Einsum", "x", "y", name="attention", equation="ij->ji")])
    bad("unknown_domain", [helper.make_node("FusedConv", ["x"], ["y"], name="fused", domain="com.microsoft")])
    bad("not_monotone", [node("HardSwish", "x", "y", name="swish")], opset=14)
    bad("swish", [node("Sigmoid", "x", "s"), node("Mul", "x s", "y", name="gate")])
    bad("negative_slope", [node("LeakyRelu", "x", "y", name="leaky", alpha=-0.5)])
    bad("negative_prelu", [node("PRelu", "x s", "y", name="prelu")], [("s", [-1.0])])
    nan = ramp(1, 2, 1, 1)
    nan[0, 1] = np.nan
    bad("prelu_by_column", [node("PRelu", "x s", "y", name="prelu")], [("s", [0.25, 0.5])], x=(1, 2, 3, 2))
    norm = [("a", ramp(2)), ("t", np.array(True)), ("r", [0.5])]
    bad("training_norm", [node("BatchNormalization", "x a a a a", "y m v", name="bn", training_mode=1)], norm,
        opset=15)
    bad("training_norm_9", [node("BatchNormalization", "x a a a a", "y m v p q", name="bn")], norm, opset=9)
    bad("training_norm_6", [node("BatchNormalization", "x a a a a", "y", name="bn", is_test=0)], norm, opset=6)
    bad("training_dropout", [node("Dropout", "x r t", "y", name="drop")], norm)
    bad("training_dropout_6", [node("Dropout", "x", "y", name="drop", is_test=0)], norm, opset=6)
    bad("nan_weight", [node("Conv", "x w", "y", name="conv")], [("w", nan)])
    bad("wrong_kernel", [node("Conv", "x w", "y", name="conv")], [("w", ramp(1, 3, 1, 1))])
    bad("kernel_attribute", [node("Conv", "x w", "y", name="conv", kernel_shape=[2, 2])], [("w", ramp(1, 2, 1, 1))])
    bad("cycle", [node("Add", "x b", "a", name="first"), node("Relu", "a", "b"), node("Relu", "b", "y")])
    bad("missing_initializer", [node("Conv", "x w", "y", name="conv")])
    bad("missing_input", [node("Conv", "x", "y", name="conv")])
    bad("huge_dims", [node("ConstantOfShape", "s", "w"), node("Gemm", "x w", "y", name="fc")],
        [("s", i64(2**31, 2**31))], x=(1, 2**31))
    bad("huge_input", [relu], x=(1, 2**31, 2**31, 2**31))
    bad("huge_scale", [node("Mul", "x s", "y", name="scale")], [("s", [2.0])], x=(1, 2**32 - 1))
    bad("huge_weights", [node("ConstantOfShape", "s", "w"), node("Gemm", "x w", "y", name="fc")],
        [("s", i64(2**20, 2**15))], x=(1, 2**20))
    doubled = [node("Concat", f"k{i} k{i}", f"k{i + 1}", axis=0) for i in range(40)]
    bad("doubled_constants", doubled + [node("Reshape", "x k40", "y", name="view")], [("k0", i64(1))])
    bad("short_data", [node("Conv", "x w", "y", name="conv")],
        [TensorProto(name="w", data_type=F, dims=[1 << 30, 1], raw_data=b"1234")])
    bad("negative_pads", [node("MaxPool", "x", "y", name="pool", kernel_shape=[2, 2], pads=[-1, 0, 0, 0])])
    bad("negative_pad_node", [node("Pad", "x p", "y", name="pad")], [("p", i64(0, 0, -1, 0, 0, 0, 0, 0))])
    bad("zero_stride", [node("MaxPool", "x", "y", name="pool", kernel_shape=[2, 2], strides=[0, 1])])
    bad("padding_only", [node("AveragePool", "x", "y", name="pool", kernel_shape=[2, 2], pads=[2, 2, 2, 2])])
    bad("groups", [node("Conv", "x w", "y", name="conv", group=2)], [("w", ramp(3, 1, 1, 1))])
    bad("many_groups", [node("Conv", "x w", "y", name="conv", group=2**62)], [("w", ramp(4, 4, 1, 1))])
    bad("sum_of_shapes", [node("MaxPool", "x", "p", kernel_shape=[2, 2]), node("Add", "x p", "y", name="sum")])
    bad("wrong_reshape", [node("Reshape", "x s", "y", name="view")], [("s", i64(1, 71))])
    bad("rank", [node("Reshape", "x s", "r", name="view"), node("Relu", "r", "y")],
        [("s", i64(1, 2, 6, 6, *[1] * 61))])
    bad("open_size", [relu], x=("N", 2, "H", "W"))
    bad("two_images", [node("Sum", "x z", "y")], inputs=[helper.make_tensor_value_info("z", F, [1, 2, 6, 6])])
    bad("twice", [node("Relu", "x", "y"), node("Tanh", "x", "y", name="again")])
    bad("softmax_inside", [node("Softmax", "x", "s", name="attention", axis=1), node("Relu", "s", "y")])
    bad("quantised", [node("DequantizeLinear", "q s", "w", name="dq"), node("Conv", "x w", "y")],
        [("q", np.ones((1, 2, 1, 1), np.int8)), ("s", np.float32(0.5))])
    bad("no_output", [relu], outputs=())
    bad("negative_variance", [node("BatchNormalization", "x a a a v", "y", name="bn")],
        [("a", ramp(2)), ("v", [1.0, -1.0])])
    whole = ok("plain", [node("Conv", "x w", "c"), node("Relu", "c", "y")], [("w", ramp(3, 2, 3, 3))])
    for part in (1, len(whole) // 2, len(whole) - 1):
        (ROOT / "hostile" / f"truncated_{part * 4 // len(whole)}.onnx").write_bytes(whole[:part])
    (ROOT / "hostile" / "endless_varint.onnx").write_bytes(b"\x08" + b"\xff" * 64)
    (ROOT / "hostile" / "endless_length.onnx").write_bytes(b"\x3a" + b"\xff" * 9 + b"\x01")
    (ROOT / "hostile" / "empty.onnx").write_bytes(b"")
    (ROOT / "hostile" / "text.onnx").write_bytes(b"<html>404 Not Found</html>\n")
    nested = b""
    for _ in range(6000):  # graph in attribute in node in graph …
        nested = field(1, field(5, field(6, nested)))
    (ROOT / "hostile" / "nested.onnx").write_bytes(field(7, nested))


def field(number, data):
    """A length-delimited protobuf field."""
    length, size = b"", len(data)
    while size > 127:
        length, size = length + bytes([size & 127 | 128]), size >> 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + data


def layouts():
    """Channels-last inputs."""
    conv = [("w", ramp(3, 2, 1, 1))]
    first, back = [0, 3, 1, 2], [0, 2, 3, 1]
    turns = [node("Transpose", a, b, perm=perm)
             for a, b, perm in (("x", "p", first), ("p", "q", back), ("q", "r", first))]
    ok("turned_output", [node("Conv", "x w", "c"), node("Transpose", "c", "t", perm=back), node("Sigmoid", "t", "y")],
       conv, x=(1, 2, 2, 3))
    scales = [("a", ramp(3, 1, 1)), ("b", ramp(1, 1, 1, 1))]
    ok("folded_old", [node("Add", "u v", "k", broadcast=1, axis=0), node("Add", "x k", "y", broadcast=1, axis=1)],
       [("u", ramp(2, 2)), ("v", ramp(2))], opset=6, x=(1, 2, 2, 1))
    ok("constant_of_higher_rank", [node("Add", "a b", "k"), node("Mul", "x k", "m"), node("Add", "m c", "y")],
       [*scales, ("c", ramp(1, 1, 3, 1, 1))], x=(1, 3, 1, 1))
    ok("turned_three_times", [*turns, node("Conv", "r w", "y")], conv, x=(1, 4, 3, 2))


if __name__ == "__main__":
    for folder in ("onnx", "hostile"):
        (ROOT / folder).mkdir(parents=True, exist_ok=True)
    for family in (windows, weights, dense, elementwise, joins, views, layouts, hostile):
        family()
