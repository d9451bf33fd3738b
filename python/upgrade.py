"""Models of opsets below 7 in today's words, because onnxruntime runs opset 7 and later only.

Covers what image networks of that time use: `broadcast` and `axis` of arithmetic, `shape` of Reshape, `paddings` of
Pad, the default axis of Concat, and attributes that no longer exist.
"""

import numpy as np
import onnx
from onnx import NodeProto, helper, numpy_helper

OLDEST = 7
OPTIONAL_BIAS = 11  # opset from which a Gemm needs no bias
GONE = {"consumed_inputs", "is_test", "spatial", "broadcast"}
ARITHMETIC = {"Add", "Sub", "Mul", "Div"}
FLAT = {"Flatten", "Gemm", "MatMul"}


def upgrade(model: onnx.ModelProto) -> None:
    """Rewrites a model of opset 1 to 6 in place as opset 7."""
    (opset,) = [entry for entry in model.opset_import if not entry.domain] or [model.opset_import.add()]
    if opset.version < OPTIONAL_BIAS:
        add_bias(model)
    if opset.version >= OLDEST:
        return
    opset.version = OLDEST
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    ranks = {name: len(tensor.dims) for name, tensor in constants.items()}
    ranks |= {i.name: len(i.type.tensor_type.shape.dim) for i in model.graph.input if i.name not in constants}
    nodes = list(model.graph.node)
    del model.graph.node[:]
    for node in nodes:
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        if node.op_type in ARITHMETIC and "axis" in attributes:
            align(model, node, attributes.pop("axis"), ranks)
        elif node.op_type == "PRelu" and ranks[node.input[1]] == 1:
            align(model, node, 1, ranks)
        ranks[node.output[0]] = rank(node, attributes, ranks, constants)
        rewrite(model, node, attributes)
        model.graph.node.append(node)
    for info in model.graph.input:  # a reshaped initialiser may be listed here with its old shape
        if info.name in constants:
            info.type.tensor_type.ClearField("shape")


def add_bias(model: onnx.ModelProto) -> None:
    """Gives a Gemm without bias, which exporters wrote before it was allowed, a bias of 0."""
    for node in model.graph.node:
        if node.op_type == "Gemm" and len(node.input) == 2:
            name = f"{node.output[0]}/zero"
            model.graph.initializer.append(numpy_helper.from_array(np.zeros(1, np.float32), name))
            node.input.append(name)


def rewrite(model: onnx.ModelProto, node: NodeProto, attributes: dict) -> None:
    """Gives one node the attributes and inputs that opset 7 asks for."""
    if node.op_type == "Reshape" and "shape" in attributes:
        name = f"{node.output[0]}/new_shape"
        model.graph.initializer.append(numpy_helper.from_array(np.array(attributes.pop("shape"), np.int64), name))
        node.input.append(name)
    if node.op_type == "Pad" and "paddings" in attributes:
        attributes["pads"] = attributes.pop("paddings")
    if node.op_type == "Concat":
        attributes.setdefault("axis", 1)
    if node.op_type in ("BatchNormalization", "Dropout"):
        del node.output[1:]
    del node.attribute[:]
    node.attribute.extend(helper.make_attribute(key, value) for key, value in attributes.items() if key not in GONE)


def align(model: onnx.ModelProto, node: NodeProto, axis: int, ranks: dict[str, int]) -> None:
    """Appends axes of length 1 to a node's second operand, so that numpy's broadcasting finds its first axis at `axis`."""
    rank, operand = ranks[node.input[0]], node.input[1]
    missing = rank - axis % rank - ranks[operand]
    if missing > 0:
        aligned = f"{node.output[0]}/aligned"
        axes = list(range(ranks[operand], ranks[operand] + missing))
        model.graph.node.append(helper.make_node("Unsqueeze", [operand], [aligned], axes=axes))
        node.input[1] = aligned


def rank(node: NodeProto, attributes: dict, ranks: dict[str, int], constants: dict[str, onnx.TensorProto]) -> int:
    """Number of axes of a node's output; 4 where nothing tells."""
    if node.op_type == "Reshape":
        return len(attributes["shape"]) if "shape" in attributes else int(constants[node.input[1]].dims[0])
    if node.op_type in FLAT:
        return 2
    return ranks.get(node.input[0], 4) if node.input else 4
