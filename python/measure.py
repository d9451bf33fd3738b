"""What the benchmark scripts share: graphs to measure on, and processes with their time and memory. Plain Python.

Needs GNU time: a process counts the memory of the one that started it into its peak, and GNU time is small.
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

TIME = "/usr/bin/time"
NETWORK = "squeezenet1_1"
THREADS = (1, 2)


@dataclass(frozen=True)
class Run:
    """A process that has ended."""

    wall: float  # s, from start to end
    cpu: float  # s, of all threads
    peak: float  # MiB, resident
    stdout: str


def run(*command: object) -> Run:
    """Runs a command alone and measures it; ends the script if it fails."""
    words = [str(word) for word in command]
    with tempfile.NamedTemporaryFile("r") as report:
        start = time.perf_counter()
        timed = [TIME, "-f", "%M %U %S", "-o", report.name, *words]
        done = subprocess.run(timed, stdout=subprocess.PIPE, text=True, check=False)
        wall = time.perf_counter() - start
        if done.returncode:
            sys.exit(f"exit {done.returncode}: {' '.join(words)}")
        peak, user, system = map(float, report.read().split())
        return Run(wall, user + system, peak / 1024, done.stdout)


def median(runs: Iterable[Run], quantity: Callable[[Run], float]) -> float:
    """Of several runs of one command."""
    return statistics.median(quantity(run) for run in runs)


def arguments(description: str) -> argparse.ArgumentParser:
    """A parser with the arguments that all benchmarks have."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("pipeline", type=Path, help="the binary to measure")
    parser.add_argument("--model", type=Path, help=f"trained {NETWORK} (ONNX); without it random He weights")
    parser.add_argument("--repeats", type=int, default=3, help="times and peaks are the median of so many runs")
    return parser


def parse(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """Reads the arguments; ends the script if something that it needs is missing."""
    args = parser.parse_args()
    for needed in filter(None, [TIME, args.pipeline, args.model]):
        if not Path(needed).is_file():
            parser.error(f"{needed} is missing{': install GNU time' if needed == TIME else ''}")
    args.pipeline = args.pipeline.resolve()
    return args


def build(args: argparse.Namespace, folder: Path, side: int) -> Path:
    """Builds the graph of the network for square images, once; returns its directory."""
    graph = folder / f"{NETWORK}-{side}"
    weights = ["--model", args.model] if args.model else ["--arch", NETWORK, "--init", "he"]
    if not graph.exists():
        run(args.pipeline, "build-graph", *weights, "--input-size", side, "-o", graph, "--quiet")
    return graph


def solve(args: argparse.Namespace, graph: Path, output: Path, *options: object) -> Run:
    """`pipeline solve`, whole."""
    return run(args.pipeline, "solve", graph, "-o", output, "--quiet", "--force", *options)


def progress(line: str) -> None:
    """A line for who is waiting."""
    print(f"  {line}", file=sys.stderr, flush=True)


def machine(args: argparse.Namespace) -> str:
    """Where and when these figures were taken, and whether anything else was running."""
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    version = run(args.pipeline, "--version").stdout.strip()
    weights = "trained weights" if args.model else "He weights"
    return (
        f"{version}, {NETWORK} with {weights}; {time.strftime('%Y-%m-%d')}, {models[0].split(':')[1].strip()}, "
        f"{len(models)} cores, {platform.system()}, load before {os.getloadavg()[0]:.1f}; median of {args.repeats}"
    )


def table(header: list[str], rows: Iterable[Iterable[object]]) -> str:
    """Markdown; all columns but the first are numbers."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
