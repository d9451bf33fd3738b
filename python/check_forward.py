"""The forward pass against ONNX Runtime: the logits, and the output of every layer.

    .venv/bin/python python/check_forward.py --pipeline target/release/pipeline --model NET.onnx [--images X.npy]

Every tensor must be within 1e-4 of the one that ONNX Runtime computes, relative to its largest value. A layer that stands
for several nodes of the file (a shift that became a bias) is compared with the last of them.
"""

import argparse
import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx

import traced
from oracle import Pipeline, Report, arguments, with_pipeline

TOLERANCE = 1e-4
SHIFTS = {"Add", "Sub", "Mul", "Div"}
ONE_THREAD, TWO_THREADS = ["--threads", 1], ["--threads", 2]


def last_merged(model: onnx.ModelProto, node: onnx.NodeProto, layers: set[str], names: dict[str, str]) -> str:
    """The output tensor of a layer: its node's, or that of the last node that was merged into it."""
    tensor = node.output[0]
    while True:
        readers = [other for other in model.graph.node if tensor in other.input]
        if len(readers) != 1 or readers[0].op_type not in SHIFTS or names[readers[0].output[0]] in layers:
            return tensor
        tensor = readers[0].output[0]


def node_names(path: Path) -> dict[str, str]:
    """What the binary calls the layer of a node, by the node's first output."""
    nodes = enumerate(onnx.load(path, load_external_data=False).graph.node)
    return {node.output[0]: node.name or f"{node.op_type}_{position}" for position, node in nodes}


def states(directory: Path) -> Iterator[tuple[dict, np.ndarray]]:
    """Every layer of `layers.csv` and its array, channels in the tensor's order."""
    with open(directory / "layers.csv", newline="") as file:
        for layer in csv.DictReader(file):
            array, groups = np.load(directory / layer["file"]), int(layer["shuffle_groups"])
            yield layer, array[:, shuffled(array.shape[1], groups)] if groups else array


def shuffled(channels: int, groups: int) -> np.ndarray:
    """The number that each channel of a tensor has after a shuffle."""
    return np.arange(channels).reshape(-1, groups).T.ravel()


def expected_values(model: onnx.ModelProto, images: np.ndarray) -> list[dict[str, np.ndarray]]:
    """All tensors for every image; of a LogSoftmax what a Softmax would give, as the binary reads it."""
    runs = [traced.run(model, image[None]) for image in images]
    for node in model.graph.node:
        if node.op_type == "LogSoftmax":
            for run in runs:
                run[node.output[0]] = np.exp(run[node.output[0]])
    return runs


def check(report: Report, args: argparse.Namespace, pipeline: Pipeline) -> None:
    """Runs both and compares all layers; then the logits of other runs, bit by bit."""
    model = traced.load(args.model, args.input_size)
    shape = traced.image_shape(model)[1:]
    rng = np.random.default_rng(0)
    images = np.load(args.images)[: args.count] if args.images else rng.standard_normal((args.count, *shape))
    images = images.astype(np.float32)
    runs = expected_values(model, images)
    channels_last = len(shape) == 3 and traced.is_channels_last(model)
    np.save(pipeline.directory / "images.npy", images.transpose(0, 3, 1, 2).copy() if channels_last else images)
    common = ["forward", "--quiet", "--model", args.model, "--images", pipeline.directory / "images.npy", "--force"]
    common += ["--input-size", args.input_size] if args.input_size else []
    written, one, two = (pipeline.directory / f"{name}.npy" for name in ("states", "one", "two"))
    pipeline.run(*common, "-o", written, "--states-dir", pipeline.directory / "states")
    check_states(report, model, node_names(args.model), runs, pipeline.directory / "states")
    pipeline.run(*common, "-o", one, *ONE_THREAD)
    pipeline.run(*common, "-o", two, *TWO_THREADS)
    logits = [path.read_bytes() for path in (written, one, two)]
    report.check("the same bits with states, on one thread and on two", logits[0] == logits[1] == logits[2])


def check_states(
    report: Report, model: onnx.ModelProto, names: dict[str, str], runs: list[dict[str, np.ndarray]], directory: Path
) -> None:
    """Compares every layer that has a node of its name, and the last one in any case."""
    layers = list(states(directory))
    present = {layer["layer"] for layer, _ in layers}
    called = {node.output[0]: names.get(node.output[0], "") for node in model.graph.node}
    tensors = {called[n.output[0]]: last_merged(model, n, present, called) for n in model.graph.node}
    tensors[layers[-1][0]["layer"]] = model.graph.output[0].name
    worst, wrong, n_compared = 0.0, [], 0
    for layer, found in layers:
        if layer["layer"] not in tensors or f"{layer['layer']}/file_order" in present:  # channels-last in the file
            continue
        expected = np.stack([run[tensors[layer["layer"]]].ravel() for run in runs])
        found = found.reshape(len(found), -1)
        error = np.inf
        if found.shape == expected.shape:
            error = np.abs(found - expected).max() / (np.abs(expected).max() or 1.0)
        worst, n_compared = max(worst, error), n_compared + 1
        if not error <= TOLERANCE:
            wrong.append(f"{layer['layer']} ({layer['operator']}) {error:.1e}")
    found = ", ".join(wrong[:3]) or f"{n_compared} of {len(layers)} layers"
    report.check("states are those of ONNX Runtime", not wrong, f"{found}; largest relative error {worst:.1e}")


def main() -> None:
    """Reads the arguments and runs the checks."""
    parser = arguments(__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--images", type=Path, help="array N x C x H x W; random images by default")
    parser.add_argument("--count", type=int, default=3, help="number of images")
    parser.add_argument("--input-size", type=int, help="height and width, if not the model's own")
    args = parser.parse_args()
    report = Report(f"forward {args.model.stem}")
    with_pipeline(args, lambda pipeline: report.attempt("run", check, args, pipeline))
    report.exit()


if __name__ == "__main__":
    main()
