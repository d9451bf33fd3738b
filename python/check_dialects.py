"""Random networks in every dialect of ONNX: logits, adjacency matrix and order of nodes, or a refusal in one sentence.

    .venv/bin/python python/check_dialects.py target/release/pipeline [--count 150] [--first SEED] [--keep DIR]

A network grows by one random operation at a time. It may change its layout on the way (channels first or last), shuffle
channels in four or five dimensions, meet constants of any shape that broadcasts, in the words of a random opset from 7 to
21, and end in any layout; now and then it holds something that must be refused (a normalisation or a dropout in training).

Beside every network grows its *twin*, in which only edges count: no activation, no bias, every pooling a depthwise
convolution with the constant kernel 0.01 / √(window area). For each network

- the logits of `forward` are those of ONNX Runtime, in the file's own order;
- `forward --states-dir` gives every layer's output as ONNX Runtime computes it;
- `z = A z` for the exported matrix A: the twin's tensor of every layer, as ONNX Runtime gives it, follows from those of the
  layers before it. Nodes are channels-last inside a layer, in the order of the file's tensor or of the shuffle that
  `inspect` names.

A refusal must be one line with exit code 1. At least two thirds of all networks must run.
"""

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import scipy.sparse as sp
from onnx import NodeProto, TensorProto, helper, numpy_helper

POOL_WEIGHT = 0.01
TOLERANCE = 2e-4
LEAST_RUNNING = 2 / 3
CHANNELS = 12


@dataclass
class Layer:
    """A layer that the graph must have: its tensor in the network and in the twin."""

    tensor: str
    twin: str
    channels_last: bool


@dataclass
class Growing:
    """A network and its twin under construction. Both have the same tensors by name; the twin's end in `~`."""

    rng: np.random.Generator
    opset: int
    shape: tuple[int, int, int]  # of the current tensor: channels, height, width
    last: bool  # channels last?
    x: str = "x"
    nodes: list[NodeProto] = field(default_factory=list)
    twins: list[NodeProto] = field(default_factory=list)
    constants: dict[str, np.ndarray] = field(default_factory=dict)
    layers: list[Layer] = field(default_factory=list)
    earlier: dict[str, tuple[tuple[int, int, int], bool]] = field(default_factory=dict)
    must_be_refused: str = ""
    n: int = 0

    def some(self, probability: float = 0.5) -> bool:
        """True with a probability."""
        return bool(self.rng.random() < probability)

    def pick(self, *choices):
        """One of the choices."""
        return choices[int(self.rng.integers(len(choices)))]

    def name(self, stem: str) -> str:
        """A new name."""
        self.n += 1
        return f"{stem.lower()}_{self.n}"

    def constant(self, value) -> str:
        """Adds a constant and returns its name; now and then it is a node's result."""
        value, name = np.asarray(value), self.name("k")
        if self.some(0.15):
            node = helper.make_node("Constant", [], [name], value=numpy_helper.from_array(value, name))
            self.nodes.append(node)
            self.twins.append(node)
        else:
            self.constants[name] = value
        return name

    def normal(self, *shape: int) -> str:
        """A constant of normal values."""
        return self.constant(self.rng.standard_normal(shape).astype(np.float32))

    def positive(self, *shape: int) -> str:
        """A constant of positive values."""
        return self.constant(self.rng.uniform(0.5, 2.0, shape).astype(np.float32))

    def physical(self) -> tuple[int, ...]:
        """Dimensions of the current tensor."""
        c, h, w = self.shape
        return (1, h, w, c) if self.last else (1, c, h, w)

    def axis(self, logical: int) -> int:
        """Where channels (0), rows (1) or columns (2) are; negative now and then."""
        at = (3, 1, 2)[logical] if self.last else logical + 1
        return at - 4 if self.some(0.3) and self.opset >= 11 else at

    def node(self, op: str, inputs: list[str], outputs: int = 1, **attributes) -> list[str]:
        """Appends an operation to the network only."""
        names = [self.name(op) for _ in range(outputs)]
        self.nodes.append(helper.make_node(op, inputs, names, names[0], **attributes))
        return names

    def passes(self, op: str, inputs: list[str], **attributes) -> None:
        """An operation on the current tensor that is no edge: the twin has nothing."""
        (y,) = self.node(op, inputs, **attributes)
        self.twins.append(helper.make_node("Identity", [f"{self.x}~"], [f"{y}~"]))
        self.x = y

    def moves(self, op: str, others: list[str], outputs: int = 1, **attributes) -> list[str]:
        """An operation that moves elements of the current tensor: the twin has the same."""
        names = self.node(op, [self.x, *others], outputs, **attributes)
        self.twins.append(helper.make_node(op, [f"{self.x}~", *others], [f"{y}~" for y in names], **attributes))
        self.x = names[0]
        return names

    def layer(self, y: str) -> None:
        """The current tensor is now `y`, the output of a layer."""
        self.x = y
        self.layers.append(Layer(y, f"{y}~", self.last))


def ints(g: Growing, values) -> str:
    """A constant of whole numbers."""
    return g.constant(np.array(values, np.int64))


def to_layout(g: Growing, last: bool) -> None:
    """Transposes to channels first or last, if that is not so."""
    if g.last != last:
        g.moves("Transpose", [], perm=[0, 2, 3, 1] if last else [0, 3, 1, 2])
        g.last = last


def conv(g: Growing) -> bool:
    """A convolution of any geometry."""
    c, h, w = g.shape
    groups = g.pick(*(n for n in (1, 1, 1, 2, 3, c) if c % n == 0))
    out = groups * g.pick(1, 2, 3)
    kernel, stride, dilation = ([g.pick(*choices) for _ in range(2)] for choices in ((1, 2, 3), (1, 1, 2), (1, 1, 2)))
    auto = g.pick("NOTSET", "NOTSET", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID")
    if auto.startswith("SAME"):
        dilation = [1, 1]
        size = [-(-n // s) for n, s in zip((h, w), stride)]
        geometry = {"auto_pad": auto}
    else:
        pads = [g.pick(0, 1) for _ in range(4)] if auto == "NOTSET" else [0] * 4
        reach = [n + pads[i] + pads[i + 2] - (kernel[i] - 1) * dilation[i] - 1 for i, n in enumerate((h, w))]
        if min(reach) < 0:
            return False
        size = [r // s + 1 for r, s in zip(reach, stride)]
        geometry = {"pads": pads} if auto == "NOTSET" else {"auto_pad": auto}
    if out > CHANNELS:
        return False
    to_layout(g, False)
    weight = g.rng.standard_normal((out, c // groups, *kernel)).astype(np.float32) / np.sqrt(c // groups * np.prod(kernel))
    kernel_name = g.constant(weight.astype(np.float32))
    geometry |= {"group": groups, "strides": stride, "dilations": dilation}
    if g.some():
        geometry["kernel_shape"] = kernel
    (y,) = g.node("Conv", [g.x, kernel_name, *([g.normal(out)] if g.some() else [])], **geometry)
    g.twins.append(helper.make_node("Conv", [f"{g.x}~", kernel_name], [f"{y}~"], **geometry))
    g.layer(y)
    g.shape = (out, *size)
    return True


def pool(g: Growing) -> bool:
    """A maximum or average over windows."""
    c, h, w = g.shape
    kernel, stride = ([g.pick(*choices) for _ in range(2)] for choices in ((1, 2, 3), (1, 2, 2)))
    pads = [g.pick(0, 0, 1) if kernel[i % 2] > 1 else 0 for i in range(4)]
    reach = [n + pads[i] + pads[i + 2] - kernel[i] for i, n in enumerate((h, w))]
    if min(reach) < 0 or kernel == [1, 1]:
        return False
    size = [r // s + 1 for r, s in zip(reach, stride)]
    to_layout(g, False)
    op = g.pick("MaxPool", "AveragePool")
    extra = {"count_include_pad": 1} if op == "AveragePool" and g.some() else {}
    (y,) = g.node(op, [g.x], kernel_shape=kernel, strides=stride, pads=pads, **extra)
    summed(g, y, kernel, stride, pads)
    g.shape = (c, *size)
    return True


def summed(g: Growing, y: str, kernel, stride, pads) -> None:
    """The twin of a pooling that gives `y`."""
    weight = np.full((g.shape[0], 1, *kernel), POOL_WEIGHT / np.sqrt(np.prod(kernel)), np.float32)
    name = g.name("k")
    g.constants[name] = weight
    g.twins.append(
        helper.make_node("Conv", [f"{g.x}~", name], [f"{y}~"], group=g.shape[0], strides=stride, pads=pads)
    )
    g.layer(y)


def whole(g: Growing) -> bool:
    """An average or a maximum over all pixels."""
    c, h, w = g.shape
    if (h, w) == (1, 1):
        return False
    if g.last and g.some(0.2):
        # A mean over the two axes in the middle, which stay.
        x, axes = g.x, [1, 2]
        to = g.opset >= 18
        (y,) = g.node("ReduceMean", [x, *([ints(g, axes)] if to else [])], keepdims=1, **({} if to else {"axes": axes}))
        to_layout_twin = g.name("t")
        g.twins.append(helper.make_node("Transpose", [f"{x}~"], [f"{to_layout_twin}~"], perm=[0, 3, 1, 2]))
        weight = np.full((c, 1, h, w), POOL_WEIGHT / np.sqrt(h * w), np.float32)
        g.constants[name := g.name("k")] = weight
        g.twins.append(helper.make_node("Conv", [f"{to_layout_twin}~", name], [f"{y}~~"], group=c))
        g.twins.append(helper.make_node("Transpose", [f"{y}~~"], [f"{y}~"], perm=[0, 2, 3, 1]))
        g.layer(y)
    else:
        to_layout(g, False)
        (y,) = g.node(g.pick("GlobalAveragePool", "GlobalMaxPool"), [g.x])
        summed(g, y, [h, w], [1, 1], [0] * 4)
    g.shape = (c, 1, 1)
    return True


def activation(g: Growing) -> bool:
    """A monotone activation."""
    op = g.pick("Relu", "Relu", "LeakyRelu", "Sigmoid", "Tanh", "Elu", "Selu", "HardSigmoid", "Softplus", "Identity")
    g.passes(op, [g.x])
    return True


def clip(g: Growing) -> bool:
    """A clip in the words of the opset, or by Max and Min."""
    low, high = float(g.rng.uniform(-2, 0)), float(g.rng.uniform(0.5, 3))
    if g.opset >= 8 and g.some(0.4):
        for op, bound in g.pick([("Max", low)], [("Max", low), ("Min", high)]):
            shape = broadcastable(g) if g.some(0.2) else g.pick((), (1,), (1, 1, 1), (1, 1, 1, 1))
            value = g.constant(np.full(shape, bound, np.float32))
            g.passes(op, [g.x, value] if g.some() else [value, g.x])
    elif g.opset < 11:
        g.passes("Clip", [g.x], min=low, max=high)
    else:
        bounds = [g.constant(np.float32(low)), g.constant(np.float32(high))]
        missing = g.pick(None, None, 0, 1)
        if missing is not None:
            bounds[missing] = ""
        g.passes("Clip", [g.x, *bounds])
    return True


def broadcastable(g: Growing) -> tuple[int, ...]:
    """A shape that ONNX broadcasts to that of the current tensor."""
    likely = (0.0, 0.05, 0.05, 0.8) if g.last else (0.0, 0.8, 0.05, 0.05)
    shape = tuple(n if g.some(p) else 1 for n, p in zip(g.physical(), likely))
    keep = g.pick(0, 1, 2, 3, 3, 4)
    return shape[len(shape) - keep :]


def prelu(g: Growing) -> bool:
    """A PRelu whose slopes broadcast."""
    g.passes("PRelu", [g.x, g.positive(*broadcastable(g))])
    return True


def arithmetic(g: Growing) -> bool:
    """A constant of any shape that broadcasts, on either side."""
    op = g.pick("Add", "Sub", "Mul", "Div")
    value = g.positive(*broadcastable(g))
    swapped = op in ("Add", "Mul") and g.some(0.4)
    g.passes(op, [value, g.x] if swapped else [g.x, value])
    return True


def batch_norm(g: Growing) -> bool:
    """A normalisation; now and then in training, which must be refused."""
    to_layout(g, False)
    c = g.shape[0]
    inputs = [g.x, g.positive(c), g.normal(c), g.normal(c), g.positive(c)]
    flags = {}
    if g.opset >= 14 and g.some(0.03):
        flags, g.must_be_refused = {"training_mode": 1}, "training_mode"
        names = [g.name("bn") for _ in range(3)]
        g.nodes.append(helper.make_node("BatchNormalization", inputs, names, names[0], **flags))
        g.twins.append(helper.make_node("Identity", [f"{g.x}~"], [f"{names[0]}~"]))
        g.x = names[0]
        return True
    g.passes("BatchNormalization", inputs, epsilon=1e-3)
    return True


def dropout(g: Growing) -> bool:
    """A dropout; now and then in training, which must be refused."""
    if g.opset < 12:
        g.passes("Dropout", [g.x], ratio=0.4)
    elif g.some(0.1):
        g.must_be_refused = "training"
        g.passes("Dropout", [g.x, g.constant(np.float32(0.4)), g.constant(np.array(True))])
    else:
        flags = g.pick([], [g.constant(np.float32(0.4))], [g.constant(np.float32(0.4)), g.constant(np.array(False))])
        g.passes("Dropout", [g.x, *flags])
    return True


def layout(g: Growing) -> bool:
    """Channels to the other end, perhaps there and back and there."""
    for _ in range(g.pick(1, 2, 2, 3)):
        to_layout(g, not g.last)
    return True


def usual(g: Growing) -> None:
    """Channels first, most of the time."""
    if g.some(0.9):
        to_layout(g, False)


def mirror(g: Growing) -> bool:
    """Rows and columns exchanged, which has no edge rule."""
    if g.some(0.9):
        return False
    c, h, w = g.shape
    g.moves("Transpose", [], perm=[0, 2, 1, 3] if g.last else [0, 1, 3, 2])
    g.shape = (c, w, h)
    return True


def reshape(g: Growing, dims: list[int], inferred: bool = True) -> None:
    """A reshape whose dimensions are partly left to the reader."""
    dims = list(dims)
    if inferred and g.some():
        dims[int(g.rng.integers(len(dims)))] = -1
    if dims[0] == 1 and g.some(0.2):
        dims[0] = 0
    g.moves("Reshape", [ints(g, dims)])


def shuffle(g: Growing) -> bool:
    """A channel shuffle in four or five dimensions."""
    c, h, w = g.shape
    groups = [n for n in (2, 3, 4) if c % n == 0 and c > n]
    if not groups:
        return False
    n = g.pick(*groups)
    if g.last:
        reshape(g, [1, h, w, n, c // n])
        g.moves("Transpose", [], perm=[0, 1, 2, 4, 3])
        reshape(g, [1, h, w, c])
    elif g.some():
        reshape(g, [1, n, c // n, h, w])
        g.moves("Transpose", [], perm=[0, 2, 1, 3, 4])
        reshape(g, [1, c, h, w])
    else:
        reshape(g, [1, n, c // n, h * w])
        g.moves("Transpose", [], perm=[0, 2, 1, 3])
        reshape(g, [1, c, h, w])
    return True


def cut(g: Growing) -> bool:
    """A slice with steps."""
    usual(g)
    logical = g.pick(0, 1, 2)
    n, begin, step = g.shape[logical], g.pick(0, 1), g.pick(1, 2) if g.opset >= 10 else 1
    kept = len(range(begin, n, step))
    if kept in (0, n):
        return False
    axis, end = g.axis(logical), g.pick(n, 2**31 - 1)
    if g.opset >= 10:
        g.moves("Slice", [ints(g, [value]) for value in (begin, end, axis, step)])
    else:
        g.moves("Slice", [], starts=[begin], ends=[end], axes=[axis])
    g.shape = (*g.shape[:logical], kept, *g.shape[logical + 1 :])
    return True


def pad(g: Growing) -> bool:
    """Zeros around channels or pixels."""
    usual(g)
    before, after = ([g.pick(0, 0, 1) for _ in range(3)] for _ in range(2))
    padded = tuple(n + a + b for n, a, b in zip(g.shape, before, after))
    if padded == g.shape or padded[0] > CHANNELS:
        return False
    order = (1, 2, 0) if g.last else (0, 1, 2)
    pads = [0, *(before[k] for k in order), 0, *(after[k] for k in order)]
    if g.opset >= 11:
        g.moves("Pad", [ints(g, pads)])
    else:
        g.moves("Pad", [], pads=pads)
    g.shape = padded
    return True


def split(g: Growing) -> bool:
    """Parts of the channels, put together in another order."""
    usual(g)
    c = g.shape[0]
    if c < 2:
        return False
    first = int(g.rng.integers(1, c))
    parts, axis = [first, c - first], g.axis(0)
    if g.opset >= 13:
        names = g.moves("Split", [ints(g, parts)], 2, axis=axis)
    else:
        names = g.moves("Split", [], 2, axis=axis, split=parts)
    concatenated(g, names[::-1], g.axis(0))
    return True


def concatenated(g: Growing, names: list[str], axis: int) -> None:
    """The tensors side by side become the current one."""
    (y,) = g.node("Concat", names, axis=axis)
    g.twins.append(helper.make_node("Concat", [f"{name}~" for name in names], [f"{y}~"], axis=axis))
    g.x = y


def concat(g: Growing) -> bool:
    """An earlier tensor beside this one."""
    usual(g)
    fits = [name for name, (shape, last) in g.earlier.items()
            if last == g.last and shape[1:] == g.shape[1:] and shape[0] + g.shape[0] <= CHANNELS]  # fmt: skip
    if not fits:
        return False
    other = g.pick(*fits)
    c = g.earlier[other][0][0] + g.shape[0]
    concatenated(g, g.pick([g.x, other], [other, g.x]), g.axis(0))
    g.shape = (c, *g.shape[1:])
    return True


def add(g: Growing) -> bool:
    """The sum with an earlier tensor of this shape."""
    fits = [name for name, other in g.earlier.items() if other == (g.shape, g.last) and name != g.x]
    if not fits:
        return False
    names = [g.x, g.pick(*fits)]
    (y,) = g.node(g.pick("Add", "Sum"), names)
    g.twins.append(helper.make_node("Sum", [f"{name}~" for name in names], [f"{y}~"]))
    g.x = y
    return True


def axes(g: Growing) -> bool:
    """An axis more, and less."""
    at = int(g.rng.integers(0, 5))
    for op in ("Unsqueeze", "Squeeze"):
        g.moves(op, [ints(g, [at])]) if g.opset >= 13 else g.moves(op, [], axes=[at])
    return True


OPERATIONS = [
    conv, conv, conv, conv, pool, whole, activation, activation, clip, prelu, arithmetic, arithmetic, batch_norm, dropout,
    layout, mirror, shuffle, shuffle, cut, pad, split, concat, concat, add, add, axes,
]  # fmt: skip


def flat(g: Growing) -> None:
    """All elements in a row."""
    how = g.pick("Flatten", "Reshape", "Reshape")
    if how == "Flatten":
        g.moves("Flatten", [], axis=1)
    else:
        g.moves("Reshape", [ints(g, g.pick([1, -1], [0, -1], [1, int(np.prod(g.shape))]))])


def dense(g: Growing, n: int, out: int) -> None:
    """A dense layer on a row of elements."""
    weight = (g.rng.standard_normal((out, n)) / np.sqrt(n)).astype(np.float32)
    transposed = g.constants.setdefault(name := g.name("k"), np.ascontiguousarray(weight.T)) is None or name
    if g.some():
        extra = g.pick(["bias"], ["bias"], []) if g.opset >= 11 else ["bias"]
        (y,) = g.node("Gemm", [g.x, g.constant(weight), *(g.normal(out) for _ in extra)], transB=1)
    else:
        (y,) = g.node("MatMul", [g.x, transposed])
    g.twins.append(helper.make_node("MatMul", [f"{g.x}~", transposed], [f"{y}~"]))
    g.last = False
    g.layer(y)


def ending(g: Growing) -> str:
    """Ends the network; returns the tensor that holds the logits."""
    if g.some(0.35):
        if not any(layer.tensor == g.x for layer in g.layers):
            conv(g) or whole(g)
        for _ in range(g.pick(0, 1, 1, 2)):
            g.pick(layout, activation, shuffle, mirror, axes, arithmetic)(g)
        if g.some(0.3):
            flat(g)
        return g.x
    flat(g)
    n, out = int(np.prod(g.shape)), g.pick(2, 3, 5)
    if g.some(0.3):
        dense(g, n, 4)
        g.passes(g.pick("Relu", "Tanh"), [g.x])
        n = 4
    dense(g, n, out)
    logits = g.x
    if g.some(0.2):
        g.passes("Softmax", [g.x], axis=g.pick(1, -1) if g.opset >= 11 else 1)
    elif g.some(0.2):
        g.passes("Sigmoid", [g.x])
        logits = g.x
    return logits


@dataclass
class Network:
    """A network with its twin, ready to be compared."""

    model: onnx.ModelProto
    twin: onnx.ModelProto
    image: tuple[int, ...]  # dimensions of the input
    channels_last: bool
    logits: str
    layers: list[Layer]
    must_be_refused: str


def grow(seed: int) -> Network:
    """The network of one seed."""
    rng = np.random.default_rng(seed)
    shape = tuple(int(rng.choice(choices)) for choices in ((1, 2, 3, 4), (4, 5, 6), (4, 5, 7)))
    g = Growing(rng, int(rng.integers(7, 22)), shape, bool(rng.random() < 0.3))
    image, channels_last = g.physical(), g.last
    steps = g.pick(3, 5, 8)
    while steps:
        g.earlier[g.x] = (g.shape, g.last)
        if g.pick(*OPERATIONS)(g):
            steps -= 1
    if not g.layers:
        conv(g) or whole(g)
    logits = ending(g)
    info = helper.make_tensor_value_info
    opset = [helper.make_opsetid("", g.opset)]

    def model(nodes: list[NodeProto], x: str, outputs: list[str]) -> onnx.ModelProto:
        used = {name for node in nodes for name in node.input}
        constants = [numpy_helper.from_array(v, k) for k, v in g.constants.items() if k in used]
        ins = [info(x, TensorProto.FLOAT, image)]
        outs = [info(name, TensorProto.FLOAT, None) for name in outputs]
        graph = helper.make_graph(nodes, f"seed{seed}", ins, outs, constants)
        return helper.make_model(graph, opset_imports=opset, ir_version=max(4, min(10, g.opset - 5)))

    twin = model(g.twins, "x~", [layer.twin for layer in g.layers])
    return Network(model(g.nodes, "x", [g.x]), twin, image, channels_last, logits, g.layers, g.must_be_refused)


def run_onnx(model: onnx.ModelProto, outputs: list[str], feed: dict[str, np.ndarray]) -> list[np.ndarray]:
    """Tensors of a model, by ONNX Runtime as the file says, without its optimisations."""
    opened = onnx.ModelProto()
    opened.CopyFrom(model)
    del opened.graph.output[:]
    opened.graph.output.extend(onnx.ValueInfoProto(name=name) for name in dict.fromkeys(outputs))
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level, options.intra_op_num_threads = 4, 1
    session = onnxruntime.InferenceSession(opened.SerializeToString(), options, ["CPUExecutionProvider"])
    return session.run(outputs, feed)


class Wrong(Exception):
    """What differs."""


class Refused(Exception):
    """The binary refused, properly."""


def pipeline(binary: Path, *args: object) -> None:
    """Runs a subcommand; a proper refusal is `Refused`."""
    done = subprocess.run([binary, *map(str, args), "--quiet"], capture_output=True, text=True, check=False, timeout=60)
    message = done.stderr.strip()
    if done.returncode == 1 and message.startswith("pipeline: error: ") and len(message.splitlines()) == 1:
        raise Refused(message)
    if done.returncode:
        raise Wrong(f"exit {done.returncode} of {args[0]}: {message}")


def close(name: str, found: np.ndarray, expected: np.ndarray) -> None:
    """Arrays that differ by little next to their largest value."""
    if found.shape != expected.shape:
        raise Wrong(f"{name}: shape {found.shape}, expected {expected.shape}")
    scale = np.abs(expected).max(initial=1e-6)
    error = np.abs(found - expected).max(initial=0.0) / scale
    if not error <= TOLERANCE:
        raise Wrong(f"{name}: relative error {error:.1e}")


def in_nodes(tensor: np.ndarray, channels_last: bool, shuffle_groups: int) -> np.ndarray:
    """A tensor in the order of its nodes: channels last, shuffled if the graph says so."""
    if tensor.ndim == 4 and not channels_last:
        tensor = tensor.transpose(0, 2, 3, 1)
    if shuffle_groups:
        channels = np.arange(tensor.shape[-1]).reshape(shuffle_groups, -1).T.ravel()
        tensor = tensor[..., channels]
    return tensor.ravel().astype(np.float64)


def check_logits(net: Network, binary: Path, folder: Path, rng: np.random.Generator) -> None:
    """`forward` against ONNX Runtime."""
    image = rng.standard_normal(net.image).astype(np.float32)
    np.save(folder / "x.npy", image.transpose(0, 3, 1, 2).copy() if net.channels_last else image)
    args = ["--model", folder / "net.onnx", "--images", folder / "x.npy", "-o", folder / "y.npy"]
    pipeline(binary, "forward", *args, "--states-dir", folder / "states", "--force")
    (expected,) = run_onnx(net.model, [net.logits], {"x": image})
    close("logits", np.load(folder / "y.npy").ravel(), expected.ravel())
    with open(folder / "states" / "layers.csv", newline="") as file:
        check_states(net, folder / "states", list(csv.DictReader(file)), image)


def check_states(net: Network, folder: Path, states: list[dict], image: np.ndarray) -> None:
    """Every layer's output, in the order of its nodes; a layer into which a constant was merged has another."""
    merged = {name for node in net.model.graph.node if node.op_type in ("Add", "Sub", "Mul", "Div") for name in node.input}
    known = {layer.tensor: layer for layer in net.layers if layer.tensor not in merged}
    states = [state for state in states if state["layer"] in known]
    tensors = run_onnx(net.model, [state["layer"] for state in states], {"x": image}) if states else []
    for state, tensor in zip(states, tensors):
        found = np.load(folder / state["file"])
        expected = in_nodes(tensor, known[state["layer"]].channels_last, int(state["shuffle_groups"]))
        close(f"states of {state['layer']}", in_nodes(found, False, 0), expected)


def check_matrix(net: Network, binary: Path, folder: Path, rng: np.random.Generator) -> None:
    """`z = A z` for the tensors of the twin."""
    pipeline(binary, "build-graph", "--force", "--model", folder / "net.onnx", "-o", folder / "graph")
    pipeline(binary, "export", "--force", folder / "graph", "-o", folder / "a.npz")
    a = sp.csr_array(sp.load_npz(folder / "a.npz"))
    image = rng.standard_normal(net.image).astype(np.float32)
    tensors = run_onnx(net.twin, [layer.twin for layer in net.layers], {"x~": image})
    shown = subprocess.run([binary, "inspect", folder / "graph", "--json"], capture_output=True, check=True)
    groups = [layer.get("shuffle_groups", 0) for layer in json.loads(shown.stdout)["layers"]]
    read = [(tensor, layer) for tensor, layer, kept in zip(tensors, net.layers, reachable(net)) if kept]
    if len(groups) != len(read) + 1:
        raise Wrong(f"{len(groups)} layers, expected {len(read) + 1}")
    values = [in_nodes(image, net.channels_last, 0)]
    values += [in_nodes(tensor, layer.channels_last, n) for (tensor, layer), n in zip(read, groups[1:])]
    n_nodes = sum(map(len, values))
    if a.shape != (n_nodes, n_nodes):
        raise Wrong(f"{a.shape[0]} nodes, expected {n_nodes}")
    z = np.concatenate(values)
    product = a.astype(np.float64) @ z
    first = len(values[0])
    for value in values[1:]:
        close("adjacency", product[first : first + len(value)], value)
        first += len(value)


def reachable(net: Network) -> list[bool]:
    """Which layers the output depends on."""
    needed = {net.model.graph.output[0].name}
    for node in reversed(net.model.graph.node):
        if needed & set(node.output):
            needed.update(node.input)
    return [layer.tensor in needed for layer in net.layers]


def check(seed: int, binary: Path, keep: Path | None) -> tuple[int, str, str]:
    """Checks one network: `right`, `refused` or `WRONG`, and a message."""
    net = grow(seed)
    try:
        run_onnx(net.model, [net.model.graph.output[0].name], {"x": np.zeros(net.image, np.float32)})
    except Exception as error:
        return seed, "invalid", str(error).splitlines()[0][:150]
    with tempfile.TemporaryDirectory(prefix="networks-") as name:
        folder = keep / str(seed) if keep else Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        onnx.save(net.model, folder / "net.onnx")
        try:
            rng = np.random.default_rng([seed, 1])
            check_logits(net, binary, folder, rng)
            check_matrix(net, binary, folder, rng)
        except Refused as refusal:
            return seed, "refused", str(refusal)
        except Wrong as wrong:
            return seed, "WRONG", str(wrong)
    if net.must_be_refused:
        return seed, "WRONG", f"runs with {net.must_be_refused}"
    return seed, "right", ""


def main() -> None:
    """Checks the networks of some seeds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pipeline", type=Path)
    parser.add_argument("--count", type=int, default=150)
    parser.add_argument("--first", type=int, default=0, metavar="SEED")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="work in DIR and keep what is written there")
    parser.add_argument("--refusals", action="store_true", help="print every refusal")
    args = parser.parse_args()
    binary, found, reasons = args.pipeline.resolve(), Counter(), Counter()
    with ThreadPoolExecutor(2) as pool:
        seeds = range(args.first, args.first + args.count)
        for seed, result, message in pool.map(lambda seed: check(seed, binary, args.keep), seeds):
            found[result] += 1
            if result in ("WRONG", "invalid") or (args.refusals and result == "refused"):
                print(f"{result} {seed}: {message}", flush=True)
    runs = found["right"] / max(1, args.count - found["invalid"])
    good = not found["WRONG"] and runs >= LEAST_RUNNING and found["invalid"] < args.count / 20
    print(f"{'ok  ' if good else 'FAIL'} {args.count} random networks: {dict(found)}, {runs:.0%} run")
    sys.exit(not good)


if __name__ == "__main__":
    main()
