"""Are the null models that `pipeline null` keeps what they promise to be, and are its energies theirs?

    python check_null.py --pipeline BIN [--model M.onnx]

The graphs of the network and of some null models are exported, and by scipy, layer by layer:
- every null model has its edges where the network has them;
- edges that share a parameter in the network share one in the null model: there are no more pairs of a weight of the one
  and the weight of the other at its place than parameters; weights into pooling layers are the network's;
- n1: each convolution and dense layer has the network's weights, in another order;
- n3: mean and variance are those of the distribution, within five standard errors;
and `solve` on a kept graph, with the seed that its manifest states, finds the energies in the table, which are those of
the states by scipy.
"""

import argparse
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from check_adjacency import DEFAULT_MODEL
from oracle import Pipeline, Report, arguments, energy, read_rows, symmetric, unpack_state, with_pipeline

TRAINED = ("conv", "dense")


def parameters(real: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The weights of the null model, once for each pair with the network's: for each parameter, but for coincidences."""
    bits = [array.astype(np.float32).view(np.uint32).astype(np.uint64) for array in (real, weights)]
    _, first = np.unique(bits[0] << np.uint64(32) | bits[1], return_index=True)
    return weights[first].astype(np.float64)


def variance(distribution: str, layer: dict) -> tuple[float, float]:
    """Variance and kurtosis of a layer's new weights."""
    if distribution == "he":
        return 2 / layer["fan_in"], 3.0
    fan_out = layer["shape"][0] * layer["taps"]
    return 2 / (layer["fan_in"] + fan_out), 1.8


def check_layer(report: Report, name: str, layer: dict, real: np.ndarray, weights: np.ndarray) -> None:
    """The weights of the edges into one layer, in the same order."""
    values = parameters(real, weights)
    if layer["kind"] in TRAINED:
        detail = f"{values.size} of {layer['n_params']} parameters, {weights.size} edges"
        report.check(f"{name}: shared weights", values.size <= layer["n_params"], detail)
    if layer["kind"] not in TRAINED:
        report.check(f"{name}: pooling weights", np.array_equal(weights, real))
    elif name.startswith("n1"):
        same = np.array_equal(np.unique(weights), np.unique(real))
        report.check(f"{name}: a permutation", same and not np.array_equal(weights, real))
    else:
        expected, kurtosis = variance(name.split("-")[1], layer)
        mean, ratio = values.mean() / np.sqrt(expected / values.size), np.mean(values**2) / expected - 1
        error = ratio / np.sqrt((kurtosis - 1) / values.size)
        report.check(f"{name}: moments", max(abs(mean), abs(error)) <= 5, f"{mean:.1f} and {error:.1f} standard errors")


def check_model(report: Report, pipeline: Pipeline, real: sp.csr_array, graph: Path, rows: list[dict]) -> None:
    """One kept null model, with its rows of the table."""
    name, manifest = graph.name, pipeline.inspect(graph)
    a = pipeline.export(graph)
    same = np.array_equal(a.indptr, real.indptr) and np.array_equal(a.indices, real.indices)
    if not report.check(f"{name}: edges", same):
        return
    for layer in manifest["layers"]:
        start, end = a.indptr[[layer["first_node"], layer["first_node"] + layer["n_nodes"]]]
        if end > start:
            check_layer(report, f"{name} {layer['name']}", layer, real.data[start:end], a.data[start:end])
    seed = manifest["description"]["solver_seed"]
    options = ["--method", "steepest", "--replicas", len(rows), "--seed", seed]
    replicas = read_rows(pipeline.solve(graph, "solved", *options))
    au = symmetric(a.astype(np.float64))
    found = [energy(au, unpack_state(replica["state"], a.shape[0])) for replica in replicas]
    report.close(f"{name}: energies", np.array([row["energy"] for row in rows]), np.array(found), 1e-6)


def check_binary(report: Report, args: argparse.Namespace, pipeline: Pipeline) -> None:
    """Makes and keeps two null models of each kind and distribution."""
    graph = pipeline.build(args.model)
    real = pipeline.export(graph)
    for kind, distributions, n in (("n1", [None], 2), ("n3", ["he", "xavier"], 4)):
        table, kept = pipeline.directory / f"{kind}.parquet", pipeline.directory / f"{kind}.kept"
        options = ["--models", n, "--seed", 1, "--method", "steepest", "--keep", kept]
        pipeline.run("null", graph, "-o", table, "--kind", kind, *options)
        rows = read_rows(table)
        found = [row["distribution"] for row in rows]
        report.check(f"{kind}: rows", found == [d for d in distributions for _ in range(4)], str(found))
        for distribution in distributions:
            for index in range(2):
                name = "-".join(filter(None, (kind, distribution, str(index))))
                mine = [row for row in rows if (row["distribution"], row["index"]) == (distribution, index)]
                report.attempt(name, check_model, pipeline, real, kept / name, mine)


def main() -> None:
    """Reads the arguments and runs the checks."""
    parser = arguments(__doc__)
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL)
    args = parser.parse_args()
    report = Report(f"null models of {args.model.stem}")
    with_pipeline(args, lambda pipeline: report.attempt("run", check_binary, args, pipeline))
    report.exit()


if __name__ == "__main__":
    main()
