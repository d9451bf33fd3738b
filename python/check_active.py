"""Are the active subnetworks that `pipeline active` reports those of the hidden states that onnxruntime computes?

    python check_active.py --pipeline BIN [--model M.onnx --images X.npy --count 20 --residual node]
    python check_active.py --pipeline BIN --model M.onnx --images DIR --preprocess NAME --count 2 --tolerance 1e-4

Edge by edge, by the rules of `plain_adjacency.py`: an element that a ReLU sets to zero stands for no node behind it, an
edge into a max-pooling layer is active if its element is the maximum, and from the predicted class backwards a node is
active if it has an active edge to an active node. For each image the nodes, the number of edges, the sum of their
weights, the counts of every layer, and the energy of the spins are compared.

Where a value is within rounding of zero or of another, onnxruntime may decide otherwise: `--tolerance` is the share of
the nodes and edges that may differ.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import plain_adjacency as plain
import traced
from check_adjacency import DEFAULT_MODEL
from oracle import Pipeline, Report, arguments, layers_table, read_rows, unpack_state, with_pipeline
from traced import Traced

IMAGES = DEFAULT_MODEL.parent / "images.npy"


@dataclass
class Subnetwork:
    """What is active in one image."""

    predicted: int
    nodes: np.ndarray  # bool by node
    edges: list[tuple[np.ndarray, np.ndarray, np.ndarray]]  # by layer: target node, source node, weight


def gated_views(net: Traced, graph: list[plain.Layer]) -> dict[str, plain.View]:
    """As `plain_adjacency.views`, without the elements that a ReLU has set to zero."""
    own = {layer.tensor: [(layer.tensor_ids() + 1).reshape(net.shape(layer.tensor))] for layer in graph}
    found = {net.input: own[net.input]}
    for node in net.nodes:
        inputs, output = [found[name] for name in net.data_inputs(node)], node.output[0]
        if output in own:
            found[output] = own[output]
        elif net.kind(node) == "pass":
            gate = net.values[output] != 0 if node.op_type in ("Relu", "Clip") else True
            found[output] = [np.where(gate, addend, 0) for addend in inputs[0]]
        elif net.kind(node) == "sum":
            found[output] = [addend for view in inputs for addend in view]
        elif net.kind(node) == "move":
            found |= plain.moved_views(net, node, inputs)
        else:
            found[output] = [plain.subsampled(net, node, addend) for addend in inputs[0]]
    return found


def maxima(net: Traced, layer: plain.Layer, view: plain.View) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights, rows and sources of the edges into a max-pooling layer whose element is the maximum."""
    values, pooled = net.values[layer.node.input[0]][0], net.values[layer.node.output[0]][0]
    weight = np.float32(plain.POOL_WEIGHT / np.sqrt(np.prod(net.window(layer.node).kernel)))
    rows, columns, weights = [], [], []
    for (y, x), _, (from_y, from_x) in plain.taps(net, layer.node):
        for addend in view:
            sources = addend[0, :, from_y, from_x]
            here = (sources > 0) & (values[:, from_y, from_x] == pooled[:, y, x])
            rows.append(layer.ids()[here, y, x] - layer.first_node)
            columns.append(sources[here] - 1)
            weights.append((weight * layer.factors)[here])
    return np.concatenate(weights), np.concatenate(rows), np.concatenate(columns)


def logits(net: Traced) -> str:
    """The tensor whose greatest element is the predicted class."""
    last = net.nodes[-1]
    return last.input[0] if last.op_type in ("Softmax", "LogSoftmax") else last.output[0]


def subnetwork(net: Traced, graph: list[plain.Layer]) -> Subnetwork:
    """The active subnetwork of the image that `net` has seen."""
    found, output = gated_views(net, graph), logits(net)
    nodes = np.zeros(sum(layer.n_nodes for layer in graph), bool)
    predicted = int(np.argmax(net.values[output].ravel()))
    for addend in plain.views(net, graph)[output]:
        nodes[addend.ravel()[predicted] - 1] = True
    edges = []
    for layer in reversed(graph):
        if layer.node is None:
            edges.insert(0, tuple(np.zeros(0, kind) for kind in (int, int, float)))
            continue
        if layer.kind == "max_pool":
            weights, rows, columns = maxima(net, layer, found[net.data_inputs(layer.node)[0]])
        else:
            weights, rows, columns = plain.entries(net, layer, found)
        active = nodes[layer.first_node + rows]
        nodes[columns[active]] = True
        edges.insert(0, (layer.first_node + rows[active], columns[active], weights[active].astype(np.float64)))
    return Subnetwork(predicted, nodes, edges)


def check_image(report: Report, args: argparse.Namespace, expected: Subnetwork, row: dict, layers: list[dict]) -> None:
    """One row of the table, and its rows of the table of layers."""
    n_nodes = expected.nodes.size
    found = unpack_state(row["active"], n_nodes) > 0
    n_edges = sum(weights.size for *_, weights in expected.edges)
    sum_abs = sum(np.abs(weights).sum() for *_, weights in expected.edges)
    name = f"image {row['image']}"
    report.check(f"{name}: class", row["class"] == expected.predicted, f"{row['class']}")
    differ = int((found != expected.nodes).sum())
    report.check(f"{name}: nodes", differ <= args.tolerance * n_nodes, f"{differ} of {n_nodes} differ, {found.sum()} active")
    report.check(f"{name}: number of nodes", row["active_nodes"] == found.sum())
    error = abs(row["active_edges"] - n_edges)
    report.check(f"{name}: edges", error <= args.tolerance * n_edges, f"{row['active_edges']}, expected {n_edges}")
    error = abs(row["sum_abs"] / sum_abs - 1)
    report.check(f"{name}: sum of weights", error <= 1e-6 + args.tolerance, f"relative error {error:.1e}")
    error = max(
        abs(layer["active_edges"] - weights.size) + abs(layer["active_weight"] - np.abs(weights).sum()) / (1 + sum_abs)
        for layer, (*_, weights) in zip(layers, expected.edges, strict=True)
    )
    report.check(f"{name}: layers", error <= 1e-6 + args.tolerance * n_edges, f"{error:.1e}")
    spins = unpack_state(row["spins"], n_nodes)
    aligned = sum(float((spins[rows] * weights * spins[columns]).sum()) for rows, columns, weights in expected.edges)
    error = abs(row["energy"] - 0.5 * (1 - aligned / sum_abs))
    report.check(f"{name}: energy", error <= 1e-6 + args.tolerance, f"{row['energy']:.6f}, error {error:.1e}")
    fields = np.zeros(n_nodes)
    for rows, columns, weights in expected.edges:
        terms = spins[rows] * weights * spins[columns]
        fields += np.bincount(rows, terms, n_nodes) + np.bincount(columns, terms, n_nodes)
    typical = np.abs(fields[expected.nodes]).mean()
    least = fields[found & expected.nodes].min() / typical
    good = row["local_minimum"] and (least >= -1e-4 or args.tolerance > 0)
    report.check(f"{name}: local minimum", good, f"least field {least:.1e} of the typical one")


def check_binary(report: Report, args: argparse.Namespace, pipeline: Pipeline) -> None:
    """Runs the binary on all images, then looks at the first ones."""
    images = args.images
    graph = pipeline.build(args.model, "--residual", args.residual)
    if args.preprocess:
        images, names = pipeline.directory / "images.npy", ["--images", args.images, "--preprocess", args.preprocess]
        shape = ",".join(map(str, pipeline.inspect(graph)["layers"][0]["shape"]))
        pipeline.run("images", "--shape", shape, *names, "--limit", args.count, "-o", images)
    table = pipeline.directory / f"{graph.stem}.{args.residual}.{args.method}.active.parquet"
    options = ["--limit", args.count, "--method", args.method, "--keep-masks", "--quiet"]
    pipeline.run("active", graph, "--model", args.model, "--images", images, "-o", table, *options)
    rows, layers = read_rows(table), read_rows(layers_table(table))
    report.check("rows", [row["image_index"] for row in rows] == list(range(args.count)))
    model = traced.load(args.model)
    for index, image in enumerate(np.load(images, mmap_mode="r")[: args.count]):
        net = traced.trace(model, np.asarray(image[None], np.float32))
        own = [layer for layer in layers if layer["image_index"] == index]
        expected = subnetwork(net, plain.layers(net, args.residual))
        report.attempt(f"image {index}", check_image, args, expected, rows[index], own)


def main() -> None:
    """Reads the arguments and runs the checks."""
    parser = arguments(__doc__)
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL)
    parser.add_argument("--images", type=Path, default=IMAGES, help="tensors in a .npy file, or with --preprocess a folder")
    parser.add_argument("--preprocess", help="what `pipeline images` does to the files of a folder")
    parser.add_argument("--count", type=int, default=20, help="images that are checked")
    parser.add_argument("--residual", choices=["expand", "node"], default="expand")
    parser.add_argument("--method", choices=["sweep", "anneal"], default="sweep")
    parser.add_argument("--tolerance", type=float, default=0.0, help="share of nodes and edges that may differ")
    args = parser.parse_args()
    report = Report(f"active {args.model.stem} {args.residual}")
    with_pipeline(args, lambda pipeline: report.attempt("run", check_binary, args, pipeline))
    report.exit()


if __name__ == "__main__":
    main()
