"""Are the energies that `pipeline solve` reports those of the states that it reports, and are these local minima?

    python check_energy.py --pipeline BIN [--model M.onnx] [--replicas 4]

For each method: the graph is exported, every state unpacked, and in f64 by scipy
- e(s) agrees with the column `energy`;
- no local field is negative: below −2e-6 of its row's Σ|w|, twice the tolerance that the streaming methods state
  (`steepest` is exact);
- the frustrated weight per layer pair, summed over the table of layers, gives the least energy.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from check_adjacency import DEFAULT_MODEL
from oracle import (
    Pipeline, Report, arguments, energy, layers_table, local_fields, read_rows, symmetric, unpack_state,
    with_pipeline,
)  # fmt: skip

METHODS = ["sweep", "steepest", "anneal"]
ENERGY_TOLERANCE = 1e-6
FIELD_TOLERANCE = 2e-6


@dataclass(frozen=True)
class Graph:
    """An exported graph."""

    directory: Path
    a: sp.csr_array  # f64
    au: sp.csr_array

    def field_scale(self) -> np.ndarray:
        """What a rounding error of a node's local field is measured in: Σ|w| of its row."""
        scale = abs(self.au).sum(axis=1)
        return np.where(scale > 0, scale, 1.0)


def check_states(report: Report, method: str, graph: Graph, rows: list[dict], n_replicas: int) -> None:
    """Energies and local fields of all replicas of one method."""
    au = graph.au
    report.check(f"{method}: one row per replica", [r["replica"] for r in rows] == list(range(n_replicas)))
    states = [unpack_state(row["state"], au.shape[0]) for row in rows]
    errors = [abs(energy(au, spins) - row["energy"]) for row, spins in zip(rows, states)]
    best = min(row["energy"] for row in rows)
    report.check(f"{method}: energies", max(errors) <= ENERGY_TOLERANCE, f"error {max(errors):.1e}, best {best:.6f}")
    scale = graph.field_scale()
    lowest = min((local_fields(au, spins) / scale).min() for spins in states)
    report.check(f"{method}: local minima", lowest >= -FIELD_TOLERANCE, f"least field {lowest:.1e} of its scale")
    report.check(f"{method}: replicas differ", len({row["state"] for row in rows}) == len(rows))


def check_layers(report: Report, method: str, a: sp.csr_array, rows: list[dict], layers: list[dict]) -> None:
    """The table of frustrated weights per layer pair, against the best state and against A."""
    best = min(rows, key=lambda row: row["energy"])
    frustrated, weight = (sum(entry[column] for entry in layers) for column in ("frustrated_weight", "weight"))
    total = float(np.abs(a.data).sum())
    error = abs(frustrated / total - best["energy"])
    report.check(f"{method}: frustrated weight by layers", error <= ENERGY_TOLERANCE, f"error {error:.1e}")
    report.check(f"{method}: weight by layers", abs(weight / total - 1) <= ENERGY_TOLERANCE, f"{weight:.6g}")
    spins = unpack_state(best["state"], a.shape[0])
    edges = sp.coo_array(a)
    targets, sources = edges.coords
    expected = int((edges.data * spins[targets] * spins[sources] < 0).sum())
    found = [sum(entry[column] for entry in layers) for column in ("n_edges", "frustrated_edges")]
    report.check(f"{method}: edges by layers", found == [a.nnz, expected], f"{found}, expected {[a.nnz, expected]}")


def check_method(report: Report, pipeline: Pipeline, graph: Graph, method: str, n: int) -> None:
    """Solves with one method and checks both tables."""
    table = pipeline.solve(graph.directory, method, "--method", method, "--replicas", n, "--seed", 1)
    rows = read_rows(table)
    check_states(report, method, graph, rows, n)
    check_layers(report, method, graph.a, rows, read_rows(layers_table(table)))


def check_binary(report: Report, args: argparse.Namespace, pipeline: Pipeline) -> None:
    """Builds and exports once, then checks every method."""
    size = ["--input-size", args.input_size] if args.input_size else []
    directory = pipeline.build(args.model, *size)
    a = pipeline.export(directory).astype(np.float64)
    graph = Graph(directory, a, symmetric(a))
    for method in args.methods:
        report.attempt(method, check_method, pipeline, graph, method, args.replicas)


def main() -> None:
    """Reads the arguments and runs the checks."""
    parser = arguments(__doc__)
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL)
    parser.add_argument("--input-size", type=int, help="height and width, if not the model's own")
    parser.add_argument("--replicas", type=int, default=4)
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS)
    args = parser.parse_args()
    report = Report(f"energy {args.model.stem}")
    with_pipeline(args, lambda pipeline: report.attempt("run", check_binary, args, pipeline))
    report.exit()


if __name__ == "__main__":
    main()
