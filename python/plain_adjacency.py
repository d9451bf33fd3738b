"""The signed adjacency matrix of an ONNX network, the slow and obvious way.

    python plain_adjacency.py --model digits.onnx -o plain.npz

`A[i, j]` is the weight of the edge from node j to node i. Nodes: the elements of the input and of the output of every
convolution, pooling and dense layer, layer after layer in the file's order, channels-last inside a layer:
node = first + (y·w + x)·c + channel. A convolution, pooling or dense layer whose one reader is a channel shuffle is
numbered in the shuffled order.

A batch normalisation right behind a layer multiplies the layer's rows, by the sign of its scale or by scale / σ, if
asked to. One elsewhere scales what the next layers read; that has no rule here (see `skeleton.py`).

A tensor's *view* says which nodes it is made of: a list of addends (more than one behind a residual addition), each an
array of the tensor's own shape (batch axis included) with node + 1 where there is a node and 0 where there is none
(zero padding). Reshape, Slice, Concat and their like act on views by ONNX's own reference implementation.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from onnx import NodeProto

import traced
from traced import Traced

POOL_WEIGHT = 0.01
View = list[np.ndarray]


@dataclass(frozen=True)
class Layer:
    """A run of nodes."""

    name: str
    kind: str  # input, conv, dense, max_pool, average_pool, add
    shape: tuple[int, int, int]  # channels, height, width
    first_node: int
    tensor: str  # name of its output tensor
    node: NodeProto | None  # None for the input
    channel_slots: np.ndarray  # position in the node order of every channel
    factors: np.ndarray  # of the rows of every channel, f32
    channels_last: bool = False  # the tensor is [1][h][w][c]; only the input can be

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return int(np.prod(self.shape))

    @property
    def rows(self) -> slice:
        """The layer's rows of A."""
        return slice(self.first_node, self.first_node + self.n_nodes)

    def ids(self) -> np.ndarray:
        """Node of every element: `[c][h][w]`."""
        c, h, w = self.shape
        pixel = np.arange(h * w).reshape(1, h, w)
        return self.first_node + pixel * c + self.channel_slots[:, None, None]

    def tensor_ids(self) -> np.ndarray:
        """Node of every element in the order of the layer's tensor, without batch axis."""
        return self.ids().transpose(1, 2, 0) if self.channels_last else self.ids()


def image_dims(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Channels, height, width of a tensor of `[1, c, h, w]` or `[1, n]`."""
    return (*shape[1:], 1, 1)[:3]


def is_layer(net: Traced, node: NodeProto, residual: str) -> bool:
    """True if the node's output elements become nodes of the graph."""
    kind = net.kind(node)
    if kind.endswith("_pool"):
        return net.window(node).kernel != (1, 1)
    return kind in ("conv", "dense") or (kind == "sum" and residual == "node")


def reader(net: Traced, tensor: str) -> NodeProto | None:
    """The only operation that reads a tensor, if there is only one."""
    readers = [node for node in net.nodes if tensor in node.input]
    return readers[0] if len(readers) == 1 else None


def channel_slots(net: Traced, tensor: str) -> np.ndarray:
    """Where each channel of a layer stands in the node order: its own place, or its place behind a channel shuffle."""
    c, h, w = image_dims(net.shape(tensor))
    in_place = np.arange(c)
    moved = np.broadcast_to(in_place[:, None, None], (c, h, w)).reshape(net.shape(tensor))
    transposed, name = False, tensor
    while (node := reader(net, name)) is not None and net.kind(node) in ("pass", "move") and node.op_type != "Concat":
        if net.kind(node) == "move":
            moved = net.move(node, {name: moved})[0]
        transposed |= node.op_type == "Transpose"
        name = node.output[0]
        if transposed and moved.shape == net.shape(tensor) and (moved[0, :, 0, 0] != in_place).any():
            return np.argsort(moved[0, :, 0, 0])  # there and back to another layout is no shuffle
    return in_place


def row_factors(net: Traced, tensor: str, rule: str) -> tuple[np.ndarray, set[str]]:
    """What the batch normalisations right behind a layer multiply its rows by, and the names of their outputs."""
    factors, found = np.ones(image_dims(net.shape(tensor))[0], np.float32), set()
    while rule != "ignore" and (node := reader(net, tensor)) is not None and node.op_type == "BatchNormalization":
        factors, tensor = factors * scales(net, node, rule), node.output[0]
        found.add(tensor)
    return factors, found


def scales(net: Traced, node: NodeProto, rule: str) -> np.ndarray:
    """What a batch normalisation multiplies each channel by under a rule, f32."""
    gamma, variance = net.values[node.input[1]].astype(np.float64), net.values[node.input[4]].astype(np.float64)
    deviation = np.sqrt(variance + traced.attributes(node).get("epsilon", 1e-5))
    return (np.where(gamma < 0, -1.0, 1.0) if rule == "sign" else gamma / deviation).astype(np.float32)


def layers(net: Traced, residual: str = "expand", batch_norm: str = "ignore") -> list[Layer]:
    """The graph's layers, in the file's order. `residual` is `expand` or `node` (an addition is a layer); `batch_norm`
    is `ignore`, `sign` or `fold`."""
    sources: list[tuple[str, str, NodeProto | None]] = [(net.input, "input", None)]
    for node in net.nodes:
        if is_layer(net, node, residual):
            sources.append((node.output[0], net.kind(node).replace("sum", "add"), node))
    found, first = [], 0
    for tensor, kind, node in sources:
        name = (node.name if node is not None else "") or tensor
        shape = image_dims(net.shape(tensor))
        factors, slots = np.ones(shape[0], np.float32), np.arange(shape[0])
        if kind not in ("input", "add"):
            factors, slots = row_factors(net, tensor, batch_norm)[0], channel_slots(net, tensor)
        found.append(Layer(name, kind, shape, first, tensor, node, slots, factors))
        first += found[-1].n_nodes
    if traced.is_channels_last(net.model):
        _, height, width, channels = net.shape(net.input)
        shape = (channels, height, width)
        found[0] = replace(found[0], shape=shape, channel_slots=np.arange(channels), channels_last=True)
    return found


def other_scales(net: Traced, graph: list[Layer], batch_norm: str) -> dict[str, np.ndarray]:
    """Factors of the batch normalisations that are not in the rows of a layer, by output tensor."""
    if batch_norm == "ignore":
        return {}
    if any(node.op_type in ("Mul", "Div", "Neg") for node in net.nodes):
        raise ValueError("scaling by constants: no rule")
    own = [layer.tensor for layer in graph if layer.kind not in ("input", "add")]
    in_rows = set().union(*(row_factors(net, tensor, batch_norm)[1] for tensor in own))
    norms = [node for node in net.nodes if node.op_type == "BatchNormalization" and node.output[0] not in in_rows]
    return {node.output[0]: scales(net, node, batch_norm) for node in norms}


def views(net: Traced, graph: list[Layer]) -> dict[str, View]:
    """The view of every tensor that depends on the image."""
    own = {layer.tensor: [(layer.tensor_ids() + 1).reshape(net.shape(layer.tensor))] for layer in graph}
    found = {net.input: own[net.input]}
    for node in net.nodes:
        inputs = [found[name] for name in net.data_inputs(node)]
        if node.output[0] in own:
            found[node.output[0]] = own[node.output[0]]
        elif net.kind(node) == "pass":
            found[node.output[0]] = [addend.reshape(net.shape(node.output[0])) for addend in inputs[0]]
        elif net.kind(node) == "sum":
            found[node.output[0]] = [addend for view in inputs for addend in view]
        elif net.kind(node) == "move":
            found |= moved_views(net, node, inputs)
        else:
            found[node.output[0]] = [subsampled(net, node, addend) for addend in inputs[0]]
    return found


def moved_views(net: Traced, node: NodeProto, inputs: list[View]) -> dict[str, View]:
    """Views of the outputs of a moving node; a branch with fewer addends than another is 0 in the rest."""
    names = net.data_inputs(node)
    outputs: dict[str, View] = {name: [] for name in node.output}
    for addends in zip_longest(*inputs):
        ids = {n: np.zeros(net.shape(n), np.int64) if a is None else a for n, a in zip(names, addends)}
        for name, moved in zip(node.output, net.move(node, ids)):
            outputs[name].append(moved)
    return outputs


def subsampled(net: Traced, node: NodeProto, addend: np.ndarray) -> np.ndarray:
    """What a pooling over 1×1 windows leaves of a view."""
    down, across = net.window(node).stride
    return addend[:, :, ::down, ::across].reshape(net.shape(node.output[0]))


def taps(net: Traced, node: NodeProto) -> Iterator[tuple[tuple[int, int], tuple[int, int], tuple[int, int]]]:
    """Output pixel, window position and input pixel of every tap that falls inside the input."""
    window, (height, width) = net.window(node), net.shape(node.input[0])[2:]
    _, out_height, out_width = image_dims(net.shape(node.output[0]))
    for y, x in np.ndindex(out_height, out_width):
        for i, j in np.ndindex(*window.kernel):
            from_y = y * window.stride[0] + i * window.dilation[0] - window.pad[0]
            from_x = x * window.stride[1] + j * window.dilation[1] - window.pad[1]
            if 0 <= from_y < height and 0 <= from_x < width:
                yield (y, x), (i, j), (from_y, from_x)


Edges = Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]  # targets [r], sources + 1 [c], weights [r][c]


def conv_edges(net: Traced, layer: Layer, source: np.ndarray) -> Edges:
    """Edges of a convolution from one addend `[1][c][h][w]`: per tap and group, all outputs from all inputs."""
    weight = net.values[layer.node.input[1]] * layer.factors[:, None, None, None]
    groups = traced.attributes(layer.node).get("group", 1)
    n_out, n_in = weight.shape[0] // groups, weight.shape[1]
    ids = layer.ids()
    for (y, x), (i, j), (from_y, from_x) in taps(net, layer.node):
        for g in range(groups):
            out, into = slice(g * n_out, (g + 1) * n_out), slice(g * n_in, (g + 1) * n_in)
            yield ids[out, y, x], source[0, into, from_y, from_x], weight[out, :, i, j]


def pool_edges(net: Traced, layer: Layer, source: np.ndarray) -> Edges:
    """Edges of a pooling from one addend: per tap, every channel from itself, 0.01 / √(window area)."""
    weight = np.float32(POOL_WEIGHT / np.sqrt(np.prod(net.window(layer.node).kernel)))
    ids = layer.ids()
    for (y, x), _, (from_y, from_x) in taps(net, layer.node):
        for channel in range(layer.shape[0]):
            one = slice(channel, channel + 1)
            yield ids[one, y, x], source[0, one, from_y, from_x], np.full((1, 1), weight * layer.factors[channel])


def dense_edges(net: Traced, layer: Layer, source: np.ndarray) -> Edges:
    """Edges of a dense layer from one addend: all outputs from all inputs."""
    yield layer.ids().ravel(), source.ravel(), net.dense_weight(layer.node) * layer.factors[:, None]


def add_edges(net: Traced, layer: Layer, source: np.ndarray) -> Edges:
    """Edges of an addition that is a layer: element to element, weight 1."""
    for target, one in zip(layer.ids().ravel(), source.ravel()):
        yield np.array([target]), np.array([one]), np.ones((1, 1), np.float32)


RULES = {
    "conv": conv_edges, "dense": dense_edges, "max_pool": pool_edges, "average_pool": pool_edges, "add": add_edges,
}  # fmt: skip


def block_row(net: Traced, layer: Layer, found: dict[str, View], n_nodes: int) -> sp.csr_array:
    """The layer's rows of A, `[layer nodes][n_nodes]`."""
    weights, rows, cols = entries(net, layer, found)
    return sp.csr_array((weights, (rows, cols)), shape=(layer.n_nodes, n_nodes))


def entries(net: Traced, layer: Layer, found: dict[str, View]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weight, row in the layer, and source of every edge; every addend of an input is a source, same weights."""
    rows, cols, weights = [], [], []
    for view in (found[name] for name in net.data_inputs(layer.node)):
        for addend in view:
            for targets, sources, weight in RULES[layer.kind](net, layer, addend):
                here = sources > 0
                rows.append(np.repeat(targets - layer.first_node, here.sum()).astype(np.int32))
                cols.append(np.tile(sources[here] - 1, len(targets)).astype(np.int32))
                weights.append(weight[:, here].astype(np.float32).ravel())
    none = np.zeros(0, np.int32)  # for a layer that reads nothing but padding
    weights = np.concatenate([none.astype(np.float32), *weights])
    return weights, np.concatenate([none, *rows]), np.concatenate([none, *cols])


def count_edges(net: Traced, layer: Layer, found: dict[str, View]) -> int:
    """Number of edges into a layer, without listing them."""
    total = 0
    for view in (found[name] for name in net.data_inputs(layer.node)):
        sources = sum((addend > 0).astype(np.int64) for addend in view)
        if layer.kind in ("dense", "add"):
            total += int(sources.sum()) * (layer.n_nodes if layer.kind == "dense" else 1)
        else:
            outputs = layer.shape[0] // traced.attributes(layer.node).get("group", 1) if layer.kind == "conv" else 1
            total += outputs * read_at_taps(net, layer, sources[0].sum(axis=0))
    return total


def read_at_taps(net: Traced, layer: Layer, plane: np.ndarray) -> int:
    """Sum over all windows of the elements of `plane` (`[h][w]`) inside each window."""
    window, (_, *out) = net.window(layer.node), layer.shape
    total = 0
    for tap in np.ndindex(*window.kernel):
        axes = []
        for axis in range(2):
            at = np.arange(out[axis]) * window.stride[axis] + tap[axis] * window.dilation[axis] - window.pad[axis]
            axes.append(at[(at >= 0) & (at < plane.shape[axis])])
        total += int(plane[np.ix_(*axes)].sum())
    return total


def block_rows(net: Traced, graph: list[Layer]) -> Iterator[tuple[Layer, sp.csr_array]]:
    """The block row of every layer that has one, in order."""
    found = views(net, graph)
    n_nodes = sum(layer.n_nodes for layer in graph)
    for layer in graph:
        if layer.node is not None:
            yield layer, block_row(net, layer, found, n_nodes)


def adjacency(net: Traced, graph: list[Layer]) -> sp.csr_array:
    """All of A. The layers must be in node order."""
    n_nodes = sum(layer.n_nodes for layer in graph)
    empty = sp.csr_array((graph[0].n_nodes, n_nodes), dtype=np.float32)
    return sp.vstack([empty, *(block for _, block in block_rows(net, graph))], format="csr")


def main() -> None:
    """Prints the layer table, for which no edge is listed, and writes A if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--input-size", type=int, help="height and width, if not the model's own")
    parser.add_argument("--residual", choices=["expand", "node"], default="expand")
    parser.add_argument("--batch-norm", choices=["ignore", "sign", "fold"], default="ignore")
    parser.add_argument("-o", "--output", type=Path, help="where to write A as a scipy npz file")
    args = parser.parse_args()
    model = traced.load(args.model, args.input_size)
    net = traced.trace(model, traced.random_image(model))
    graph = layers(net, args.residual, args.batch_norm)
    print(f"{'layer':24} {'kind':12} {'shape':>14} {'first node':>10} {'nodes':>9} {'edges':>11}")
    found, n_edges = views(net, graph), 0
    for layer in graph:
        shape, edges = "×".join(map(str, layer.shape)), count_edges(net, layer, found) if layer.node is not None else 0
        n_edges += edges
        print(f"{layer.name:24} {layer.kind:12} {shape:>14} {layer.first_node:10} {layer.n_nodes:9} {edges:11}")
    print(f"{sum(layer.n_nodes for layer in graph)} nodes, {n_edges} edges")
    if args.output:
        sp.save_npz(args.output, adjacency(net, graph))


if __name__ == "__main__":
    main()
