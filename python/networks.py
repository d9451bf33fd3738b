"""Graphs and solutions of all networks of a folder, with a line for each in `results.txt`.

    python3 python/networks.py target/release/pipeline DIR [-o out/networks] [--replicas 80] [--seed 0]

`DIR/models/*.onnx` are built and solved, `DIR/known/*.csv` that are edge lists are imported and solved, `DIR/light/*.onnx`
are built; of those that cannot be, the results have the error. Plain Python.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

METHODS = ("steepest", "anneal")


class Runs:
    """Runs the binary in a folder and keeps the results."""

    def __init__(self, pipeline: Path, folder: Path, replicas: int, seed: int) -> None:
        self.pipeline, self.folder = pipeline.resolve(), folder
        self.options = ["--replicas", str(replicas), "--seed", str(seed)]
        self.results = folder / "results.txt"
        folder.mkdir(parents=True, exist_ok=True)
        self.results.write_text("")

    def run(self, *args: object, with_errors: bool = False) -> tuple[bool, list[str]]:
        """Shows a command and what it prints; whether it succeeded, and its lines."""
        words = [str(arg) for arg in args]
        print("+ pipeline", *words, flush=True)
        errors = subprocess.STDOUT if with_errors else None
        lines = []
        command = [str(self.pipeline), *words]
        with subprocess.Popen(command, cwd=self.folder, stdout=subprocess.PIPE, stderr=errors, text=True) as process:
            for line in process.stdout:
                print(line, end="", flush=True)
                lines.append(line.rstrip("\n"))
        return process.returncode == 0, lines

    def must(self, *args: object) -> list[str]:
        """The lines of a command that has to succeed."""
        succeeded, lines = self.run(*args)
        if not succeeded:
            sys.exit(1)
        return lines

    def note(self, name: str, what: str, found: str) -> None:
        with self.results.open("a") as results:
            results.write(f"{name:28} {what:9} {found}\n")

    def solve(self, name: str) -> None:
        for method in METHODS:
            out = f"{name}.{method}.parquet"
            lines = self.must("solve", name, "-o", out, "--method", method, *self.options, "--force")
            self.note(name, method, lines[-1])

    def build(self, model: Path) -> None:
        """Builds a graph that may be refused."""
        built, lines = self.run("build-graph", "--model", model, "-o", model.stem, "--force", with_errors=True)
        counts = "".join(f"{line}\n" for line in lines if line.startswith(("nodes ", "edges ")))
        self.note(model.stem, "build", re.sub("[ \n]+", " ", counts) if built else "".join(lines[-1:]))


def run_all(runs: Runs, data: Path) -> None:
    for model in sorted((data / "models").glob("*.onnx")):
        runs.must("build-graph", "--model", model, "-o", model.stem, "--force")
        runs.solve(model.stem)
    for edges in sorted((data / "known").glob("*.csv")):
        with edges.open(errors="replace") as file:
            is_list = file.readline().startswith("source,")
        if is_list:
            runs.must("import-graph", edges, "-o", f"known-{edges.stem}", "--force")
            runs.solve(f"known-{edges.stem}")
        else:
            print(f"- {edges} is no edge list")
    for model in sorted((data / "light").glob("*.onnx")):
        runs.build(model)
    print(f"\n{runs.results.read_text()}", end="")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pipeline", type=Path, help="the binary")
    parser.add_argument("data", type=Path, help="folder with models/, known/ and light/, as far as there are")
    parser.add_argument("-o", "--output", type=Path, default=Path("out/networks"), help="folder of graphs and tables")
    parser.add_argument("--replicas", type=int, default=80)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    if not args.data.is_dir():
        parser.error(f"{args.data} is no folder")
    run_all(Runs(args.pipeline, args.output, args.replicas, args.seed), args.data.resolve())


if __name__ == "__main__":
    main()
