"""The energies that README prints are those that the program finds on the embedded network.

    .venv/bin/python python/check_readme.py target/release/pipeline
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parent.parent
ROW = re.compile(r"^\| `(sweep|steepest|anneal)` \| ([0-9.]+) \| ([0-9.]+) \|$", re.MULTILINE)


def main() -> None:
    """Solves by every method in README's first table, with the defaults, and compares what is printed."""
    pipeline, failed = Path(sys.argv[1]).resolve(), False
    printed = ROW.findall((ROOT / "README.md").read_text())
    assert {method for method, _, _ in printed} == {"sweep", "steepest", "anneal"}, "README's first table is not there"
    with tempfile.TemporaryDirectory(prefix="frustration-") as directory:
        graph = Path(directory) / "digits"
        model = ROOT / "fixtures" / "digits" / "digits.onnx"
        subprocess.run([pipeline, "build-graph", "--model", model, "-o", graph, "-q"], check=True, stdout=subprocess.DEVNULL)
        for method, least, mean in printed:
            table = Path(directory) / f"{method}.parquet"
            subprocess.run([pipeline, "solve", graph, "-o", table, "--method", method, "-q"], check=True, stdout=subprocess.DEVNULL)
            energy = pd.read_parquet(table).energy
            found = (f"{energy.min():.6f}", f"{energy.mean():.6f}")
            failed |= found != (least, mean)
            print("ok  " if found == (least, mean) else "FAIL", f"README: {method} {least} {mean}, found {found[0]} {found[1]}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
