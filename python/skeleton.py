"""The linear skeleton of an ONNX network: what is left when only edges count.

Activations, normalisations and biases pass their input through (but a normalisation's scale may be asked to multiply
the weights before it, or stay where no layer is right before it); a pooling becomes a depthwise convolution with the
constant kernel 0.01 / √(window area). Then the hidden tensors z of the skeleton satisfy `z = A z` on every node but
the input's, with the adjacency matrix A of the network, sums and reorderings included: that is what is checked.

So that values neither vanish nor overflow in deep networks, every layer's weights are multiplied by a known gain, and
what is checked is `z / gain = A z`.
"""

from dataclasses import dataclass

import numpy as np
import onnx
from onnx import NodeProto, helper, numpy_helper

from plain_adjacency import POOL_WEIGHT, Layer, is_layer
from traced import Traced, run


@dataclass
class Skeleton:
    """The linear model under construction."""

    nodes: list[NodeProto]
    constants: dict[str, np.ndarray]
    gain: dict[str, float]  # by output tensor of a layer
    factors: dict[str, np.ndarray]  # of a layer's output channels, by its tensor
    other_scales: dict[str, np.ndarray]  # of the channels of a normalisation elsewhere, by its output tensor

    def factors_of(self, tensor: str, n_channels: int) -> np.ndarray:
        """Factors of a layer's output channels; 1 for a pooling that is none."""
        return self.factors.get(tensor, np.ones(n_channels, np.float32))

    def scaled(self, node: NodeProto) -> None:
        """Adds a batch normalisation that is in no layer's rows: its factors alone."""
        factors = self.constant(f"{node.output[0]}/factors", self.other_scales[node.output[0]][:, None, None])
        self.nodes.append(helper.make_node("Mul", [node.input[0], factors], [node.output[0]]))

    def constant(self, name: str, value: np.ndarray) -> str:
        """Adds a constant and returns its name."""
        self.constants[name] = value
        return name


def rms_gain(weight: np.ndarray) -> float:
    """One over the factor by which `weight` (outputs first) changes the size of independent inputs."""
    return 1.0 / (float(np.sqrt((weight.astype(np.float64) ** 2).sum() / len(weight))) or 1.0)


def linear_conv(net: Traced, skeleton: Skeleton, node: NodeProto, weight: np.ndarray, groups: int) -> None:
    """A convolution without bias whose output has the size and the name of `node`'s."""
    out, window = node.output[0], net.window(node)
    weight = weight * skeleton.factors_of(out, len(weight))[:, None, None, None]
    skeleton.gain[out] = rms_gain(weight)
    kernel = skeleton.constant(f"{out}/kernel", (weight * skeleton.gain[out]).astype(np.float32))
    geometry = {
        "kernel_shape": window.kernel, "strides": window.stride, "dilations": window.dilation,
        "pads": (*window.pad, *window.pad_end), "group": groups,
    }  # fmt: skip
    skeleton.nodes.append(helper.make_node("Conv", [node.input[0], kernel], [f"{out}/raw"], **geometry))
    reshape(net, skeleton, out)


def reshape(net: Traced, skeleton: Skeleton, out: str) -> None:
    """Gives `out/raw` the shape that the tensor `out` has in the network."""
    shape = skeleton.constant(f"{out}/shape", np.array(net.shape(out), np.int64))
    skeleton.nodes.append(helper.make_node("Reshape", [f"{out}/raw", shape], [out]))


def linear_pool(net: Traced, skeleton: Skeleton, node: NodeProto) -> None:
    """Every channel's window times one constant; a pooling over 1×1 windows keeps its values."""
    channels, kernel = net.shape(node.input[0])[1], net.window(node).kernel
    weight = POOL_WEIGHT / np.sqrt(np.prod(kernel)) if is_layer(net, node, "expand") else 1.0
    linear_conv(net, skeleton, node, np.full((channels, 1, *kernel), np.float32(weight)), channels)


def linear_dense(net: Traced, skeleton: Skeleton, node: NodeProto) -> None:
    """A matrix product without bias."""
    out, weight = node.output[0], net.dense_weight(node)
    weight = weight * skeleton.factors_of(out, len(weight))[:, None]
    skeleton.gain[out] = rms_gain(weight)
    matrix = skeleton.constant(f"{out}/kernel", np.ascontiguousarray((weight * skeleton.gain[out]).T, np.float32))
    skeleton.nodes.append(helper.make_node("MatMul", [node.input[0], matrix], [out]))


def add_node(net: Traced, skeleton: Skeleton, node: NodeProto) -> None:
    """Appends the linear counterpart of one operation."""
    kind = net.kind(node)
    if kind == "conv":
        weight = net.values[node.input[1]]
        linear_conv(net, skeleton, node, weight, net.shape(node.input[0])[1] // weight.shape[1])
    elif kind == "dense":
        linear_dense(net, skeleton, node)
    elif kind.endswith("_pool"):
        linear_pool(net, skeleton, node)
    elif node.output[0] in skeleton.other_scales:
        skeleton.scaled(node)
    elif kind == "pass":
        skeleton.nodes.append(helper.make_node("Identity", net.data_inputs(node), [node.output[0]]))
    elif kind == "sum":
        skeleton.nodes.append(helper.make_node("Sum", list(node.input), [node.output[0]]))
    else:
        for name in set(node.input) - net.data - {""}:
            skeleton.constant(name, net.values[name])
        if node.op_type == "Pad" and len(node.input) > 2 and node.input[2]:
            skeleton.constant(node.input[2], np.zeros_like(net.values[node.input[2]]))
        skeleton.nodes.append(node)


def hidden_values(
    net: Traced, graph: list[Layer], other_scales: dict[str, np.ndarray], image: np.ndarray
) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """Values of all tensors of the skeleton, and the gain of every layer's tensor that has one."""
    skeleton = Skeleton([], {}, {}, {layer.tensor: layer.factors for layer in graph}, other_scales)
    for node in net.nodes:
        add_node(net, skeleton, node)
    info = helper.make_tensor_value_info(net.input, onnx.TensorProto.FLOAT, image.shape)
    constants = [numpy_helper.from_array(value, name) for name, value in skeleton.constants.items()]
    graph = helper.make_graph(skeleton.nodes, "skeleton", [info], [], constants)
    model = helper.make_model(graph, opset_imports=net.model.opset_import, ir_version=max(4, net.model.ir_version))
    return run(model, image), skeleton.gain
