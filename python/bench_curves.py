"""What `pipeline solve --method anneal` costs, by replicas, threads and size of the image; and what sweeps buy.

    python3.11 python/bench_curves.py target/release/pipeline [--model squeezenet1_1.onnx] [--only cost] > curves.md

A sweep's time is that of a run of 40 sweeps less that of a run of 20, by 20: what a run costs once (opening, initial
states, the final descent, writing) is in neither, and both visit the same temperatures. An edge has two ends, and a
sweep meets both, for all replicas. Peaks and whole times are those of the run of 40 sweeps. Takes half an hour.
"""

import argparse
import json
import re
import statistics
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from measure import NETWORK, THREADS, Run, arguments, build, machine, median, parse, progress, run, solve, table

SIDES = (67, 99, 131, 163, 195, 227)
REPLICAS = (1, 16, 32, 48, 64, 80, 128)
COMMON_SIDE, COMMON_REPLICAS = 131, 16  # of the curve that varies the other
SHORT, LONG = 20, 40  # sweeps
SCHEDULES = (30, 100, 300, 1000)  # sweeps
ENERGY_SIDE = 227
HEADER = ["image", "edges", "replicas", "threads", "sweep, ms", "ns per edge, both ends, all replicas",
          "ns per edge end and replica", "fixed, s", "whole, s", "CPU, s", "peak, MiB"]  # fmt: skip


@dataclass
class Point:
    """One point of a cost curve: runs of `SHORT` and of `LONG` sweeps, in pairs."""

    side: int
    replicas: int
    threads: int
    short: list[Run] = field(default_factory=list)
    long: list[Run] = field(default_factory=list)

    def sweep(self) -> float:
        """Time of a sweep, s: median over the pairs."""
        return statistics.median((b.wall - a.wall) / (LONG - SHORT) for a, b in zip(self.short, self.long))

    def row(self, n_edges: int) -> list[str]:
        """For the table."""
        sweep, whole = self.sweep(), median(self.long, lambda run: run.wall)
        per_edge = sweep * 1e9 / n_edges
        return [
            str(self.side), f"{n_edges:,}", str(self.replicas), str(self.threads), f"{sweep * 1e3:.1f}",
            f"{per_edge:.3f}", f"{per_edge / (2 * self.replicas):.4f}", f"{whole - LONG * sweep:.2f}", f"{whole:.2f}",
            f"{median(self.long, lambda run: run.cpu):.2f}", f"{median(self.long, lambda run: run.peak):.0f}",
        ]  # fmt: skip


@dataclass(frozen=True)
class Bench:
    """Where graphs and tables go."""

    args: argparse.Namespace
    folder: Path

    def anneal(self, side: int, replicas: int, threads: int, sweeps: int, seed: int = 0) -> Run:
        """One run."""
        options = ["--method", "anneal", "--replicas", replicas, "--threads", threads, "--sweeps", sweeps]
        output = self.folder / "replicas.parquet"
        done = solve(self.args, build(self.args, self.folder, side), output, *options, "--seed", seed)
        progress(f"{side} × {side}, {replicas} replicas, {threads} threads, {sweeps} sweeps: {done.wall:.2f} s")
        return done

    def n_edges(self, side: int) -> int:
        """Of the graph for images of that size."""
        report = json.loads(run(self.args.pipeline, "inspect", build(self.args, self.folder, side), "--json").stdout)
        return sum(layer["n_edges"] for layer in report["layers"])

    def cost(self, points: list[Point]) -> str:
        """Measures one curve; repeats go round all its points."""
        for _ in range(self.args.repeats):
            for point in points:
                for runs, sweeps in ((point.short, SHORT), (point.long, LONG)):
                    runs.append(self.anneal(point.side, point.replicas, point.threads, sweeps))
        return table(HEADER, (point.row(self.n_edges(point.side)) for point in points))

    def energies(self) -> str:
        """Energy against sweeps; every repeat has its own seed."""
        rows = []
        for sweeps in SCHEDULES:
            runs = [
                self.anneal(ENERGY_SIDE, COMMON_REPLICAS, max(THREADS), sweeps, seed)
                for seed in range(self.args.repeats)
            ]
            least, mean = zip(*(stated_energies(done.stdout) for done in runs))
            rows.append((sweeps, f"{statistics.median(least):.5f}", f"{min(least):.5f} to {max(least):.5f}",
                         f"{statistics.median(mean):.5f}", f"{median(runs, lambda run: run.wall):.1f}"))  # fmt: skip
        return table(["sweeps", "least ε̂", "by seed", "mean ε̂", "whole, s"], rows)


def stated_energies(summary: str) -> tuple[float, float]:
    """Least and mean energy from the line that `solve` prints."""
    found = re.search(r"ε̂ = (\S+) \(least of \d+; mean ([^,]+),", summary)
    if found is None:
        raise SystemExit(f"no energies in what solve printed: {summary}")
    return float(found[1]), float(found[2])


def main() -> None:
    """Reads the arguments, measures, prints."""
    parser = arguments(__doc__)
    parser.add_argument("--only", choices=["cost", "energy"], help="one half of it")
    args = parse(parser)
    print(machine(args), flush=True)
    with tempfile.TemporaryDirectory(prefix="frustration-") as directory:
        bench = Bench(args, Path(directory))
        if args.only != "energy":
            print(f"\n## Cost by size\n\n{bench.cost([Point(s, COMMON_REPLICAS, t) for t in THREADS for s in SIDES])}")
            points = [Point(COMMON_SIDE, r, t) for t in THREADS for r in REPLICAS]
            print(f"\n## Cost by replicas\n\n{bench.cost(points)}", flush=True)
        if args.only != "cost":
            print(f"\n## Energy by sweeps: {NETWORK}, {ENERGY_SIDE} × {ENERGY_SIDE}, {COMMON_REPLICAS} replicas\n")
            print(bench.energies())


if __name__ == "__main__":
    main()
