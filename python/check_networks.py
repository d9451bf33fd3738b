"""Random networks over layouts, shuffles, broadcasts, training flags and operator sets: right, or refused.

    python check_networks.py --pipeline BIN [--count 150] [--first 0] [--jobs 2] [--keep DIR]

For each network of `layout_networks.py`, one seed each:
- the logits of `pipeline forward`, in the file's own order, are those of onnxruntime, within what single precision leaves of
  the largest value that the network computes on the way;
- the graph of `pipeline build-graph` has, entry by entry, the matrix of `plain_adjacency.py`;
- or a command refuses it with exit code 1 and one sentence. At least `--accepted` of the networks must not be refused, and
  none that trains may be accepted.
Networks that fail are named by their seed; `layout_networks.py -o DIR --first SEED --count 1` writes one again.
"""

import argparse
import json
import re
import subprocess
import tempfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import onnx

import layout_networks
import plain_adjacency as plain
import traced
from check_adjacency import matched
from oracle import Report, TableLayer, load_csr
from traced import Traced

N_IMAGES = 2
# Roundings of single precision that are allowed, of the largest value in the network.
ROUNDINGS = 64
WEIGHT_TOLERANCE = 1e-6
SENTENCE = re.compile(r"pipeline: error: [^\n]+")


class Refused(Exception):
    """A command that ended as a refusal should."""


class Wrong(Exception):
    """Anything that must not happen."""


def call(binary: Path, *args: object) -> str:
    """Runs a subcommand. Raises `Refused` for exit code 1 and one sentence, `Wrong` for any other failure."""
    done = subprocess.run([binary, *map(str, args)], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return done.stdout
    lines = [line for line in done.stderr.strip().splitlines() if not line.startswith("warning: ")]
    if done.returncode != 1 or len(lines) != 1 or not SENTENCE.fullmatch(lines[0]):
        raise Wrong(f"{args[0]} ended with {done.returncode}: {done.stderr.strip()}")
    raise Refused(lines[0].split("net.onnx: ", 1)[-1])


def trains(model: onnx.ModelProto) -> bool:
    """True if a node is in training mode."""
    flags = {t.name for t in model.graph.initializer if t.data_type == onnx.TensorProto.BOOL and t.raw_data == b"\1"}
    norms = [node for node in model.graph.node if node.op_type == "BatchNormalization" and len(node.output) > 1]
    return bool(norms) or any(len(node.input) > 2 and node.input[2] in flags for node in model.graph.node)


def check_logits(net: Traced, runs: list[dict], logits: str, found: np.ndarray) -> None:
    """Every image's logits, in the file's order."""
    expected = np.stack([run[logits].ravel() for run in runs])
    if found.shape != expected.shape:
        raise Wrong(f"logits of shape {found.shape}, expected {expected.shape}")
    largest = max(np.abs(run[name]).max(initial=0.0) for run in runs for name in net.data if name in run)
    error = np.abs(found - expected).max()
    if not error <= ROUNDINGS * 2**-24 * largest:
        raise Wrong(f"logits are off by {error:.1e}; values up to {largest:.1e}")


def numbered(layer: plain.Layer, entry: dict) -> plain.Layer:
    """The layer with its channels numbered as `inspect` says: as in the file's tensor, or in the order of a shuffle."""
    channels = np.arange(layer.shape[0])
    groups = entry.get("shuffle_groups", 1)
    return replace(layer, channel_slots=channels.reshape(-1, groups).T.ravel())


def check_graph(net: Traced, directory: Path, npz: Path) -> None:
    """Every entry of the matrix."""
    shown = json.loads((directory / "inspect.json").read_text())["layers"]
    table = [TableLayer.parse(entry) for entry in shown]
    graph = [numbered(layer, entry) for layer, entry in zip(matched(plain.layers(net), table), shown)]
    expected, found = plain.adjacency(net, graph), load_csr(npz)
    expected.sum_duplicates()
    if found.shape != expected.shape:
        raise Wrong(f"a matrix of {found.shape}, expected {expected.shape}")
    differ = abs(found - expected)
    if differ.nnz and differ.max() > WEIGHT_TOLERANCE or found.nnz != expected.nnz:
        raise Wrong(f"the matrix differs by {differ.max():.1e}; {found.nnz} entries, expected {expected.nnz}")


def check_one(binary: Path, folder: Path, seed: int) -> tuple[int, str, str]:
    """One network: its seed, `right`, `refused` or `wrong`, and why."""
    model, logits = layout_networks.network(seed)
    with tempfile.TemporaryDirectory(prefix=f"net{seed}-", dir=folder) as name:
        directory = Path(name)
        path = directory / "net.onnx"
        onnx.save(model, path)
        try:
            compare(binary, directory, path, logits)
            return seed, "right", ""
        except Refused as refusal:
            return seed, "refused", str(refusal)
        except Exception as error:  # the report must name the seed, whatever went wrong
            return seed, "wrong", f"{type(error).__name__}: {error}"


def compare(binary: Path, directory: Path, path: Path, logits: str) -> None:
    """Runs `forward`, `build-graph` and `export`, and compares both results."""
    model = traced.load(path)
    images = [traced.random_image(model, seed) for seed in range(N_IMAGES)]
    fed = np.concatenate(images)
    np.save(directory / "images.npy", fed.transpose(0, 3, 1, 2).copy() if traced.is_channels_last(model) else fed)
    arrays = ["--images", directory / "images.npy", "-o", directory / "logits.npy"]
    refusal = None
    try:
        call(binary, "forward", "-q", "--threads", 1, "--model", path, *arrays)
    except Refused as error:
        refusal = error
    try:
        call(binary, "build-graph", "-q", "--model", path, "-o", directory / "graph")
    except Refused as error:
        raise refusal or Refused(f"build-graph alone: {error}") from None
    if refusal:
        raise Wrong(f"build-graph accepts what forward refuses: {refusal}")
    if trains(model):
        raise Wrong("it trains and was accepted")
    net = Traced(model, "x", traced.run(model, images[0]), set(traced.dependents(model, "x")))
    runs = [net.values, *(traced.run(model, image) for image in images[1:])]
    check_logits(net, runs, logits, np.load(directory / "logits.npy"))
    (directory / "inspect.json").write_text(call(binary, "inspect", directory / "graph", "--json"))
    call(binary, "export", "-q", directory / "graph", "-o", directory / "graph.npz")
    check_graph(net, directory, directory / "graph.npz")


def kind(refusal: str) -> str:
    """A refusal without names and numbers."""
    return re.sub(r"`[a-z]+(\d*)`|\[[^\]]*\]|[-\d.×]*\d[-\d.×]*", "…", refusal)[:150]


def main() -> None:
    """Reads the arguments, runs the networks, reports."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pipeline", type=Path, required=True, help="the binary under test")
    parser.add_argument("--count", type=int, default=150)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--accepted", type=float, default=0.6, help="least share of networks that are not refused")
    args = parser.parse_args()
    report = Report("networks")
    counts, refusals = Counter(), Counter()
    with tempfile.TemporaryDirectory(prefix="frustration-") as folder, ProcessPoolExecutor(args.jobs) as pool:
        one = partial(check_one, args.pipeline.resolve(), Path(folder))
        for seed, result, why in pool.map(one, range(args.first, args.first + args.count), chunksize=8):
            counts[result] += 1
            refusals.update([kind(why)] if result == "refused" else [])
            if result == "wrong":
                report.check(f"seed {seed}", False, why)
    for what, n in refusals.most_common():
        print(f"     {n} refused: {what}")
    share = counts["right"] / max(args.count, 1)
    detail = f"{counts['right']} right, {counts['refused']} refused, {counts['wrong']} wrong"
    report.check("right or refused", counts["wrong"] == 0, detail)
    report.check(f"at least {args.accepted:.0%} are not refused", share >= args.accepted, f"{share:.1%}")
    report.exit()


if __name__ == "__main__":
    main()
