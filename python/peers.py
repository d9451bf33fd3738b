"""Other solvers on an exported graph, each run in a process of its own by `bench_peers.py`.

    python peers.py SOLVER FOLDER --replicas N --sweeps N --states OUT.npy
    python peers.py judge FOLDER --states STATES

FOLDER holds `a.npz` (`pipeline export`) and `graph.json` (`pipeline inspect --json`). Prints one line of JSON. `secs`
is the time of the search alone: for D-Wave what its samplers report as sampling, without the conversion of the model.

Minimal frustration is the ground state of an Ising model with couplings J = −w: `E = −Σ_{j → i} w s_i s_j`, and
flipping i changes E by `2 r_i`. So inverse temperatures have the same meaning everywhere.
"""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from oracle import energy, load_csr, read_rows, unpack_state

BETA_SIGMA = (0.25, 12.0)  # β σ of the first and of the last sweep, as in src/spin/anneal.rs
SEED = 0


@dataclass(frozen=True)
class Graph:
    """A in f32 and the ranges of nodes that are its layers."""

    a: sp.csr_array
    layers: list[slice]

    @classmethod
    def load(cls, folder: Path) -> "Graph":
        """From what the binary wrote."""
        entries = json.loads((folder / "graph.json").read_text())["layers"]
        layers = [slice(e["first_node"], e["first_node"] + e["n_nodes"]) for e in entries]
        return cls(load_csr(folder / "a.npz"), layers)

    def sigma(self) -> float:
        """Geometric mean over nodes of their layer's root mean square of `√(Σ_j Au_ij²)`, as in src/spin/scale.rs."""
        squares = sp.csr_array((self.a.data**2, self.a.indices, self.a.indptr), shape=self.a.shape, copy=False)
        ones = np.ones(self.a.shape[0], np.float32)
        rows = squares @ ones + squares.T @ ones
        means = [(rows[layer].mean(), layer.stop - layer.start) for layer in self.layers]
        logs, nodes = zip(*((0.5 * np.log(mean), n) for mean, n in means if mean > 0))
        return float(np.exp(np.average(logs, weights=nodes)))

    def betas(self, sweeps: int) -> np.ndarray:
        """The geometric schedule of `--method anneal`."""
        first, last = (beta / self.sigma() for beta in BETA_SIGMA)
        return np.geomspace(first, last, sweeps)


@dataclass(frozen=True)
class Found:
    """What a solver returns: spins ±1 as `[replica][node]`."""

    states: np.ndarray
    secs: float
    sweeps: int


def dwave_model(a: sp.csr_array):  # noqa: ANN201, the package is imported only where it is used
    """The graph as D-Wave takes it."""
    from dimod import BinaryQuadraticModel

    targets, sources = sp.coo_array(a).coords
    return BinaryQuadraticModel.from_numpy_vectors(
        np.zeros(a.shape[0], np.float32), (targets, sources, -a.data), 0.0, "SPIN", dtype=np.float32
    )


def dwave_found(sampled, sweeps: int) -> Found:  # noqa: ANN001
    """States in the order of nodes, whatever the order of the model's variables."""
    order = np.argsort(np.asarray(sampled.variables))
    return Found(sampled.record.sample[:, order], sampled.info["timing"]["sampling_ns"] * 1e-9, sweeps)


def dwave_steepest(graph: Graph, replicas: int, _: int) -> Found:
    """`SteepestDescentSolver` from all +1. Its `large_sparse_opt` makes no difference on these graphs."""
    from dwave.samplers import SteepestDescentSolver

    start = np.ones((replicas, graph.a.shape[0]), np.int8)
    model = dwave_model(graph.a)
    sampled = SteepestDescentSolver().sample(model, initial_states=start, seed=SEED)
    return dwave_found(sampled, 0)


def dwave_anneal(graph: Graph, replicas: int, sweeps: int) -> Found:
    """`SimulatedAnnealingSampler` with our schedule given by hand; without one it ends far too cold."""
    from dwave.samplers import SimulatedAnnealingSampler

    schedule = {"beta_schedule_type": "custom", "beta_schedule": graph.betas(sweeps)}
    model = dwave_model(graph.a)
    sampled = SimulatedAnnealingSampler().sample(model, num_reads=replicas, seed=SEED, **schedule)
    return dwave_found(sampled, sweeps)


@dataclass
class Layers:
    """Rows of A and of Aᵀ, layer by layer, and the spins of all replicas as columns of a dense f32 matrix."""

    rows: list[tuple[slice, sp.csr_array, sp.csr_array]]
    spins: np.ndarray  # [node][replica]
    rng: np.random.Generator

    @classmethod
    def start(cls, graph: Graph, replicas: int) -> "Layers":
        """Random spins."""
        transposed = sp.csr_array(graph.a.T)
        rows = [(layer, row_slice(graph.a, layer), row_slice(transposed, layer)) for layer in graph.layers]
        rng = np.random.default_rng(SEED)
        spins = rng.integers(0, 2, (graph.a.shape[0], replicas)).astype(np.float32) * 2 - 1
        return cls(rows, spins, rng)

    def sweep(self, flips: Callable[[np.ndarray], np.ndarray]) -> int:
        """Visits layer after layer: `flips(r)` says which spins change sign. Returns how many did."""
        total = 0
        for layer, inward, outward in self.rows:
            spins = self.spins[layer]
            flip = flips(spins * (inward @ self.spins + outward @ self.spins))
            spins[flip] *= -1
            total += int(flip.sum())
        return total

    def found(self, start: float, sweeps: int) -> Found:
        """The states now; `start` is when the search began."""
        secs = time.perf_counter() - start
        return Found(self.spins.T.astype(np.int8), secs, sweeps)


def row_slice(a: sp.csr_array, rows: slice) -> sp.csr_array:
    """Some rows without a copy of their entries: the constructor would copy them."""
    start, stop = a.indptr[rows.start], a.indptr[rows.stop]
    part = sp.csr_array((rows.stop - rows.start, a.shape[1]), dtype=a.dtype)
    part.data, part.indices = a.data[start:stop], a.indices[start:stop]
    part.indptr = a.indptr[rows.start : rows.stop + 1] - start
    return part


def scipy_descent(graph: Graph, replicas: int, sweeps: int) -> Found:
    """Flips all r < 0 of a layer at once, until none is left or `sweeps` are done."""
    layers, start = Layers.start(graph, replicas), time.perf_counter()
    done = 0
    while done < sweeps:
        done += 1
        if layers.sweep(lambda r: r < 0) == 0:
            break
    return layers.found(start, done)


def scipy_heat_bath(graph: Graph, replicas: int, sweeps: int) -> Found:
    """Redraws all spins of a layer at once, `P(flip) = 1 / (1 + exp(2 β r))`, over our schedule."""
    betas, layers = graph.betas(sweeps), Layers.start(graph, replicas)
    start = time.perf_counter()
    for beta in betas.astype(np.float32):
        layers.sweep(lambda r: layers.rng.random(r.shape, np.float32) * (1 + np.exp(np.minimum(2 * beta * r, 80))) < 1)
    return layers.found(start, sweeps)


SOLVERS = {
    "dwave-steepest": dwave_steepest,
    "dwave-anneal": dwave_anneal,
    "scipy-descent": scipy_descent,
    "scipy-heat-bath": scipy_heat_bath,
}


def judge(folder: Path, path: Path) -> dict:
    """Least energy of a file's states, recomputed in f64. Of ours (Parquet) also the largest error of the energies that
    the file states, and the sweeps of its longest replica."""
    a = load_csr(folder / "a.npz").astype(np.float64)
    rows = [] if path.suffix == ".npy" else read_rows(path)
    states = [unpack_state(row["state"], a.shape[0]) for row in rows] or np.load(path).astype(np.float64)
    found = [energy(a, spins) for spins in states]  # A in place of Au halves both sums
    error = max((abs(e - row["energy"]) for e, row in zip(found, rows)), default=0.0)
    return {"least": min(found), "error": error, "sweeps": max((row["sweeps"] for row in rows), default=0)}


def main() -> None:
    """Runs one solver, or evaluates states."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("solver", choices=[*SOLVERS, "judge"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--replicas", type=int, default=1)
    parser.add_argument("--sweeps", type=int, default=100)
    parser.add_argument("--states", type=Path, required=True)
    args = parser.parse_args()
    if args.solver == "judge":
        print(json.dumps(judge(args.folder, args.states)))
        return
    found = SOLVERS[args.solver](Graph.load(args.folder), args.replicas, args.sweeps)
    np.save(args.states, found.states)
    print(json.dumps({"secs": found.secs, "sweeps": found.sweeps}))


if __name__ == "__main__":
    main()
