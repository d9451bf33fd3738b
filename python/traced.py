"""An ONNX model run once by onnxruntime, with every tensor kept: shapes, constants and hidden values in one place.

All the checks read networks through this module, so none of them needs shape inference or constant folding of its
own. Tensors keep their batch axis, which is 1.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import NodeProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from upgrade import upgrade

# One input, one output, the same shape: adds no node and no edge.
ELEMENTWISE = set(
    "Relu LeakyRelu PRelu Clip Sigmoid Tanh HardSigmoid Elu Selu Softplus Softsign BatchNormalization LRN Dropout "
    "Identity Cast Softmax LogSoftmax Max Min Neg".split()
)
# Moves elements without changing them.
MOVES = set("Reshape Flatten Transpose Slice Pad Squeeze Unsqueeze Concat Split Gather".split())
ARITHMETIC = set("Add Sub Mul Div".split())
SUMS = set("Add Sum".split())
DENSE = set("Gemm MatMul".split())
MAX_POOLS = set("MaxPool GlobalMaxPool".split())
AVERAGE_POOLS = set("AveragePool GlobalAveragePool ReduceMean".split())
# Results that depend on a tensor's shape only.
SHAPES = set("Shape Size ConstantOfShape".split())


@dataclass(frozen=True)
class Window:
    """A sliding window, `(vertical, horizontal)`; `pad` is above and to the left, `pad_end` below and to the right."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    pad: tuple[int, int]
    pad_end: tuple[int, int]
    dilation: tuple[int, int]


@dataclass
class Traced:
    """A model, and the value of every tensor for one image."""

    model: onnx.ModelProto
    input: str
    values: dict[str, np.ndarray]
    data: set[str]  # names of tensors that depend on the image's values

    @property
    def nodes(self) -> list[NodeProto]:
        """The operations whose result depends on the image, in file order (which ONNX demands to be topological)."""
        return [node for node in self.model.graph.node if node.output[0] in self.data]

    def shape(self, tensor: str) -> tuple[int, ...]:
        """Shape of a tensor, batch axis included."""
        return self.values[tensor].shape

    def data_inputs(self, node: NodeProto) -> list[str]:
        """Inputs of a node that depend on the image."""
        return [name for name in node.input if name in self.data]

    def kind(self, node: NodeProto) -> str:
        """What a node means for the graph: a layer kind, or `pass`, `move`, `sum`."""
        n_data, op = len(self.data_inputs(node)), node.op_type
        kinds = {"Conv": "conv"}
        kinds |= dict.fromkeys(DENSE, "dense") | dict.fromkeys(MOVES, "move") | dict.fromkeys(ELEMENTWISE, "pass")
        kinds |= dict.fromkeys(MAX_POOLS, "max_pool") | dict.fromkeys(AVERAGE_POOLS, "average_pool")
        if op in ARITHMETIC and n_data == 1 and self.is_no_larger(node):
            return "pass"
        if op in SUMS and n_data == len(node.input):
            return "sum" if n_data > 1 else "pass"
        if op in kinds and (n_data == 1 or op == "Concat"):
            return kinds[op]
        raise ValueError(f"node `{node.name}` has operator `{op}` with {n_data} data inputs: no rule")

    def is_no_larger(self, node: NodeProto) -> bool:
        """True if a constant of a node with one data input broadcasts without repeating it."""
        return np.prod(self.shape(node.output[0])) == np.prod(self.shape(self.data_inputs(node)[0]))

    def window(self, node: NodeProto) -> Window:
        """The window of a convolution or pooling, with explicit padding that yields exactly the output's size."""
        attrs = attributes(node)
        size, out = (self.shape(n)[2:] for n in (node.input[0], node.output[0]))
        if node.op_type.startswith(("Global", "Reduce")):  # a mean may be over one axis only
            kernel = tuple(n if o == 1 else 1 for n, o in zip(size, [*out, 1, 1]))
            return Window(kernel, (1, 1), (0, 0), (0, 0), (1, 1))
        kernel = tuple(attrs.get("kernel_shape") or self.shape(node.input[1])[2:])
        stride, dilation = (tuple(attrs.get(name, (1, 1))) for name in ("strides", "dilations"))
        # what the output's size asks for; less than nothing where the last stride leaves elements over
        total = [(o - 1) * s + (k - 1) * d + 1 - n for o, s, k, d, n in zip(out, stride, kernel, dilation, size)]
        pad = tuple(attrs.get("pads", (0, 0))[:2])
        auto = attrs.get("auto_pad", b"NOTSET").decode()
        if auto.startswith("SAME"):
            pad = tuple((max(t, 0) + (auto == "SAME_LOWER")) // 2 for t in total)
        pad_end = tuple(max(t - p, 0) for t, p in zip(total, pad))
        return Window(kernel, stride, pad, pad_end, dilation)

    def dense_weight(self, node: NodeProto) -> np.ndarray:
        """`[out][in]` weights of a Gemm or MatMul."""
        attrs, weight = attributes(node), self.values[node.input[1]]
        if attrs.get("transA") or weight.ndim != 2:
            raise ValueError(f"node `{node.name}`: not a plain dense layer")
        return attrs.get("alpha", 1.0) * (weight if attrs.get("transB") else weight.T)

    def bias(self, node: NodeProto) -> np.ndarray | float:
        """Bias of a convolution or dense layer, in a shape that broadcasts with the output; 0 if it has none."""
        if len(node.input) < 3 or not node.input[2]:
            return 0.0
        bias = self.values[node.input[2]]
        return bias[:, None, None] if node.op_type == "Conv" else attributes(node).get("beta", 1.0) * bias

    def move(self, node: NodeProto, ids: dict[str, np.ndarray]) -> list[np.ndarray]:
        """Outputs of a moving node for integer inputs, by ONNX's own reference implementation; padding is 0."""
        feeds = {name: ids.get(name, self.values.get(name)) for name in node.input if name}
        if node.op_type == "Pad" and len(node.input) > 2 and node.input[2]:
            feeds[node.input[2]] = np.zeros_like(feeds[node.input[2]], dtype=np.int64)
        element = helper.np_dtype_to_tensor_dtype
        infos = [helper.make_tensor_value_info(name, element(v.dtype), None) for name, v in feeds.items()]
        outputs = [helper.make_tensor_value_info(name, onnx.TensorProto.INT64, None) for name in node.output]
        graph = helper.make_graph([node], "move", infos, outputs)
        single = helper.make_model(graph, opset_imports=self.model.opset_import, ir_version=self.model.ir_version)
        return ReferenceEvaluator(single).run(None, feeds)


def attributes(node: NodeProto) -> dict:
    """Attributes of a node by name."""
    return {a.name: helper.get_attribute_value(a) for a in node.attribute}


def load(path: Path, input_size: int | None = None) -> onnx.ModelProto:
    """Reads a model in single precision, up to its first output, and fixes its batch size to 1, and its height and
    width if `input_size` is given."""
    model = onnx.load(path)
    upgrade(model)
    keep_first_output(model)
    for tensor in model.graph.initializer:
        if tensor.data_type in (onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16, onnx.TensorProto.DOUBLE):
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float32), tensor.name))
    dims = image_input(model).type.tensor_type.shape.dim
    dims[0].dim_value = 1
    if input_size:
        for dim in dims[1:3] if is_channels_last(model) else dims[2:]:
            dim.dim_value = input_size
    for field in ("value_info", "output"):  # shapes written for another input size
        for info in getattr(model.graph, field):
            info.type.tensor_type.ClearField("shape")
    return model


def keep_first_output(model: onnx.ModelProto) -> None:
    """Drops the operations that the first output does not need."""
    needed, nodes = {model.graph.output[0].name}, []
    for node in reversed(model.graph.node):
        if needed & set(node.output):
            needed.update(node.input)
            nodes.insert(0, node)
    del model.graph.node[:], model.graph.output[1:]
    model.graph.node.extend(nodes)


def is_channels_last(model: onnx.ModelProto) -> bool:
    """True if all that happens to the image is a transposition to channels-first, as TensorFlow's exporter writes."""
    image = image_input(model).name
    readers = [node for node in model.graph.node if image in node.input and node.op_type != "Shape"]
    return bool(readers) and all(
        node.op_type == "Transpose" and attributes(node).get("perm") == [0, 3, 1, 2] for node in readers
    )


def image_input(model: onnx.ModelProto) -> onnx.ValueInfoProto:
    """The one input that is no initializer."""
    constants = {tensor.name for tensor in model.graph.initializer}
    (image,) = [info for info in model.graph.input if info.name not in constants]
    return image


def image_shape(model: onnx.ModelProto) -> tuple[int, ...]:
    """Shape of the input, batch axis included."""
    return tuple(dim.dim_value for dim in image_input(model).type.tensor_type.shape.dim)


def random_image(model: onnx.ModelProto, seed: int = 0) -> np.ndarray:
    """Standard normal values in the shape of the input."""
    return np.random.default_rng(seed).standard_normal(image_shape(model)).astype(np.float32)


def run(model: onnx.ModelProto, image: np.ndarray) -> dict[str, np.ndarray]:
    """Values of all tensors, constants included, by name."""
    open_model = onnx.ModelProto()
    open_model.CopyFrom(model)
    del open_model.graph.output[:]
    names = [node.output[0] for node in model.graph.node]
    names += [name for node in model.graph.node if node.op_type == "Split" for name in node.output[1:]]
    open_model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(open_model.SerializeToString(), options, ["CPUExecutionProvider"])
    name = image_input(model).name
    constants = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    return constants | {name: image} | dict(zip(names, session.run(names, {name: image})))


def trace(model: onnx.ModelProto, image: np.ndarray) -> Traced:
    """Runs the model on `image` ([1, c, h, w])."""
    name = image_input(model).name
    return Traced(model, name, run(model, image), set(dependents(model, name)))


def dependents(model: onnx.ModelProto, image: str) -> Iterator[str]:
    """Names of the tensors that depend on the values, not only on the shape, of `image`."""
    known = {image}
    yield image
    for node in model.graph.node:
        if node.op_type not in SHAPES and known & set(node.input):
            known.update(node.output)
            yield from (name for name in node.output if name)
