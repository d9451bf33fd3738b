"""Random small ONNX networks over layouts, shuffles, broadcasts, training flags and operator sets.

    python layout_networks.py -o DIR [--count 20] [--first 0]

Where `random_networks.py` combines what has nodes, this one combines what has none: every way to write down a layout, a
constant, a channel shuffle or the end of a network in operator sets 5 to 21. A network grows by one random operation at a
time. Most of them have an edge rule; those that have none must be refused (see `check_networks.py`).
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

from random_networks import Growing

FIRST, LAST = (0, 3, 1, 2), (0, 2, 3, 1)  # permutations to channels-first and to channels-last
INT64_MAX = 2**63 - 1
STEPS = (1, 2, 3, 4, 5, 6)


@dataclass
class Tensor:
    """A tensor under construction: dimensions with the batch, and whether its last axis holds the channels."""

    name: str
    dims: tuple[int, ...]
    is_last: bool = False


@dataclass
class Net(Growing):
    """A network of one operator set."""

    opset: int = 13
    made: list[Tensor] = field(default_factory=list)
    logits: str = ""  # what feeds a final softmax

    def ints(self, *values: int) -> str:
        """A constant list."""
        return self.constant(np.array(values, np.int64))

    def listed(self, op: str, x: str, since: int, **lists: list[int]) -> str:
        """An operation whose lists are attributes before operator set `since`, inputs from then on."""
        if self.opset < since:
            return self.node(op, [x], **lists)
        return self.node(op, [x, *(self.ints(*values) for values in lists.values())])

    def positive(self, dims: tuple[int, ...]) -> np.ndarray:
        """Values that can be factors, divisors and slopes."""
        return self.rng.uniform(0.25, 1.5, dims).astype(np.float32)


Step = Callable[[Net, Tensor], Tensor | None]


def same(g: Net, op: str, x: Tensor, *inputs: str, **attributes: object) -> Tensor:
    """An operation that keeps the shape."""
    return Tensor(g.node(op, [x.name, *inputs], **attributes), x.dims, x.is_last)


def transposed(g: Net, x: Tensor, perm: tuple[int, ...], is_last: bool) -> Tensor:
    """Axes in another order."""
    return Tensor(g.node("Transpose", [x.name], perm=list(perm)), tuple(x.dims[at] for at in perm), is_last)


def reshaped(g: Net, x: Tensor, dims: tuple[int, ...], is_last: bool = False) -> Tensor:
    """Other dimensions; one of them may be written −1, or 0 where it stays."""
    written = list(dims)
    if g.some(0.3):
        written[g.rng.integers(len(written))] = -1
    elif dims[0] == x.dims[0] and g.some(0.3):
        written[0] = 0
    return Tensor(g.node("Reshape", [x.name, g.ints(*written)]), dims, is_last)


def first(g: Net, x: Tensor) -> Tensor:
    """The tensor as batch × channels × height × width."""
    return transposed(g, x, FIRST, False) if x.is_last else x


def axis(g: Net, position: int, rank: int) -> int:
    """An axis, counted from either end where the operator set allows it."""
    return position - rank if g.opset >= 11 and g.some(0.3) else position


def conv(g: Net, x: Tensor) -> Tensor | None:
    """A convolution, grouped or not."""
    if len(x.dims) != 4:
        return None
    x = first(g, x)
    _, c, h, w = x.dims
    groups = g.pick(*(n for n in (1, 1, 2, 3, c) if c % n == 0))
    out, kernel, stride, pad = groups * g.pick(1, 2, 3), g.pick(1, 2, 3), g.pick(1, 1, 2), g.pick(0, 1)
    reach = [n + 2 * pad - kernel for n in (h, w)]
    if out > 12 or min(reach) < 0:
        return None
    scale = np.float32(1 / np.sqrt(c / groups * kernel * kernel))
    weight = g.rng.standard_normal((out, c // groups, kernel, kernel)).astype(np.float32) * scale
    inputs = [x.name, g.constant(weight), *([g.normal(out)] if g.some() else [])]
    name = g.node("Conv", inputs, group=groups, strides=[stride] * 2, pads=[pad] * 4, kernel_shape=[kernel] * 2)
    return Tensor(name, (1, out, *(r // stride + 1 for r in reach)))


def pool(g: Net, x: Tensor) -> Tensor | None:
    """A maximum or mean over windows, or over one or both axes of the image."""
    if len(x.dims) != 4:
        return None
    x = first(g, x)
    _, c, h, w = x.dims
    if g.some(0.2):
        axes = [2, 3] if g.some(0.8) else [g.pick(2, 3)]
        left = (1, c, *(1 if at in axes else n for at, n in ((2, h), (3, w))))
        return Tensor(g.listed("ReduceMean", x.name, 18, axes=[axis(g, at, 4) for at in axes]), left)
    if min(h, w) < 2:
        return Tensor(g.node(f"Global{['Max', 'Average'][g.pick(0, 1)]}Pool", [x.name]), (1, c, 1, 1))
    stride = g.pick(1, 2)
    op = "MaxPool" if g.some() else "AveragePool"
    name = g.node(op, [x.name], kernel_shape=[2, 2], strides=[stride] * 2)
    return Tensor(name, (1, c, (h - 2) // stride + 1, (w - 2) // stride + 1))


def broadcast(g: Net, dims: tuple[int, ...], is_last: bool) -> tuple[int, ...]:
    """Dimensions of a constant that broadcasts to `dims`: mostly per channel, now and then anything."""
    rank = len(dims)
    channel = rank - 1 if is_last else min(1, rank - 1)
    kind = g.pick(0, 0, 1, 1, 1, 1, 1, 1, 2, 3)
    if kind == 0:
        shape = (1,) * g.pick(0, 1, rank)
    elif kind == 1:
        shape = tuple(n if at == channel else 1 for at, n in enumerate(dims))[g.pick(0, channel) if channel else 0 :]
    elif kind == 2:
        shape = dims[g.pick(*range(1, rank)) :]
    else:
        shape = tuple(n if g.some() else 1 for n in dims)
    return (1,) * g.pick(*[0] * 8, 1, 2) + shape if len(shape) == rank else shape


def computed(g: Net, value: np.ndarray) -> str:
    """A constant; now and then one that other constants have to be folded into."""
    kind, dims = g.pick(0, 0, 0, 0, 1, 2, 3, 4), value.shape
    if kind == 1:
        half = g.constant(value * np.float32(0.5))
        return g.node("Add", [half, half])
    if kind == 2 and dims:
        return g.node("Reshape", [g.constant(value.ravel()), g.ints(*dims)])
    if kind == 3 and len(dims) > 1:
        return g.node("Transpose", [g.constant(np.ascontiguousarray(value.T))])
    if kind == 4 and g.opset < 7 and dims:  # a sum at an axis
        at = g.pick(*range(len(dims)))
        parts = [g.constant(value), g.constant(g.positive(dims[at : at + 1]))]
        return g.node("Add", parts, broadcast=1, axis=at)
    if kind == 4 and g.opset >= 7 and g.some() and len(dims) > 1:  # columns and rows that enlarge each other
        column = g.constant(g.positive((*dims[:-1], 1)))
        return g.node("Mul", [column, g.constant(g.positive(dims[-1:]))])
    if kind == 4 and g.opset >= 7:  # a product that broadcasts
        return g.node("Mul", [g.constant(value), g.constant(np.ones((1,) * g.pick(0, 1, len(dims), len(dims) + 1), np.float32))])
    return g.constant(value)


def arithmetic(g: Net, x: Tensor) -> Tensor | None:
    """A constant added, subtracted, multiplied or divided by, by the rule of the operator set."""
    op = ["Add", "Sub", "Mul", "Div"][g.pick(0, 0, 1, 2, 2, 3)]
    if g.opset < 7:
        return legacy(g, x, op)
    constant = computed(g, g.positive(broadcast(g, x.dims, x.is_last)))
    if len(value_dims(g, constant)) > len(x.dims):
        x = Tensor(x.name, (1,) * (len(value_dims(g, constant)) - len(x.dims)) + x.dims)
    swapped = op != "Div" and g.some(0.3)
    inputs = [constant, x.name] if swapped else [x.name, constant]
    return Tensor(g.node(op, inputs), x.dims, x.is_last)


def value_dims(g: Net, name: str) -> tuple[int, ...]:
    """Dimensions of a constant that `computed` made, as NumPy's broadcasting gives them."""
    for tensor in g.constants:
        if tensor.name == name:
            return tuple(tensor.dims)
    made_by = next(node for node in g.nodes if node.output[0] == name)
    if made_by.op_type == "Reshape":
        return tuple(onnx.numpy_helper.to_array(next(t for t in g.constants if t.name == made_by.input[1])))
    dims = [value_dims(g, part) for part in made_by.input]
    if g.opset < 7:
        return dims[0]
    return dims[0][::-1] if made_by.op_type == "Transpose" else np.broadcast_shapes(*dims)


def legacy(g: Net, x: Tensor, op: str) -> Tensor:
    """A constant as operator sets below 7 have it: of the same shape, or `broadcast` from `axis` on."""
    rank = len(x.dims)
    start = g.pick(*range(1, rank)) if rank > 1 else 0
    end = g.pick(*range(start + 1, rank + 1))
    aligned = {"axis": start} if end < rank or g.some() else {}
    constant = computed(g, g.positive(x.dims[start:end]))
    return same(g, op, x, constant, broadcast=1, **aligned)


def activation(g: Net, x: Tensor) -> Tensor | None:
    """A function of every element."""
    op = ["Relu", "LeakyRelu", "Sigmoid", "Tanh", "PRelu", "Clip", "Max", "Min", "Elu", "HardSigmoid"][g.rng.integers(10)]
    if op == "PRelu":
        return prelu(g, x)
    if op == "Clip":
        low, high = np.float32(g.rng.uniform(-1, 0)), np.float32(g.rng.uniform(0.5, 2))
        if g.opset < 11:
            return same(g, "Clip", x, min=float(low), max=float(high))
        return same(g, "Clip", x, g.constant(low) if g.some(0.8) else "", g.constant(high))
    if op in ("Max", "Min"):
        if g.opset < 8:
            return None
        shape = (1,) * g.pick(0, 1) if g.some(0.9) else broadcast(g, x.dims, x.is_last)
        inputs = [x.name, g.constant(np.full(shape, g.rng.uniform(-1, 1), np.float32))]
        dims = np.broadcast_shapes(x.dims, shape)
        return Tensor(g.node(op, inputs[:: g.pick(-1, 1)]), dims, x.is_last)
    return same(g, op, x)


def prelu(g: Net, x: Tensor) -> Tensor | None:
    """Slopes that broadcast in one direction; below operator set 7 one number or one per channel."""
    if g.opset < 7:
        return None if x.is_last else same(g, "PRelu", x, g.constant(g.positive((x.dims[1],) if g.some() else (1,))))
    shape = broadcast(g, x.dims, x.is_last)
    return None if len(shape) > len(x.dims) else same(g, "PRelu", x, g.constant(g.positive(shape)))


def norm(g: Net, x: Tensor) -> Tensor | None:
    """A batch normalisation; now and then in training mode, which must be refused."""
    x = first(g, x)
    if len(x.dims) not in (2, 4) or g.opset < 7:
        return None
    c = x.dims[1]
    inputs = [x.name, *(g.normal(c) for _ in range(3)), g.constant(g.positive((c,)))]
    trains = g.some(0.04)
    name = g.node("BatchNormalization", inputs, **({"training_mode": 1} if trains and g.opset >= 14 else {}))
    if trains:
        n_outputs = 2 if g.opset >= 14 else 4
        g.nodes[-1].output.extend(f"{name}_{i}" for i in range(n_outputs))
    return Tensor(name, x.dims)


def nothing(g: Net, x: Tensor) -> Tensor:
    """Something that does nothing; now and then a Dropout in training mode, which must be refused."""
    op = ["Dropout", "Identity", "Cast"][g.pick(0, 1, *([2] if g.opset > 5 else []))]
    if op == "Cast":
        return same(g, "Cast", x, to=TensorProto.FLOAT)
    if op == "Identity":
        return same(g, op, x)
    if g.opset < 12:
        return same(g, op, x, ratio=0.5)
    trains = g.constant(np.array(g.some(0.1)))
    return same(g, op, x, g.constant(np.float32(0.5)), *([trains] if g.some() else []))


def turn(g: Net, x: Tensor) -> Tensor | None:
    """To the other layout, or there and back."""
    if len(x.dims) != 4:
        return None
    if g.some(0.04):
        return transposed(g, x, tuple(int(at) for at in [0, *(1 + g.rng.permutation(3))]), x.is_last)
    turned = transposed(g, x, FIRST if x.is_last else LAST, not x.is_last)
    return turned if g.some() else transposed(g, turned, LAST if x.is_last else FIRST, x.is_last)


def shuffle(g: Net, x: Tensor) -> Tensor | None:
    """A channel shuffle in four or five dimensions."""
    if len(x.dims) != 4 or (x.is_last and g.some(0.9)):
        return None
    c = x.dims[3 if x.is_last else 1]
    groups = [n for n in (2, 3, 4) if c % n == 0 and c > n]
    if not groups:
        return None
    n = g.pick(*groups)
    if x.is_last:
        split, perm = (*x.dims[:3], n, c // n), (0, 1, 2, 4, 3)
    elif g.some():
        split, perm = (1, n, c // n, *x.dims[2:]), (0, 2, 1, 3, 4)
    else:
        split, perm = (1, n, c // n, x.dims[2] * x.dims[3]), (0, 2, 1, 3)
    return reshaped(g, transposed(g, reshaped(g, x, split), perm, False), x.dims, x.is_last)


def detour(g: Net, x: Tensor) -> Tensor | None:
    """Other dimensions for a moment, with an activation meanwhile."""
    if len(x.dims) != 4:
        return None
    kind = g.pick(0, 1, 2)
    if kind == 0:
        y = Tensor(g.listed("Unsqueeze", x.name, 13, axes=[axis(g, 4, 5) if g.opset > 10 else 4]), (*x.dims, 1))
        y = same(g, "Relu", y)
        return Tensor(g.listed("Squeeze", y.name, 13, axes=[4]), x.dims, x.is_last)
    mid = (1, x.dims[1], x.dims[2] * x.dims[3]) if kind == 1 else (1, int(np.prod(x.dims)))
    return reshaped(g, same(g, "Tanh", reshaped(g, x, mid)), x.dims, x.is_last)


def join(g: Net, x: Tensor) -> Tensor | None:
    """The sum of tensors of one shape, or channels side by side."""
    if g.some():
        others = [t for t in g.made if t.dims == x.dims and t.is_last == x.is_last and t.name != x.name]
        if not others:
            return None
        other = others[g.rng.integers(len(others))]
        return same(g, "Sum" if g.some(0.3) and g.opset > 7 else "Add", x, other.name)
    at = len(x.dims) - 1 if x.is_last else 1
    fits = [t for t in g.made if len(t.dims) == len(x.dims) and t.is_last == x.is_last]
    fits = [t for t in fits if all(a == b or i == at for i, (a, b) in enumerate(zip(t.dims, x.dims)))]
    fits = [t for t in fits if len(x.dims) == 2 or t.dims[at] + x.dims[at] <= 12]
    if not fits:
        return None
    other = fits[g.rng.integers(len(fits))]
    name = g.node("Concat", [x.name, other.name], axis=axis(g, at, len(x.dims)))
    return Tensor(name, tuple(n + other.dims[i] * (i == at) for i, n in enumerate(x.dims)), x.is_last)


def cut(g: Net, x: Tensor) -> Tensor | None:
    """A slice, or both parts of a split exchanged, of channels or pixels."""
    if len(x.dims) != 4:
        return None
    at = g.pick(1, 2, 3)
    n = x.dims[at]
    if n < 2:
        return None
    if g.some(0.4):
        name = g.node("Split", [x.name, *([g.ints(1, n - 1)] if g.opset >= 13 else [])], axis=axis(g, at, 4),
                      **({} if g.opset >= 13 else {"split": [1, n - 1]}))  # fmt: skip
        g.nodes[-1].output.append(f"{name}_b")
        return Tensor(g.node("Concat", [f"{name}_b", name], axis=at), x.dims, x.is_last)
    begin = g.pick(0, 1)
    lists = {"starts": [begin], "ends": [min(INT64_MAX, g.pick(n, 2**31))], "axes": [axis(g, at, 4)]}
    return Tensor(g.listed("Slice", x.name, 10, **lists), (*x.dims[:at], n - begin, *x.dims[at + 1 :]), x.is_last)


def pad(g: Net, x: Tensor) -> Tensor | None:
    """Zeros around the image."""
    if len(x.dims) != 4 or max(x.dims) > 9:
        return None
    before, after = ([0, *(g.pick(0, 0, 1) for _ in range(3))] for _ in range(2))
    dims = tuple(n + a + b for n, a, b in zip(x.dims, before, after))
    return Tensor(g.listed("Pad", x.name, 11, pads=[*before, *after]), dims, x.is_last)


GROWTH: list[Step] = [
    conv, conv, conv, pool, arithmetic, arithmetic, activation, activation, norm, nothing, turn, turn, shuffle, shuffle,
    detour, join, join, cut, pad,
]  # fmt: skip


def flat(g: Net, x: Tensor) -> Tensor:
    """One row for the image."""
    n = int(np.prod(x.dims))
    if len(x.dims) == 2:
        return x
    if g.some():
        return Tensor(g.node("Flatten", [x.name]), (1, n))
    return reshaped(g, x, (1, n))


def dense(g: Net, x: Tensor) -> Tensor:
    """A dense layer over everything."""
    if g.some(0.3) and len(x.dims) == 4:
        x = first(g, x)
        x = Tensor(g.node("GlobalAveragePool", [x.name]), (*x.dims[:2], 1, 1))
    x = flat(g, x)
    n, out = x.dims[1], g.pick(3, 4, 6)
    weight = g.rng.standard_normal((n, out)).astype(np.float32) / np.float32(np.sqrt(n))
    if g.some():
        bias = [g.normal(*((out,) if g.some() else (1, out)))] if g.some() and g.opset > 6 else [g.normal(out)]
        legacy_bias = {} if g.opset > 6 else {"broadcast": 1}
        weight, turned = (weight.T.copy(), 1) if g.some() else (weight, 0)
        return Tensor(g.node("Gemm", [x.name, g.constant(weight), *bias], transB=turned, **legacy_bias), (1, out))
    y = Tensor(g.node("MatMul", [x.name, g.constant(weight)]), (1, out))
    return arithmetic(g, y) if g.some() else y


def softmax(g: Net, x: Tensor) -> Tensor:
    """A softmax at the end; what feeds it are the logits."""
    g.logits = x.name
    at = axis(g, len(x.dims) - 1 if x.is_last else 1, len(x.dims))
    return same(g, "Softmax" if g.some(0.8) else "LogSoftmax", x, axis=at)


def end(g: Net, x: Tensor) -> Tensor:
    """The last operations of a network."""
    for step in [[dense], [dense, softmax], [dense, activation], [turn], [turn, activation], [shuffle], [flat],
                 [turn, flat], [softmax], [shuffle, flat], [dense, activation, dense], []][g.rng.integers(12)]:  # fmt: skip
        x = step(g, x) or x
    return x


def network(seed: int) -> tuple[onnx.ModelProto, str]:
    """The network of one seed, and the name of the tensor of its logits."""
    rng = np.random.default_rng(seed)
    g = Net(rng, opset=int(rng.choice([5, 6, *range(7, 22)])))
    image = (1, g.pick(1, 2, 3, 4, 6), g.pick(1, 3, 4, 6), g.pick(1, 3, 5, 6))
    is_last = g.some(0.4)
    x = Tensor("x", tuple(image[at] for at in LAST) if is_last else image, is_last)
    shape = x.dims
    g.made.append(first(g, x))
    wanted = g.pick(*STEPS)
    for _ in range(40):
        x = g.made[-1] if g.some(0.8) else g.made[g.rng.integers(len(g.made))]
        grown = GROWTH[g.rng.integers(len(GROWTH))](g, x)
        if grown is not None:
            g.made.append(grown)
        if len(g.made) > wanted and any(node.op_type == "Conv" for node in g.nodes):
            break
    last = end(g, g.made[-1])
    if last.name == "x":
        last = same(g, "Relu", last)
    info = helper.make_tensor_value_info
    inputs, outputs = [info("x", TensorProto.FLOAT, shape)], [info(last.name, TensorProto.FLOAT, None)]
    graph = helper.make_graph(g.nodes, f"layout{seed}", inputs, outputs, g.constants)
    if g.opset < 4 or g.some(0.1):  # old files list constants as inputs, too
        graph.input.extend(info(t.name, t.data_type, t.dims) for t in g.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", g.opset)], ir_version=8)
    return model, g.logits or last.name


def main() -> None:
    """Writes the networks of some seeds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--first", type=int, default=0)
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    for seed in range(args.first, args.first + args.count):
        onnx.save(network(seed)[0], args.output / f"layout{seed}.onnx")


if __name__ == "__main__":
    main()
