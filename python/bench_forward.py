"""`pipeline forward` beside ONNX Runtime: the same networks, the same 100 images, the same threads, in turns.

    python3.11 python/bench_forward.py target/release/pipeline [--model squeezenet1_1.onnx] [--repeats 3] [--threads 2]

The networks are those of torchvision with random weights and an open batch size (`--model` is taken as it is). ONNX
Runtime is given batches of 1, 16 and 100, and the best of them counts. Times are without reading and preparing: the best
of `--repeats` rounds, in each of which every program has its turn. Prints a table in Markdown.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from environment import ready_python

BATCHES = (1, 16, 100)


class Growing:
    """A model under construction, weights He normal."""

    def __init__(self, seed: int = 0):
        import numpy as np

        self.rng, self.nodes, self.constants = np.random.default_rng(seed), [], []

    def constant(self, value) -> str:
        """A float32 tensor by its new name."""
        from onnx import numpy_helper

        self.constants.append(numpy_helper.from_array(value.astype("float32"), f"c{len(self.constants)}"))
        return self.constants[-1].name

    def node(self, op: str, inputs: list[str], **attributes) -> str:
        """The output of a new node."""
        from onnx import helper

        name = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def conv(self, x: str, shape: tuple[int, ...], stride: int = 1, norm: bool = False, relu: bool = True) -> str:
        """Convolution of `[out][in][k][k]` that keeps the size but for the stride, its bias or norm, and ReLU."""
        out, k = shape[0], shape[2]
        weight = self.constant(self.rng.normal(size=shape) * (2 / (shape[1] * k * k)) ** 0.5)
        bias = [] if norm else [self.constant(0.01 * self.rng.normal(size=out))]
        x = self.node("Conv", [x, weight, *bias], strides=[stride] * 2, pads=[k // 2] * 4, kernel_shape=[k, k])
        if norm:
            parts = [self.rng.uniform(0.5, 1.5, out), *(0.1 * self.rng.normal(size=(2, out))), self.rng.uniform(1, 2, out)]
            x = self.node("BatchNormalization", [x, *map(self.constant, parts)])
        return self.node("Relu", [x]) if relu else x

    def pool(self, x: str, kernel: int = 3, stride: int = 2, pad: int = 0, ceil: int = 0) -> str:
        """A maximum."""
        size = {"kernel_shape": [kernel] * 2, "strides": [stride] * 2, "pads": [pad] * 4}
        return self.node("MaxPool", [x], ceil_mode=ceil, **size)

    def dense(self, x: str, n_in: int, n_out: int) -> str:
        """A dense layer with bias."""
        weight = self.constant(self.rng.normal(size=(n_out, n_in)) * (2 / n_in) ** 0.5)
        return self.node("Gemm", [x, weight, self.constant(0.01 * self.rng.normal(size=n_out))], transB=1)

    def save(self, y: str, side: int, path: Path) -> None:
        """Writes the model with an open batch size."""
        import onnx
        from onnx import TensorProto, helper

        inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3, side, side])]
        outputs = [helper.make_tensor_value_info(y, TensorProto.FLOAT, None)]
        graph = helper.make_graph(self.nodes, path.stem, inputs, outputs, self.constants)
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)


def alexnet(g: Growing) -> tuple[str, int]:
    """AlexNet as torchvision has it, but for a first convolution that is padded by 5."""
    x = g.pool(g.conv("x", (64, 3, 11, 11), 4))
    x = g.pool(g.conv(x, (192, 64, 5, 5)))
    for n_out, n_in in [(384, 192), (256, 384), (256, 256)]:
        x = g.conv(x, (n_out, n_in, 3, 3))
    x = g.node("Flatten", [g.pool(x)])
    x = g.node("Relu", [g.dense(x, 256 * 36, 4096)])
    x = g.node("Relu", [g.dense(x, 4096, 4096)])
    return g.dense(x, 4096, 1000), 224


def googlenet(g: Growing) -> tuple[str, int]:
    """GoogLeNet as torchvision has it."""
    x = g.pool(g.conv("x", (64, 3, 7, 7), 2, norm=True), ceil=1)
    x = g.conv(x, (64, 64, 1, 1), norm=True)
    x = g.pool(g.conv(x, (192, 64, 3, 3), norm=True), ceil=1)
    n_in = 192
    for a, b, c, d, e, f, pooled in [
        (64, 96, 128, 16, 32, 32, 0), (128, 128, 192, 32, 96, 64, 3), (192, 96, 208, 16, 48, 64, 0),
        (160, 112, 224, 24, 64, 64, 0), (128, 128, 256, 24, 64, 64, 0), (112, 144, 288, 32, 64, 64, 0),
        (256, 160, 320, 32, 128, 128, 2), (256, 160, 320, 32, 128, 128, 0), (384, 192, 384, 48, 128, 128, 0),
    ]:  # fmt: skip
        branches = [
            g.conv(x, (a, n_in, 1, 1), norm=True),
            g.conv(g.conv(x, (b, n_in, 1, 1), norm=True), (c, b, 3, 3), norm=True),
            g.conv(g.conv(x, (d, n_in, 1, 1), norm=True), (e, d, 3, 3), norm=True),
            g.conv(g.pool(x, 3, 1, 1), (f, n_in, 1, 1), norm=True),
        ]
        x, n_in = g.node("Concat", branches, axis=1), a + c + e + f
        x = g.pool(x, pooled, ceil=1) if pooled else x
    x = g.node("Flatten", [g.node("GlobalAveragePool", [x])])
    return g.dense(x, 1024, 1000), 224


def resnet18(g: Growing) -> tuple[str, int]:
    """ResNet18."""
    x = g.pool(g.conv("x", (64, 3, 7, 7), 2, norm=True), 3, 2, 1)
    n_in = 64
    for n in (64, 128, 256, 512):
        for block in range(2):
            stride = 2 if block == 0 and n > 64 else 1
            y = g.conv(g.conv(x, (n, n_in, 3, 3), stride, norm=True), (n, n, 3, 3), norm=True, relu=False)
            x = g.conv(x, (n, n_in, 1, 1), stride, norm=True, relu=False) if n != n_in else x
            x, n_in = g.node("Relu", [g.node("Add", [y, x])]), n
    x = g.node("Flatten", [g.node("GlobalAveragePool", [x])])
    return g.dense(x, 512, 1000), 224


def squeezenet1_1(g: Growing) -> tuple[str, int]:
    """SqueezeNet 1.1, its first convolution padded by 1."""
    x, n_in = g.pool(g.conv("x", (64, 3, 3, 3), 2), ceil=1), 64
    for n, squeezed, pooled in [(64, 16, 0), (64, 16, 1), (128, 32, 0), (128, 32, 1)] + [(192, 48, 0)] * 2 + [(256, 64, 0)] * 2:
        s = g.conv(x, (squeezed, n_in, 1, 1))
        x, n_in = g.node("Concat", [g.conv(s, (n, squeezed, k, k)) for k in (1, 3)], axis=1), 2 * n
        x = g.pool(x, ceil=1) if pooled else x
    x = g.node("GlobalAveragePool", [g.conv(x, (1000, 512, 1, 1))])
    return g.node("Flatten", [x]), 227


NETWORKS = {f.__name__: f for f in (squeezenet1_1, googlenet, alexnet, resnet18)}


class Ort:
    """ONNX Runtime on one network and its images."""

    def __init__(self, model: Path, images, threads: int):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(str(model), options, ["CPUExecutionProvider"])
        self.images, feed = images, self.session.get_inputs()[0]
        self.name, self.batches = feed.name, BATCHES if isinstance(feed.shape[0], str) else (feed.shape[0],)
        self.best = dict.fromkeys(self.batches, float("inf"))

    def turn(self) -> None:
        """Runs all images with every batch size; keeps the best times, in ms per image."""
        for batch in self.batches:
            start = time.perf_counter()
            for first in range(0, len(self.images), batch):
                self.logits = self.session.run(None, {self.name: self.images[first : first + batch]})[0]
            ms = 1e3 * (time.perf_counter() - start) / len(self.images)
            self.best[batch] = min(self.best[batch], ms)


def ours(binary: Path, model: Path, directory: Path, threads: int) -> float:
    """ms per image."""
    command = [binary, "forward", "--model", model, "--images", directory / "images.npy", "-o", directory / "y.npy"]
    command += ["--force", "--quiet", "--timing", "--repeats", "2", "--threads", str(threads)]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True)
    return float(done.stdout.split(" ms per image")[0].split()[-1])


def measure(args: argparse.Namespace, name: str, model: Path, side: int, directory: Path) -> None:
    """One line of the table."""
    import numpy as np

    images = np.random.default_rng(1).standard_normal((args.images, 3, side, side)).astype(np.float32)
    np.save(directory / "images.npy", images)
    ort, best = Ort(model, images, args.threads), float("inf")
    for _ in range(args.repeats):
        ort.turn()
        best = min(best, ours(args.pipeline, model, directory, args.threads))
    batch, theirs = min(ort.best.items(), key=lambda item: item[1])
    print(f"| {name} | {best:.1f} | {theirs:.1f} (batch {batch}) | {best / theirs:.2f} |", flush=True)


def main() -> None:
    """Reads the arguments, builds the networks, measures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pipeline", type=Path)
    parser.add_argument("--model", type=Path, help="SqueezeNet 1.1, trained")
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--ready", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if not args.ready:
        python = ready_python(".venv", "requirements.txt")
        sys.exit(subprocess.run([python, __file__, *sys.argv[1:], "--ready"], check=False).returncode)
    print("| network | forward, ms per image | onnxruntime | ratio |\n| --- | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory(prefix="frustration-") as folder:
        directory = Path(folder)
        for name in args.networks:
            model, side = directory / f"{name}.onnx", 227
            if name == "squeezenet1_1" and args.model:
                model = args.model
            else:
                growing = Growing()
                y, side = NETWORKS[name](growing)
                growing.save(y, side, model)
            measure(args, name, model, side, directory)


if __name__ == "__main__":
    main()
