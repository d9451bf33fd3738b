"""All checks of a `pipeline` binary, on the default network and the fixture networks.

    python3.11 python/run_all.py target/release/pipeline [MORE.onnx ...]

Keeps its packages in `.venv` at the root of the repository (installed when missing, or when `requirements.txt` has
changed). Prints one line per check, then `N passed, N failed`; exits with 1 if any failed. Needs only a plain Python.
"""

import argparse
import itertools
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from environment import ROOT, ready_python

HERE = Path(__file__).resolve().parent
DIGITS = ROOT / "fixtures" / "digits"
RANDOM_RULES = list(itertools.product(["expand", "node"], ["ignore", "sign", "fold"])) * 5  # one random network each
OPTIONS = {"initializers_as_inputs.onnx": ["--input-size", 6]}  # the file leaves the size open


def run(python: Path, counts: Counter, script: str, *args: object) -> None:
    """Runs one script, passes its lines on and counts them; one that ends badly without saying why has failed."""
    command = [str(part) for part in (python, HERE / script, *args)]
    before = counts["FAIL"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            print(line, end="", flush=True)
            counts[line.split()[0] if line.strip() else ""] += 1
    if process.returncode and counts["FAIL"] == before:
        print(f"FAIL {script}: exit {process.returncode}: {' '.join(command)}")
        counts["FAIL"] += 1


def run_all(python: Path, binary: Path, models: list[Path], directory: Path) -> Counter:
    """Every check; returns how many lines began with `ok` and `FAIL`."""
    counts: Counter = Counter()
    for name in ("adjacency", "steepest", "compare", "omega", "tables", "images", "documents"):
        run(python, counts, f"check_{name}.py", "--self-test")
    pipeline, default = ["--pipeline", binary], ["--model", DIGITS / "digits.onnx"]
    checkpoint = ["--arch", "digits", "--weights", DIGITS / "digits.safetensors"]
    for residual, batch_norm in itertools.product(["expand", "node"], ["ignore", "sign", "fold"]):
        rules = ["--residual", residual, "--batch-norm", batch_norm]
        run(python, counts, "check_adjacency.py", *pipeline, *default, "--plain", *checkpoint, *rules)
    for model in models:
        options = OPTIONS.get(model.name, [])
        run(python, counts, "check_adjacency.py", *pipeline, "--model", model, "--plain", *options)
    run(python, counts, "random_networks.py", "-o", directory, "--count", len(RANDOM_RULES))
    for seed, rules in enumerate(RANDOM_RULES):
        network = ["--model", directory / f"random{seed}.onnx", "--plain"]
        run(python, counts, "check_adjacency.py", *pipeline, *network, "--residual", rules[0], "--batch-norm", rules[1])
    run(python, counts, "check_forward.py", *pipeline, *default, "--images", DIGITS / "images.npy", "--count", 100)
    for model in models + [directory / f"random{seed}.onnx" for seed in range(len(RANDOM_RULES))]:
        run(python, counts, "check_forward.py", *pipeline, "--model", model, *OPTIONS.get(model.name, []))
    run(python, counts, "check_networks.py", *pipeline, "--count", 150)
    run(python, counts, "check_energy.py", *pipeline, *default, "--keep", directory)
    run(python, counts, "check_steepest.py", *pipeline, "--keep", directory)
    run(python, counts, "check_omega.py", *pipeline, "--keep", directory / "omega")
    run(python, counts, "check_null.py", *pipeline, *default, "--keep", directory / "null")
    for residual in ("expand", "node"):
        run(python, counts, "check_active.py", *pipeline, *default, "--residual", residual, "--keep", directory / residual)
    run(python, counts, "check_kill.py", binary)
    run(python, counts, "check_kill_sets.py", binary, "--kills", 64)
    run(python, counts, "check_compare.py", *pipeline, "--keep", directory)
    run(python, counts, "check_images.py", *pipeline)
    run(python, counts, "check_mutations.py", binary)
    run(python, counts, "check_hostile_models.py", binary, "--every", 4)
    run(python, counts, "check_documents.py", binary)
    tables = sorted(directory.rglob("*.parquet"))
    run(python, counts, "check_tables.py", *tables)
    return counts


def main() -> None:
    """Reads the arguments, runs, sums up."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pipeline", type=Path, help="the binary under test")
    parser.add_argument("models", type=Path, nargs="*", help="further ONNX files")
    args = parser.parse_args()
    models = sorted((ROOT / "fixtures" / "onnx").glob("*.onnx")) + args.models
    with tempfile.TemporaryDirectory(prefix="frustration-") as directory:
        counts = run_all(ready_python(".venv", "requirements.txt"), args.pipeline.resolve(), models, Path(directory))
    print(f"{counts['ok']} passed, {counts['FAIL']} failed")
    sys.exit(1 if counts["FAIL"] else 0)


if __name__ == "__main__":
    main()
