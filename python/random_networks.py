"""Random small ONNX networks out of everything that has an edge rule.

    python random_networks.py -o DIR [--count 20]

A network grows by one random operation at a time on a random earlier tensor, so sums of sums, shuffles behind sums,
slices of concatenations and their like all come up. The ends of all branches meet in a dense layer.
"""

import argparse
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

Shape = tuple[int, int, int]  # channels, height, width
CHANNELS, SIDE = 12, 9
STEPS = 9


@dataclass
class Growing:
    """A network under construction."""

    rng: np.random.Generator
    tensors: dict[str, Shape] = field(default_factory=dict)  # what an operation may read
    read: set[str] = field(default_factory=set)
    nodes: list[NodeProto] = field(default_factory=list)
    constants: list[TensorProto] = field(default_factory=list)

    def constant(self, value: np.ndarray) -> str:
        """Adds a constant and returns its name."""
        name = f"k{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(value, name))
        return name

    def normal(self, *shape: int) -> str:
        """A constant of normal values."""
        return self.constant(self.rng.standard_normal(shape).astype(np.float32))

    def node(self, op: str, inputs: list[str], **attributes: object) -> str:
        """Appends an operation and returns the name of its output, which is also its own."""
        name = f"{op.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [name], name, **attributes))
        self.read.update(inputs)
        return name

    def pick(self, *choices: int) -> int:
        """One of the choices."""
        return int(self.rng.choice(choices))

    def some(self, probability: float = 0.5) -> bool:
        """True with a probability."""
        return bool(self.rng.random() < probability)


def batch_norm(g: Growing, x: str, channels: int) -> str:
    """A batch normalisation with scales of both signs."""
    variance = g.constant(g.rng.uniform(0.5, 2.0, channels).astype(np.float32))
    return g.node("BatchNormalization", [x, *(g.normal(channels) for _ in range(3)), variance], epsilon=1e-3)


def conv(g: Growing, x: str, shape: Shape) -> tuple[str, Shape] | None:
    """A convolution of any geometry, with or without normalisation before and behind."""
    c = shape[0]
    if g.some(0.2):
        x = g.node("Relu", [batch_norm(g, x, c)])
    groups = g.pick(*(n for n in (1, 1, 2, 3, c) if c % n == 0))
    out = groups * g.pick(1, 2, 3)
    kernel, stride, dilation = ([g.pick(*choices) for _ in range(2)] for choices in ((1, 2, 3), (1, 1, 2), (1, 1, 2)))
    pads = [g.pick(0, 1) for _ in range(4)]
    reach = [n + pads[i] + pads[i + 2] - (kernel[i] - 1) * dilation[i] - 1 for i, n in enumerate(shape[1:])]
    if out > CHANNELS or min(reach) < 0:
        return None
    inputs = [x, g.normal(out, c // groups, *kernel), *([g.normal(out)] if g.some() else [])]
    y = g.node("Conv", inputs, group=groups, strides=stride, dilations=dilation, pads=pads, kernel_shape=kernel)
    for _ in range(g.pick(0, 1, 1, 2)):
        y = batch_norm(g, y, out)
    y = g.node("Relu", [y]) if g.some() else y
    return y, (out, *(r // s + 1 for r, s in zip(reach, stride)))


def pool(g: Growing, x: str, shape: Shape) -> tuple[str, Shape] | None:
    """A maximum or average over windows, in either rounding."""
    kernel, stride = ([g.pick(*choices) for _ in range(2)] for choices in ((1, 2, 3), (1, 2, 2)))
    reach = [n - k for n, k in zip(shape[1:], kernel)]
    if min(reach) < 0:
        return None
    ceil = int(g.some() and all(k >= s for k, s in zip(kernel, stride)))
    op = "MaxPool" if g.some() else "AveragePool"
    y = g.node(op, [x], kernel_shape=kernel, strides=stride, ceil_mode=ceil)
    return y, (shape[0], *((r + ceil * (s - 1)) // s + 1 for r, s in zip(reach, stride)))


def add(g: Growing, x: str, shape: Shape) -> tuple[str, Shape] | None:
    """The sum of up to three different tensors of one shape."""
    same = [name for name, other in g.tensors.items() if other == shape and name != x]
    g.rng.shuffle(same)
    if not same:
        return None
    others = same[: g.pick(1, 1, 2)]
    return g.node("Add" if len(others) == 1 else "Sum", [x, *others]), shape


def parallel(g: Growing, x: str, shape: Shape) -> tuple[str, Shape] | None:
    """A residual block: a convolution of the same shape, and its sum with its input."""
    c = shape[0]
    y = g.node("Conv", [x, g.normal(c, c, 3, 3)], pads=[1] * 4, kernel_shape=[3, 3])
    y = batch_norm(g, y, c) if g.some() else y
    return g.node("Add", [y, x]), shape


def concat(g: Growing, x: str, shape: Shape) -> tuple[str, Shape] | None:
    """Two tensors of one size, or one tensor twice, side by side."""
    fits = [name for name, other in g.tensors.items() if other[1:] == shape[1:] and other[0] + shape[0] <= CHANNELS]
    if not fits:
        return None
    other = fits[g.rng.integers(len(fits))]
    return g.node("Concat", [x, other], axis=1), (g.tensors[other][0] + shape[0], *shape[1:])


def shuffle(g: Growing, x: str, shape: Shape) -> tuple[str, Shape] | None:
    """A channel shuffle."""
    c, h, w = shape
    groups = [n for n in (2, 3, 4) if c % n == 0 and c > n]
    if not groups:
        return None
    n = g.pick(*groups)
    y = g.node("Reshape", [x, g.constant(np.array([1, n, c // n, h, w]))])
    y = g.node("Transpose", [y], perm=[0, 2, 1, 3, 4])
    return g.node("Reshape", [y, g.constant(np.array([1, c, h, w]))]), shape


def cut(g: Growing, x: str, shape: Shape) -> tuple[str, Shape] | None:
    """A slice with steps, of channels or of pixels."""
    axis = g.pick(0, 1, 2)
    begin, step = g.pick(0, 1), g.pick(1, 2)
    n = len(range(begin, shape[axis], step))
    if n == 0 or n == shape[axis]:
        return None
    bounds = [g.constant(np.array([value])) for value in (begin, 2**31, axis + 1, step)]
    return g.node("Slice", [x, *bounds]), (*shape[:axis], n, *shape[axis + 1 :])


def pad(g: Growing, x: str, shape: Shape) -> tuple[str, Shape] | None:
    """Zeros around channels or pixels."""
    before, after = ([g.pick(0, 0, 1, 2) for _ in range(3)] for _ in range(2))
    padded = tuple(n + a + b for n, a, b in zip(shape, before, after))
    if padded == shape or padded[0] > CHANNELS or max(padded[1:]) > SIDE + 2:
        return None
    return g.node("Pad", [x, g.constant(np.array([0, *before, 0, *after]))]), padded


def relu(g: Growing, x: str, shape: Shape) -> tuple[str, Shape] | None:
    """A ReLU on its own."""
    return g.node("Relu", [x]), shape


OPERATIONS = [conv, conv, conv, pool, add, add, parallel, concat, shuffle, shuffle, cut, pad, relu]


def dense(g: Growing, x: str, shape: Shape) -> str:
    """A tensor, globally averaged or not, through a dense layer of three units."""
    if g.some(0.3):
        x, shape = g.node("GlobalAveragePool", [x]), (shape[0], 1, 1)
    x = g.node("Flatten", [x])
    n = int(np.prod(shape))
    return g.node("Gemm", [x, g.normal(3, n)], transB=1) if g.some() else g.node("MatMul", [x, g.normal(n, 3)])


def network(seed: int) -> onnx.ModelProto:
    """The network of one seed."""
    g = Growing(np.random.default_rng(seed))
    g.tensors["x"] = (g.pick(1, 2, 3, 4), g.pick(5, 6, SIDE), g.pick(5, 7, SIDE))
    image = g.tensors["x"]
    while len(g.tensors) <= STEPS:
        names = list(g.tensors)
        x = names[-1] if g.some(0.7) else names[g.rng.integers(len(names))]
        grown = OPERATIONS[g.rng.integers(len(OPERATIONS))](g, x, g.tensors[x])
        if grown is not None:
            g.tensors[grown[0]] = grown[1]
    ends = [dense(g, name, shape) for name, shape in g.tensors.items() if name not in g.read]
    y = g.node("Concat", ends, axis=1) if len(ends) > 1 else ends[0]
    y = g.node("Gemm", [y, g.normal(3 * len(ends), 2)])
    info = helper.make_tensor_value_info
    inputs, outputs = [info("x", TensorProto.FLOAT, [1, *image])], [info(y, TensorProto.FLOAT, None)]
    graph = helper.make_graph(g.nodes, f"random{seed}", inputs, outputs, g.constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def main() -> None:
    """Writes the networks of seeds 0 to count - 1."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--count", type=int, default=20)
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    for seed in range(args.count):
        onnx.save(network(seed), args.output / f"random{seed}.onnx")


if __name__ == "__main__":
    main()
