"""Do outputs of several files appear together, wherever a run is killed?

    python check_kill_sets.py BIN --kills 300

`forward --states-dir --force`, `lambda --force`, `import-graph --force` and `images --force` replace a complete set by one
of other inputs, and are killed: where there is `strace`, at one system call after another that creates, syncs, renames or
removes something; otherwise, and when those are exhausted, at random moments. Then everything visible must be the old set or
the new one, unless a journal is there; the same command must succeed, its outputs must be the new set, and nothing else may be
left. The same without `--force` and without an old set: what is visible is nothing or the new set, and the same command
succeeds, or says that a complete set exists. Needs nothing but Python.
"""

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DIGITS = ROOT / "fixtures" / "digits"
CALLS = ["renameat2", "rename", "linkat", "fsync", "unlink", "unlinkat", "mkdir", "openat"]


def prepare(binary: Path, inputs: Path) -> dict[str, list[list[str]]]:
    """By name two commands with the same outputs and other inputs."""
    run = lambda *args: subprocess.run([binary, *map(str, args)], check=True, capture_output=True)
    (inputs / "a.csv").write_text("source,target,weight\na,b,1\nb,c,-1\n")
    (inputs / "b.csv").write_text("source,target,weight\nx,y,1\ny,z,1\nz,x,-1\n")
    model, images = DIGITS / "digits.onnx", DIGITS / "images.npy"
    run("build-graph", "--model", model, "-o", inputs / "g", "-q")
    run("solve", inputs / "g", "-o", inputs / "r.parquet", "--replicas", 2, "-q")
    for seed in (1, 2):
        run("perturb", inputs / "g", "--model", model, "--images", images, "--replicas", inputs / "r.parquet", "--limit", 4,
            "--cases", "real", "--norm", "0.1..10", "--perturbations", 5, "--seed", seed, "-o", inputs / f"o{seed}.parquet")
    some = ["--images", images, "--limit"]
    return {
        "forward": [["forward", "--model", model, *some, n, "-o", "y.npy", "--states-dir", "s"] for n in (3, 5)],
        "images": [["images", *some, n, "--shape", "1,16,16", "-o", "x.npy"] for n in (3, 5)],
        "import-graph": [["import-graph", inputs / name, "-o", "g"] for name in ("a.csv", "b.csv")],
        "lambda": [["lambda", "--omega", inputs / f"o{n}.parquet", "-o", "l.parquet", "--resamples", 50] for n in (1, 2)],
    }


def visible(folder: Path) -> dict[str, bytes]:
    """All files that are not hidden, by path."""
    files = (path for path in folder.rglob("*") if path.is_file())
    names = ((path.relative_to(folder), path) for path in files)
    return {str(name): path.read_bytes() for name, path in names if not any(part.startswith(".") for part in name.parts)}


def hidden(folder: Path) -> list[str]:
    """Hidden names."""
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("."))


class Case:
    """One command that is killed."""

    def __init__(self, binary: Path, name: str, commands: list[list], force: bool) -> None:
        self.name = f"{name} {'--force' if force else 'without --force'}"
        self.force = force
        extra = ["-q"] + ["--force"] * force
        self.old, self.new = ([str(binary), *map(str, command), *extra] for command in commands)
        self.sets = []
        for command in (self.old, self.new):
            with tempfile.TemporaryDirectory() as folder:
                begin = time.monotonic()
                subprocess.run(command, cwd=folder, check=True, capture_output=True)
                self.secs = time.monotonic() - begin
                self.sets.append(visible(Path(folder)))
        assert self.sets[0] != self.sets[1]
        if not force:
            self.sets[0] = {}

    def killed(self, place: tuple[str, int] | None, rng: random.Random) -> str | None:
        """Kills a run; what is wrong afterwards. An empty string if it was not killed."""
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            if self.force:
                subprocess.run(self.old, cwd=folder, check=True, capture_output=True)
            if place is None:
                process = subprocess.Popen(self.new, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                time.sleep(rng.uniform(0, self.secs))
                process.kill()
                was_killed = process.wait() != 0
            else:
                trace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={place[0]}"]
                inject = ["-e", f"inject={place[0]}:signal=KILL:when={place[1]}"]
                was_killed = subprocess.run([*trace, *inject, *self.new], cwd=folder, capture_output=True).returncode != 0
            if not was_killed:
                return ""
            return self.wrong(folder)

    def wrong(self, folder: Path) -> str | None:
        """What is wrong after a kill, and after the next run."""
        left, found = hidden(folder), visible(folder)
        if found not in self.sets and not any(name.endswith(".journal") for name in left):
            return f"a mixture of old and new: {sorted(found)}, {left}"
        done = subprocess.run(self.new, cwd=folder, capture_output=True, text=True)
        is_complete = not self.force and found == self.sets[1] and "exists" in done.stderr
        if done.returncode and not is_complete:
            return f"the next run: exit code {done.returncode}, {done.stderr.strip()}; before it {sorted(found)}, {left}"
        if visible(folder) != self.sets[1]:
            return f"after the next run: {sorted(visible(folder))}"
        return f"left over: {hidden(folder)}" if hidden(folder) and not is_complete else None


def check(case: Case, n_kills: int, seed: int) -> tuple[int, list[str]]:
    """So many kills of a command; how many there were, and what was wrong."""
    rng = random.Random(seed)
    places = [(call, when) for when in range(1, 2 * n_kills + 1) for call in CALLS] if shutil.which("strace") else []
    exhausted, wrong, n_done = set(), [], 0
    for place in [*places, *[None] * (20 * n_kills)]:
        if n_done >= n_kills:
            break
        if place and place[0] in exhausted:
            continue
        found = case.killed(place, rng)
        if found == "":
            if place:
                exhausted.add(place[0])
            continue
        n_done += 1
        if found:
            wrong.append(f"{place or 'random'}: {found}")
    return n_done, wrong


def main() -> None:
    """Reads the arguments and runs the checks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pipeline", type=Path, metavar="BIN", help="the binary under test")
    parser.add_argument("--kills", type=int, default=300, metavar="N", help="over all commands")
    parser.add_argument("--seed", type=int, default=0, help="seed of the random moments")
    args = parser.parse_args()
    binary, failed = args.pipeline.resolve(), 0
    with tempfile.TemporaryDirectory(prefix="frustration-") as inputs:
        commands = prepare(binary, Path(inputs))
        cases = [Case(binary, name, pair, force) for name, pair in commands.items() for force in (True, False)]
        for case in cases:
            n_done, wrong = check(case, -(-args.kills // len(cases)), args.seed)
            failed += bool(wrong) or n_done == 0
            print(f"{'FAIL' if wrong or not n_done else 'ok'} kill {case.name}: {n_done} kills {'; '.join(wrong)}", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
