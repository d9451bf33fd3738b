"""Does the exported adjacency matrix describe the network?

    python check_adjacency.py --pipeline BIN --model M.onnx [--plain] [--input-size N] [--batch-norm RULE]
        [--arch NAME --weights M.safetensors]
    python check_adjacency.py --self-test

Checks, per layer:
- table: names or order, kinds, shapes, first nodes and edge counts of `pipeline inspect` fit the ONNX file;
- direct: A times the hidden tensor that onnxruntime gives as the layer's input is its output less bias. Behind a sum
  every addend's columns carry the same weights, so the sum on the columns of one addend alone must do;
- skeleton: z = A z for the hidden tensors of the linear skeleton (see `skeleton.py`): all layers, all addends at once;
- plain (`--plain`): entry by entry equal to `plain_adjacency.py`;
- safetensors (`--arch`, `--weights`): the graph of the checkpoint has the fingerprint of the ONNX file's graph.
"""

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import scipy.sparse as sp

import plain_adjacency as plain
import skeleton
import traced
from oracle import Pipeline, Quiet, Report, TableLayer, arguments, with_pipeline
from plain_adjacency import Layer, View
from traced import Traced

TOLERANCE = 1e-5
WEIGHT_TOLERANCE = 1e-6
DEFAULT_MODEL = Path(__file__).parent.parent / "fixtures" / "digits" / "digits.onnx"


def matched(expected: list[Layer], table: list[TableLayer]) -> list[Layer]:
    """The expected layers with the first nodes of the table: paired by name if all names are there, else by order."""
    if len(expected) != len(table):
        raise ValueError(f"{len(table)} layers in the table, {len(expected)} in the network")
    by_name = {entry.name: entry for entry in table}
    aliases = [[layer.name, layer.tensor, layer.tensor.replace("/", ".")] for layer in expected]
    named = [next((by_name[alias] for alias in names if alias in by_name), None) for names in aliases]
    complete = None not in named and len({entry.name for entry in named}) == len(named)
    return [replace(a, first_node=b.first_node) for a, b in zip(expected, named if complete else table)]


def check_table(report: Report, net: Traced, graph: list[Layer], table: list[TableLayer]) -> None:
    """Kinds, shapes, node ranges and edge counts agree, and the ranges cover the nodes."""
    entries = {entry.first_node: entry for entry in table}
    wrong = [layer.name for layer in graph if not agrees(layer, entries[layer.first_node])]
    report.check("layer table", not wrong, f"{len(table)} layers" if not wrong else f"differs at {', '.join(wrong)}")
    found = plain.views(net, graph)
    counts = [0, *(plain.count_edges(net, layer, found) for layer in graph[1:])]
    wrong = [layer.name for layer, n in zip(graph, counts) if entries[layer.first_node].n_edges != n]
    report.check("edges of layers", not wrong, f"{sum(counts)} edges" if not wrong else f"differ at {', '.join(wrong)}")
    ends = [entry.first_node + entry.n_nodes for entry in table]
    starts = [entry.first_node for entry in table]
    report.check("layers cover the nodes", starts == [0, *ends[:-1]], f"{ends[-1]} nodes")


def agrees(layer: Layer, entry: TableLayer) -> bool:
    """True if a table entry describes `layer`."""
    return (layer.kind, layer.shape, layer.n_nodes) == (entry.kind, entry.shape, entry.n_nodes)


def on_nodes(layer: Layer, tensor: np.ndarray) -> np.ndarray:
    """A layer's tensor (`[1][c][h][w]` or `[1][n]`) in the order of its nodes, f64."""
    values = np.empty(layer.n_nodes)
    values[layer.tensor_ids().ravel() - layer.first_node] = tensor.ravel()
    return values


def whole_addends(values: np.ndarray, view: View) -> Iterator[np.ndarray]:
    """Addends whose nodes can carry all of a tensor: every node once in all, none missing where it is not 0."""
    ids, times = np.unique(np.concatenate([addend[addend > 0] for addend in view]), return_counts=True)
    if (times > 1).any():
        return
    yield from (addend for addend in view if not values[addend == 0].any())


def check_direct(report: Report, net: Traced, graph: list[Layer], a: sp.csr_array) -> None:
    """The block of every convolution and dense layer, from one addend at a time, times its true input."""
    found = plain.views(net, graph)
    for layer in graph:
        if layer.kind not in ("conv", "dense"):
            continue
        source = layer.node.input[0]
        linear = net.values[layer.tensor] - net.bias(layer.node)
        expected = on_nodes(layer, linear * layer.factors.reshape(-1, *[1] * (linear.ndim - 2)))
        for number, addend in enumerate(whole_addends(net.values[source], found[source])):
            z = np.zeros(a.shape[1])
            z[addend[addend > 0] - 1] = net.values[source][addend > 0]
            report.close(f"direct {layer.name}, addend {number}", a[layer.rows] @ z, expected, TOLERANCE)


def check_skeleton(
    report: Report, net: Traced, graph: list[Layer], a: sp.csr_array, scales: dict[str, np.ndarray]
) -> None:
    """z = A z, layer by layer, for the linear skeleton and a random image."""
    values, gain = skeleton.hidden_values(net, graph, scales, traced.random_image(net.model, seed=1))
    z = np.empty(a.shape[1])
    for layer in graph:
        z[layer.rows] = on_nodes(layer, values[layer.tensor])
    report.check("skeleton is finite", bool(np.isfinite(z).all()))
    for layer in graph[1:]:
        expected = z[layer.rows] / gain.get(layer.tensor, 1.0)
        report.close(f"skeleton {layer.name}", a[layer.rows] @ z, expected, TOLERANCE)
    first = graph[0]
    report.check("no edges into the input", a[first.rows].nnz == 0)


def check_plain(report: Report, net: Traced, graph: list[Layer], a: sp.csr_array) -> None:
    """Every entry of A equals the plain builder's."""
    found = plain.views(net, graph)
    for layer in graph[1:]:
        weights, rows, cols = plain.entries(net, layer, found)
        expected = sp.csr_array((weights, (rows, cols)), shape=(layer.n_nodes, a.shape[1]))
        check_same(report, f"plain {layer.name}", a[layer.rows], expected)
        counted = plain.count_edges(net, layer, found)
        report.check(f"plain builder counts right {layer.name}", counted == len(weights), f"{counted}")


def check_same(report: Report, name: str, found: sp.csr_array, expected: sp.csr_array) -> None:
    """Two CSR matrices have the same entries at the same places."""
    expected.sort_indices()
    same = found.shape == expected.shape and np.array_equal(found.indptr, expected.indptr)
    if same and np.array_equal(found.indices, expected.indices):
        report.close(name, found.data, expected.data, WEIGHT_TOLERANCE)
    else:
        report.check(name, False, f"{found.nnz} entries, expected {expected.nnz}, or other places")


def check_all(
    report: Report, net: Traced, graph: list[Layer], a: sp.csr_array, with_plain: bool, batch_norm: str = "ignore"
) -> None:
    """All checks of one matrix whose layers stand at `graph`'s first nodes; only the skeleton's where a normalisation
    that counts is not right behind a layer."""
    n_nodes = sum(layer.n_nodes for layer in graph)
    if not report.check("shape of A", a.shape == (n_nodes, n_nodes), f"{a.shape[0]} nodes, {a.nnz} edges"):
        return
    scales = plain.other_scales(net, graph, batch_norm)
    report.attempt("skeleton", check_skeleton, net, graph, a, scales)
    if not scales:
        report.attempt("direct", check_direct, net, graph, a)
    if with_plain and not scales:
        report.attempt("plain", check_plain, net, graph, a)


def check_binary(report: Report, args: argparse.Namespace, pipeline: Pipeline) -> None:
    """Builds, exports and checks the graph of one model."""
    model = traced.load(args.model, args.input_size)
    net = traced.trace(model, traced.random_image(model))
    size = ["--input-size", args.input_size] if args.input_size else []
    options = [*size, "--residual", args.residual, "--batch-norm", args.batch_norm]
    directory = pipeline.build(args.model, *options)
    about = pipeline.inspect(directory)
    table = [TableLayer.parse(layer) for layer in about["layers"]]
    graph = matched(plain.layers(net, args.residual, args.batch_norm), table)
    check_table(report, net, graph, table)
    if not args.count:
        check_all(report, net, graph, pipeline.export(directory), args.plain, args.batch_norm)
    if args.weights:
        other = pipeline.inspect(pipeline.build_named(args.arch, args.weights, *options))
        report.check("fingerprint from safetensors", other["fingerprint"] == about["fingerprint"], about["fingerprint"])


def self_test(report: Report, path: Path, residual: str, input_size: int | None) -> None:
    """The oracles accept the plain builder's matrix, and reject it after small damage."""
    model = traced.load(path, input_size)
    net = traced.trace(model, traced.random_image(model))
    graph = plain.layers(net, residual)
    a = plain.adjacency(net, graph)
    a.sum_duplicates()
    check_all(report, net, graph, a, with_plain=False)
    for name, damaged in damages(a, graph):
        quiet = Quiet("damaged")
        check_skeleton(quiet, net, graph, damaged, {})
        report.check(f"skeleton notices {name}", quiet.failed > 0)


def damages(a: sp.csr_array, graph: list[Layer]) -> Iterator[tuple[str, sp.csr_array]]:
    """A with one kind of mistake each."""
    largest = a.copy()
    largest.data[np.abs(a.data).argmax()] *= -1
    yield "one wrong sign", largest
    order = np.arange(a.shape[0])
    rows = graph[1].rows
    order[rows] = graph[1].ids().ravel()
    yield "a layer numbered channels-first", sp.csr_array(a[order][:, order])
    lost = a.copy()
    last = graph[-1].first_node
    lost.data[a.indptr[last]] = 0.0
    yield "one lost edge", lost


def main() -> None:
    """Reads the arguments and runs the checks."""
    parser = arguments(__doc__)
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL)
    parser.add_argument("--weights", type=Path, help="safetensors checkpoint of the same network")
    parser.add_argument("--arch", help="architecture of the checkpoint")
    parser.add_argument("--input-size", type=int, help="height and width, if not the model's own")
    parser.add_argument("--residual", choices=["expand", "node"], default="expand")
    parser.add_argument("--batch-norm", choices=["ignore", "sign", "fold"], default="ignore")
    parser.add_argument("--count", action="store_true", help="check the layer table only, of any size of graph")
    parser.add_argument("--plain", action="store_true", help="compare entry by entry with the plain builder, too")
    parser.add_argument("--self-test", action="store_true", help="test the checks themselves; needs no binary")
    args = parser.parse_args()
    rules = [rule for rule in (args.residual, args.batch_norm) if rule not in ("expand", "ignore")]
    report = Report(" ".join(["adjacency", args.model.stem, *rules]))
    if args.self_test:
        report.attempt("self-test", self_test, args.model, args.residual, args.input_size)
    else:
        with_pipeline(args, lambda pipeline: report.attempt("run", check_binary, args, pipeline))
    report.exit()


if __name__ == "__main__":
    main()
