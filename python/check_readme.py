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


# Case, mean and, for null models, t and log10 p against the network.
CASE = re.compile(r"^\| (the network|N1|N3)[^|]*?(He|Xavier)? \| ([0-9.]+) \| (?:([0-9.]+), ([−0-9.]+) )?\|$", re.MULTILINE)
CASES = {"the network": "real", "N1": "n1", "N3He": "n3-he", "N3Xavier": "n3-xavier"}


def check_null_models(pipeline: Path, graph: Path, text: str) -> bool:
    """Solves the null models of README's second table, and compares what is printed; whether all of it is found."""
    printed = {CASES[name + init]: (mean, t, p.replace("−", "-")) for name, init, mean, t, p in CASE.findall(text)}
    assert set(printed) == set(CASES.values()), f"README's second table is not there: {printed}"
    tables = {kind: graph.parent / f"{kind}.parquet" for kind in ("n1", "n3")}
    for kind, table in tables.items():
        null = [pipeline, "null", graph, "-o", table, "--kind", kind, "--method", "steepest", "-q"]
        subprocess.run(null, check=True, stdout=subprocess.DEVNULL)
    summary, real = graph.parent / "summary.parquet", graph.parent / "steepest.parquet"
    compare = [pipeline, "compare", "--real", real, *(word for table in tables.values() for word in ("--null", table))]
    subprocess.run([*compare, "-o", summary, "-q"], check=True, stdout=subprocess.DEVNULL)
    rows, good = pd.read_parquet(summary), True
    for row in rows[rows.reference.isna() | (rows.reference == "real")].itertuples():
        against = ("", "") if pd.isna(row.reference) else (f"{row.welch_t:.2f}", f"{row.log10_p:.1f}")
        found = (f"{row.mean:.6f}", *against)
        good &= found == printed[row.case]
        print("ok  " if found == printed[row.case] else "FAIL", f"README: {row.case} {printed[row.case]}, found {found}")
    return good


def main() -> None:
    """Solves by every method in README's first table, with the defaults, and compares what is printed; then the second."""
    pipeline, failed = Path(sys.argv[1]).resolve(), False
    text = (ROOT / "README.md").read_text()
    printed = ROW.findall(text)
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
        failed |= not check_null_models(pipeline, graph, text)
    sys.exit(failed)


if __name__ == "__main__":
    main()
