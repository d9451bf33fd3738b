"""What the check scripts share: running the `pipeline` binary, reading what it writes, spins, and the report.

Every script prints one line per check, `ok` or `FAIL` first, and exits with 1 if any failed.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import scipy.sparse as sp


@dataclass
class Report:
    """Counts checks and prints a line for each."""

    prefix: str
    failed: int = 0
    passed: int = 0

    def check(self, name: str, good: bool, detail: str = "") -> bool:
        """Prints one line; returns `good`."""
        self.passed, self.failed = self.passed + bool(good), self.failed + (not good)
        print(f"{'ok  ' if good else 'FAIL'} {self.prefix}: {name}{f' ({detail})' if detail else ''}", flush=True)
        return bool(good)

    def close(self, name: str, found: np.ndarray, expected: np.ndarray, tolerance: float) -> bool:
        """Checks that arrays of one shape differ by at most `tolerance` times the largest expected magnitude."""
        if found.shape != expected.shape:
            return self.check(name, False, f"shape {found.shape}, expected {expected.shape}")
        scale = np.abs(expected).max(initial=0.0)
        error = np.abs(found - expected).max(initial=0.0) / (scale or 1.0)
        return self.check(name, error <= tolerance, f"relative error {error:.1e}")

    def attempt(self, name: str, action: Callable[..., None], *args: object) -> None:
        """Runs a group of checks, `action(self, *args)`; an exception is one failed check."""
        try:
            action(self, *args)
        except Exception as error:  # the report must name every check, whatever went wrong in one
            traceback.print_exc()
            reason = (str(error).strip() or "no message").splitlines()
            self.check(name, False, f"{type(error).__name__}: {reason[0]}{' … ' + reason[-1] if reason[1:] else ''}")

    def exit(self) -> None:
        """Ends the script; a script that checked nothing has failed."""
        sys.exit(1 if self.failed or not self.passed else 0)


class Quiet(Report):
    """A report that counts and does not print: for tests of the checks themselves."""

    def check(self, name: str, good: bool, detail: str = "") -> bool:
        """Counts."""
        self.passed, self.failed = self.passed + bool(good), self.failed + (not good)
        return bool(good)


@dataclass
class Pipeline:
    """The binary under test and a directory for what it writes."""

    binary: Path
    directory: Path

    def run(self, *args: object) -> str:
        """Runs a subcommand and returns its stdout; on failure the exception's text ends with its stderr."""
        command = [str(self.binary), *map(str, args)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"exit {done.returncode}: {' '.join(command)}: {done.stderr.strip()}")
        return done.stdout

    def build(self, model: Path, *options: object) -> Path:
        """`pipeline build-graph` on an ONNX file; returns the graph directory."""
        graph = self.directory / f"{model.name}.graph"
        self.run("build-graph", "--quiet", "--model", model, "-o", graph, *options)
        return graph

    def build_named(self, architecture: str, weights: Path, *options: object) -> Path:
        """`pipeline build-graph` on a named architecture and its checkpoint; returns the graph directory."""
        graph = self.directory / f"{weights.name}.graph"
        self.run("build-graph", "--quiet", "--arch", architecture, "--weights", weights, "-o", graph, *options)
        return graph

    def inspect(self, graph: Path) -> dict:
        """What the binary says about a graph."""
        return json.loads(self.run("inspect", graph, "--json"))

    def export(self, graph: Path) -> sp.csr_array:
        """All of A as the binary exports it."""
        npz = self.directory / f"{graph.stem}.npz"
        self.run("export", graph, "-o", npz)
        return load_csr(npz)

    def solve(self, graph: Path, name: str, *options: object) -> Path:
        """`pipeline solve`; returns the table of replicas, beside which is the table of layers."""
        table = self.directory / f"{graph.stem}.{name}.parquet"
        self.run("solve", graph, "-o", table, *options)
        return table


@dataclass(frozen=True)
class TableLayer:
    """One layer as `pipeline inspect --json` lists it."""

    name: str
    kind: str
    first_node: int
    n_nodes: int
    n_edges: int
    shape: tuple[int, ...]

    @classmethod
    def parse(cls, entry: dict) -> "TableLayer":
        """From JSON; further fields are ignored."""
        numbers = (entry[key] for key in ("first_node", "n_nodes", "n_edges"))
        return cls(entry["name"], entry["kind"], *numbers, tuple(entry["shape"]))


def arguments(description: str) -> argparse.ArgumentParser:
    """A parser with the arguments that all checks of the binary have."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--pipeline", type=Path, help="the binary under test")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="work in DIR and keep what is written there")
    return parser


def with_pipeline(args: argparse.Namespace, action: Callable[[Pipeline], None]) -> None:
    """Calls `action` with the binary and an empty directory, which is removed afterwards unless `--keep` names it."""
    if args.pipeline is None:
        sys.exit("--pipeline is missing")
    binary = args.pipeline.resolve()
    if args.keep:
        args.keep.mkdir(parents=True, exist_ok=True)
        return action(Pipeline(binary, args.keep))
    with tempfile.TemporaryDirectory(prefix="frustration-") as directory:
        action(Pipeline(binary, Path(directory)))


def load_csr(npz: Path) -> sp.csr_array:
    """A CSR matrix that `scipy.sparse.save_npz` or `pipeline export` wrote, columns sorted, no entry twice."""
    matrix = sp.csr_array(sp.load_npz(npz))
    matrix.sum_duplicates()
    return matrix


def symmetric(a: sp.csr_array) -> sp.csr_array:
    """`Au = A + Aᵀ` in f64."""
    a = a.astype(np.float64)
    return sp.csr_array(a + a.T)


def energy(au: sp.csr_array, spins: np.ndarray) -> float:
    """`e(s) = ½ (1 − Σ s Au s / Σ |Au|)`; `spins` is ±1 per node."""
    return 0.5 * (1.0 - float(spins @ (au @ spins)) / float(np.abs(au.data).sum()))


def local_fields(au: sp.csr_array, spins: np.ndarray) -> np.ndarray:
    """`r_i = s_i Σ_j Au_ij s_j` per node; flipping i lowers the energy if `r_i < 0`."""
    return spins * (au @ spins)


def unpack_state(packed: bytes, n_nodes: int) -> np.ndarray:
    """Spins ±1 (f64) from ceil(n / 8) bytes: bit i, least significant first, is 1 for +1."""
    if len(packed) != (n_nodes + 7) // 8:
        raise ValueError(f"state has {len(packed)} bytes, expected {(n_nodes + 7) // 8}")
    bits = np.unpackbits(np.frombuffer(packed, np.uint8), count=n_nodes, bitorder="little")
    return 2.0 * bits - 1.0


def read_rows(parquet: Path) -> list[dict]:
    """Rows of a Parquet table as dictionaries."""
    return pq.read_table(parquet).to_pylist()


def layers_table(replicas: Path) -> Path:
    """The table of frustrated weights that `solve` writes beside the replicas."""
    return replicas.with_name(f"{replicas.stem}.layers.parquet")
