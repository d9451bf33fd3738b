"""Does `pipeline solve --method steepest` follow Algorithm 1 to the letter?

    python check_steepest.py --pipeline BIN
    python check_steepest.py --self-test

Random signed graphs with weights ±1 are written as CSV, imported, exported and solved without random flips. All sums
are exact integers, so energy, number of flips and the final state must be those of `exact_solver.py`.
"""

import argparse
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from exact_solver import steepest
from oracle import Pipeline, Report, arguments, energy, local_fields, read_rows, symmetric, unpack_state, with_pipeline

SIZES = [(10, 20), (60, 300), (400, 3000), (3000, 9000)]  # nodes, edges


def random_signed_graph(n_nodes: int, n_edges: int, seed: int) -> sp.csr_array:
    """Weights ±1 on `n_edges` different pairs source < target of `n_nodes` nodes; the last node has an edge."""
    rng = np.random.default_rng(seed)
    targets, sources = np.tril_indices(n_nodes, -1)
    chosen = np.sort(rng.choice(len(targets) - 1, n_edges - 1, replace=False))
    chosen = np.append(chosen, len(targets) - 1)
    signs = rng.choice([-1.0, 1.0], n_edges)
    return sp.csr_array((signs, (targets[chosen], sources[chosen])), shape=(n_nodes, n_nodes))


def write_csv(path: Path, a: sp.csr_array) -> None:
    """The edges of A as `source,target,weight`."""
    edges = sp.coo_array(a)
    lines = [f"{j},{i},{w:g}\n" for i, j, w in zip(*edges.coords, edges.data)]
    path.write_text("source,target,weight\n" + "".join(lines))


def check_graph(report: Report, pipeline: Pipeline, n_nodes: int, n_edges: int, seed: int) -> None:
    """One random graph through import, export and solve."""
    name = f"random {n_nodes} nodes {n_edges} edges"
    a = random_signed_graph(n_nodes, n_edges, seed)
    csv, directory = (pipeline.directory / f"random{seed}.{suffix}" for suffix in ("csv", "graph"))
    write_csv(csv, a)
    pipeline.run("import-graph", csv, "-o", directory)
    exported = pipeline.export(directory)
    report.check(f"{name}: same Σ|w| and edges", abs(exported).sum() == n_edges == exported.nnz, f"{exported.nnz}")
    # the import may renumber nodes, and ties go by number: solve what was exported
    expected = steepest(exported)
    table = pipeline.solve(
        directory, "steepest", "--method", "steepest", "--replicas", 1, "--random-flips", 0, "--seed", 1
    )
    (row,) = read_rows(table)
    error = abs(row["energy"] - expected.energy)
    report.check(f"{name}: energy", error <= 1e-9, f"{row['energy']:.9f}, expected {expected.energy:.9f}")
    report.check(f"{name}: flips", row["flips"] == expected.n_flips, f"{row['flips']}, expected {expected.n_flips}")
    same = np.array_equal(unpack_state(row["state"], exported.shape[0]), expected.spins)
    report.check(f"{name}: state", same)


def self_test(report: Report) -> None:
    """The reference solver ends in local minima that it cannot lower, and finds balanced graphs balanced."""
    for n_nodes, n_edges in SIZES[:3]:
        a = random_signed_graph(n_nodes, n_edges, n_nodes)
        found = steepest(a)
        au = symmetric(a)
        report.check(f"{n_nodes} nodes: local minimum", local_fields(au, found.spins).min() >= 0)
        before = energy(au, np.ones(n_nodes))
        report.check(f"{n_nodes} nodes: energy fell", found.energy < before, f"{before:.4f} to {found.energy:.4f}")
    triangle = sp.csr_array(([1.0, 1.0, -1.0], ([1, 2, 2], [0, 1, 0])), shape=(3, 3))
    report.check("frustrated triangle: one edge of three", abs(steepest(triangle).energy - 1 / 3) < 1e-12)
    star = sp.csr_array(([-1.0, -1.0, -1.0], ([1, 2, 3], [0, 0, 0])), shape=(4, 4))
    found = steepest(star)
    report.check("negative star: balanced after one flip of its centre", (found.energy, found.n_flips) == (0.0, 1))


def check_binary(report: Report, pipeline: Pipeline) -> None:
    """All sizes, one seed each."""
    for seed, (n_nodes, n_edges) in enumerate(SIZES):
        report.attempt(f"random {n_nodes}", check_graph, pipeline, n_nodes, n_edges, seed)


def main() -> None:
    """Reads the arguments and runs the checks."""
    parser = arguments(__doc__)
    parser.add_argument("--self-test", action="store_true", help="test the reference itself; needs no binary")
    args: argparse.Namespace = parser.parse_args()
    report = Report("steepest")
    if args.self_test:
        self_test(report)
    else:
        with_pipeline(args, lambda pipeline: check_binary(report, pipeline))
    report.exit()


if __name__ == "__main__":
    main()
