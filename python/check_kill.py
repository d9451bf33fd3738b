"""Does `pipeline solve`, killed again and again and resumed, end in the files of an unbroken run?

    python check_kill.py BIN
    python check_kill.py BIN --graph DIR -- --method anneal --sweeps 300

The graph (by default that of the digits network, by every method) is solved once in peace. Then it is solved again with
SIGKILL at ten random moments, uniformly over the time that the first run took, and resumed after each of them. Both
tables must be equal byte for byte, and no other file may be left. A search that is complete before its next kill is
compared, too, and begun again, so that the kills always are ten. Arguments after `--` go to `pipeline solve`.
"""

import argparse
import itertools
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from check_adjacency import DEFAULT_MODEL
from oracle import Pipeline, Report, layers_table, with_pipeline

# Searches of the digits network that take about a second, more on a busy machine.
SEARCHES = [
    ["--method", "sweep", "--replicas", "128"],
    ["--method", "steepest", "--replicas", "48"],
    ["--method", "anneal", "--replicas", "48", "--sweeps", "100"],
]


@dataclass(frozen=True)
class Search:
    """A search, and the empty directory that it writes to."""

    pipeline: Pipeline
    graph: Path
    options: list[str]
    directory: Path

    @property
    def table(self) -> Path:
        """The table of replicas."""
        return self.directory / "replicas.parquet"

    @property
    def checkpoint(self) -> Path:
        """Where its state is saved."""
        return self.directory / "replicas.parquet.checkpoint"

    def live(self, seconds: float | None = None) -> bool:
        """Begins or goes on, for so long at most; returns whether it was killed."""
        command = [self.pipeline.binary, "solve", self.graph, "-o", self.table, "--resume", "--quiet", *self.options]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
            try:
                _, stderr = process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                return True
        if process.returncode:
            raise RuntimeError(f"exit {process.returncode}: {' '.join(map(str, command))}: {stderr.strip()}")
        return False

    def is_complete(self) -> bool:
        """Whether it needs no further life."""
        return self.table.exists() and not self.checkpoint.exists()

    def take(self) -> dict[str, bytes]:
        """All files by name, removed."""
        files = {path.name: path.read_bytes() for path in sorted(self.directory.iterdir())}
        for name in files:
            (self.directory / name).unlink()
        return files


def lives(n_kills: int, seconds: float, seed: int) -> Iterator[float]:
    """Times between `n_kills` moments drawn uniformly from a run of so many seconds."""
    rng = random.Random(seed)
    moments = sorted(rng.uniform(0, seconds) for _ in range(n_kills))
    return (end - begin for begin, end in itertools.pairwise([0, *moments]))


def check_search(report: Report, search: Search, n_kills: int, seed: int) -> None:
    """One search in peace, and again with kills."""
    begin = time.monotonic()
    search.live()
    seconds = time.monotonic() - begin
    expected = search.take()
    names = {search.table.name, layers_table(search.table).name}
    report.check("two tables", set(expected) == names, ", ".join(expected))
    ends, n_saved = [], 0
    for life in lives(n_kills, seconds, seed):
        while not search.live(life) or search.is_complete():
            ends.append(search.take())
            life /= 2  # it is faster now than it was in peace
        n_saved += search.checkpoint.exists()
    # On a slow machine all these lives may end before the first checkpoint: longer ones then follow.
    life = seconds / n_kills
    for _ in range(50):
        if n_saved:
            break
        if search.live(life) and not search.is_complete():
            n_saved += search.checkpoint.exists()
            life *= 1.5
        else:
            ends.append(search.take())
            life *= 0.7
    search.live()
    ends.append(search.take())
    detail = f"{n_kills} kills, {n_saved} after a checkpoint, in {seconds:.1f} s of search; {len(ends)} ends"
    wrong = sorted({name for end in ends for name in names if end.get(name) != expected.get(name)})
    report.check("same bytes", not wrong, f"{detail}; differs: {', '.join(wrong)}" if wrong else detail)
    more = sorted({name for end in ends for name in end} - names)
    report.check("nothing left over", not more, ", ".join(more))
    report.check("resumed from a checkpoint", n_saved > 0, f"{n_saved} times")


def check_binary(report: Report, args: argparse.Namespace, solve: list[str], pipeline: Pipeline) -> None:
    """Every search on one graph."""
    graph = args.graph or pipeline.build(DEFAULT_MODEL)
    for options in [solve] if solve else SEARCHES:
        directory = pipeline.directory / "killed"
        directory.mkdir()
        options = ["--checkpoint-every", str(args.checkpoint_every), *options]
        report.prefix = f"kill {graph.stem} {' '.join(options[2:])}"
        report.attempt("run", check_search, Search(pipeline, graph, options, directory), args.kills, args.seed)
        for path in directory.iterdir():
            path.unlink()
        directory.rmdir()


def main() -> None:
    """Reads the arguments and runs the checks."""
    own, solve = sys.argv[1:], []
    if "--" in own:
        own, solve = own[: own.index("--")], own[own.index("--") + 1 :]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], usage="%(prog)s BIN [options] [-- SOLVE ...]")
    parser.add_argument("pipeline", type=Path, metavar="BIN", help="the binary under test")
    parser.add_argument("--graph", type=Path, metavar="DIR", help="a graph directory instead of the digits network's")
    parser.add_argument("--kills", type=int, default=10, metavar="N")
    parser.add_argument("--seed", type=int, default=0, help="seed of the moments")
    parser.add_argument("--checkpoint-every", type=int, default=0, metavar="SECS", help="0: after every sweep or replica")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="work in DIR and keep what is written there")
    args = parser.parse_args(own)
    report = Report("kill")
    with_pipeline(args, lambda pipeline: report.attempt("run", check_binary, args, solve, pipeline))
    report.exit()


if __name__ == "__main__":
    main()
