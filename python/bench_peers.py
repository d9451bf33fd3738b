"""Whole runs of `pipeline solve` and of other solvers on the same graphs: time, memory and the energy that they reach.

    python3.11 python/bench_peers.py target/release/pipeline [--model squeezenet1_1.onnx] [--full] > peers.md

Every run is a process of its own, one at a time; repeats go round all solvers, so that a drift of the machine meets
all. Energies of all final states are recomputed by SciPy in f64. *search* is, for D-Wave, the sampling time that it
reports, for SciPy the sweeps, for `pipeline` the whole process; *whole* is the process, with Python's imports, reading
the matrix and converting it, *CPU* its time on all cores, and the peak is that of the process. Sweeps of `anneal` are
those of its schedule; the final descent is in the time. Keeps packages in `.venv-bench` (`requirements-bench.txt`).
Takes a quarter of an hour and 4 GiB of memory; with `--full` 8 GiB, and 9 GB of disk in TMPDIR.
"""

import argparse
import json
import statistics
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from environment import ready_python
from measure import Run, arguments, build, machine, median, parse, progress, run, solve, table

HERE = Path(__file__).resolve().parent
SIDE, FULL_SIDE = 67, 227
SWEEPS, FULL_SWEEPS, SWEEPS_LIMIT = 100, 3, 1000
HEADER = ["solver", "threads", "replicas", "sweeps", "least ε̂", "search, s", "s per replica",
          "ns per edge end, replica, sweep", "whole, s", "CPU, s", "peak, MiB"]  # fmt: skip
STEEPEST, ANNEAL = "D-Wave `SteepestDescentSolver`", "D-Wave `SimulatedAnnealingSampler`"


@dataclass
class Case:
    """One solver with its settings, and what was measured. `name` is that of a peer or of a method of ours."""

    label: str
    name: str
    threads: int
    replicas: int
    sweeps: int = 0  # asked for; 0: until no flip helps
    made: int = 0  # sweeps, 0 where there are none
    runs: list[Run] = field(default_factory=list)
    searches: list[float] = field(default_factory=list)  # s
    energy: float | None = None

    def ours(self) -> bool:
        """Whether `pipeline` does it."""
        return self.label == "ours"

    def search(self) -> float:
        """Median time of the search, s."""
        return statistics.median(self.searches)

    def whole(self) -> float:
        """Median time of the process, s."""
        return median(self.runs, lambda run: run.wall)

    def peak(self) -> float:
        """Median peak, MiB."""
        return median(self.runs, lambda run: run.peak)

    def title(self) -> str:
        """For the table."""
        return f"`pipeline solve --method {self.name}`" if self.ours() else self.label


def peers(replicas: int) -> list[Case]:
    """Those that fit in memory on a graph of ten million edges."""
    return [
        Case(STEEPEST, "dwave-steepest", 1, 1),
        Case(STEEPEST, "dwave-steepest", 1, 2),
        Case(ANNEAL, "dwave-anneal", 1, 1, SWEEPS),
        Case(ANNEAL, "dwave-anneal", 1, 2, SWEEPS),
        Case("SciPy CSR, all r < 0 of a layer", "scipy-descent", 1, replicas),
        Case("SciPy CSR, heat bath by layers", "scipy-heat-bath", 1, replicas, SWEEPS),
    ]


def ours(replicas: int) -> list[Case]:
    """The three methods, on one thread and on two."""
    return [
        Case("ours", "steepest", 1, 1),
        Case("ours", "steepest", 2, 2),
        Case("ours", "sweep", 1, replicas),
        Case("ours", "sweep", 2, replicas),
        Case("ours", "anneal", 1, replicas, SWEEPS),
        Case("ours", "anneal", 2, replicas, SWEEPS),
    ]


@dataclass
class Bench:
    """A graph, exported, and the folder that its states go to."""

    args: argparse.Namespace
    python: Path
    folder: Path
    graph: Path
    n_edges: int = 0
    counter: int = 0

    def prepare(self) -> None:
        """Writes what the peers read."""
        report = run(self.args.pipeline, "inspect", self.graph, "--json").stdout
        (self.folder / "graph.json").write_text(report)
        self.n_edges = sum(layer["n_edges"] for layer in json.loads(report)["layers"])
        run(self.args.pipeline, "export", self.graph, "-o", self.folder / "a.npz", "--quiet", "--force")

    def measure(self, case: Case) -> None:
        """One more run of a case."""
        self.counter += 1
        common = ["--replicas", case.replicas]
        if case.ours():
            output = self.folder / f"{self.counter}.parquet"
            schedule = ["--sweeps", case.sweeps] if case.sweeps else []
            options = ["--method", case.name, "--threads", case.threads, *common, *schedule]
            done = solve(self.args, self.graph, output, *options)
            case.searches.append(done.wall)
        else:
            output = self.folder / f"{self.counter}.npy"
            options = [*common, "--sweeps", case.sweeps or SWEEPS_LIMIT, "--states", output]
            done = run(self.python, HERE / "peers.py", case.name, self.folder, *options)
            found = json.loads(done.stdout)
            case.searches.append(found["secs"])
            case.made = found["sweeps"]
        case.runs.append(done)
        progress(f"{case.title()}, {case.replicas} replicas: {case.searches[-1]:.2f} s, {done.peak:.0f} MiB")
        if case.energy is None:  # all runs of a case end in the same states
            self.judge(case, output)

    def judge(self, case: Case, states: Path) -> None:
        """Recomputes the energies; those that we state must agree."""
        found = json.loads(run(self.python, HERE / "peers.py", "judge", self.folder, "--states", states).stdout)
        if found["error"] > 1e-6:
            sys.exit(f"{case.title()} states an energy that is off by {found['error']:.1e}")
        case.energy = found["least"]
        if case.ours() and case.name != "steepest":
            case.made = case.sweeps or found["sweeps"]

    def per_end(self, secs: float, case: Case) -> float:
        """ns per edge end, replica and sweep."""
        return secs * 1e9 / (2 * self.n_edges * case.replicas * case.made)

    def row(self, case: Case) -> list[str]:
        """For the table."""
        search = case.search()
        return [
            case.title(), str(case.threads), str(case.replicas), str(case.made or ""),
            f"{case.energy:.5f}", f"{search:.2f}", f"{search / case.replicas:.3f}",
            f"{self.per_end(search, case):.4f}" if case.made else "", f"{case.whole():.2f}",
            f"{median(case.runs, lambda run: run.cpu):.2f}", f"{case.peak():.0f}",
        ]  # fmt: skip


def pick(cases: list[Case], name: str, replicas: int, threads: int = 1) -> Case:
    """The case of that name."""
    return next(c for c in cases if (c.name, c.replicas, c.threads) == (name, replicas, threads))


def marginal(cases: list[Case], name: str) -> float:
    """What a peer needs for one more replica: search of two less search of one, s."""
    return pick(cases, name, 2).search() - pick(cases, name, 1).search()


def ratios(bench: Bench, cases: list[Case], replicas: int) -> str:
    """How many times more a peer needs than we do on one thread."""
    steepest, anneal = pick(cases, "steepest", 1), pick(cases, "anneal", replicas)
    dwave_steepest, dwave_anneal = pick(cases, "dwave-steepest", 1), pick(cases, "dwave-anneal", 1)
    descent, sweep = pick(cases, "scipy-descent", replicas), pick(cases, "sweep", replicas)
    heat_bath = pick(cases, "scipy-heat-bath", replicas)
    ours_end = bench.per_end(anneal.search(), anneal)
    first, more = (
        bench.per_end(secs, dwave_anneal) for secs in (dwave_anneal.search(), marginal(cases, "dwave-anneal"))
    )
    rows = [
        ("steepest, one replica: D-Wave's search", dwave_steepest.search(), steepest.search(), "s"),
        ("steepest: D-Wave's second replica", marginal(cases, "dwave-steepest"), steepest.search(), "s"),
        ("anneal, per edge end, replica, sweep: D-Wave's search", first, ours_end, "ns"),
        ("anneal, the same: D-Wave's second replica", more, ours_end, "ns"),
        ("anneal, the same: SciPy", bench.per_end(heat_bath.search(), heat_bath), ours_end, "ns"),
        (f"descent of {replicas} replicas: SciPy, `sweep`", descent.search(), sweep.search(), "s"),
        ("peak, steepest: D-Wave", dwave_steepest.peak(), steepest.peak(), "MiB"),
        ("peak, anneal: D-Wave", dwave_anneal.peak(), anneal.peak(), "MiB"),
        ("peak, anneal: SciPy", heat_bath.peak(), anneal.peak(), "MiB"),
    ]  # fmt: skip
    lines = [(name, f"{a:.4g} {unit}", f"{b:.4g} {unit}", f"{a / b:.1f}") for name, a, b, unit in rows]
    return table(["peer over ours, one thread", "peer", "ours", "ratio"], lines)


def equal_time(bench: Bench, cases: list[Case], replicas: int) -> str:
    """Ours, the whole process on one thread, in no more time than the search of each peer."""
    anneal, rows = pick(cases, "anneal", replicas), []
    for peer in cases:
        if peer.ours():
            continue
        # as many sweeps as the known cost allows, less a tenth for what varies
        sweeps = max(1, int(0.9 * peer.search() / anneal.search() * anneal.sweeps))
        case = Case("ours", "anneal", 1, replicas, sweeps)
        bench.measure(case)
        settings = f"{replicas} × {sweeps} sweeps"
        rows.append((peer.title(), peer.replicas, f"{peer.search():.2f}", f"{peer.energy:.5f}", settings,
                     f"{case.whole():.2f}", f"{case.energy:.5f}"))  # fmt: skip
    return table(["peer", "replicas", "search, s", "least ε̂", "`anneal`, one thread", "whole, s", "least ε̂"], rows)


def compare(bench: Bench, replicas: int) -> None:
    """The graph that the peers can hold."""
    cases = peers(replicas) + ours(replicas)
    for _ in range(bench.args.repeats):
        for case in cases:
            bench.measure(case)
    print(f"\n## {bench.n_edges:,} edges ({SIDE} × {SIDE})\n")
    print(table(HEADER, map(bench.row, cases)))
    print(f"\n{ratios(bench, cases, replicas)}\n\n{equal_time(bench, cases, replicas)}", flush=True)


def compare_full(bench: Bench, replicas: int) -> None:
    """The graph on which the others run out of memory or patience: time per sweep alone."""
    cases = [Case("SciPy CSR, heat bath by layers", "scipy-heat-bath", 1, replicas, FULL_SWEEPS)]
    cases += [Case("ours", "anneal", threads, replicas, SWEEPS) for threads in (1, 2)]
    for _ in range(bench.args.repeats):
        for case in cases:
            bench.measure(case)
    print(f"\n## {bench.n_edges:,} edges ({FULL_SIDE} × {FULL_SIDE})\n")
    print(table(HEADER, map(bench.row, cases)), flush=True)


def main() -> None:
    """Reads the arguments, measures, prints."""
    parser = arguments(__doc__)
    parser.add_argument("--full", action="store_true", help=f"also {FULL_SIDE} × {FULL_SIDE}, SciPy and `anneal` alone")
    parser.add_argument("--replicas", type=int, default=16, help="of the solvers that take many at once")
    args = parse(parser)
    python = ready_python(".venv-bench", "requirements-bench.txt")
    print(machine(args), flush=True)
    for side, action in [(SIDE, compare), (FULL_SIDE, compare_full)][: 1 + args.full]:
        with tempfile.TemporaryDirectory(prefix="frustration-") as directory:
            bench = Bench(args, python, Path(directory), build(args, Path(directory), side))
            bench.prepare()
            action(bench, args.replicas)


if __name__ == "__main__":
    main()
