"""Small ONNX files that ask for much: every command that reads a model works in little memory and time, or refuses in one sentence.

    .venv/bin/python python/check_hostile_models.py target/release/pipeline [--every N] [--only NAME] [--verbose]

Makes some 250 files: chains of 10,000 operators, sums and concatenations that double, constants that grow, windows and sizes beyond
reason, lists and names of a megabyte. Runs `build-graph` (both residual rules), `forward` (logits and states), and on the graph, if
there is one, `inspect`, `active`, `perturb`. Asserts less than 200 MB and, since machines differ, 10 s for each run, no panic, and one
sentence of at most 2,000 characters; prints what took more than 2 s. A line for each group of files; with `--verbose` one for each run.
Networks that are truly large (whatever the file's size) may take what they need, so none of these is.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

MEGABYTES, SECONDS, QUICK = 200, 10, 2
ADDRESS_SPACE = 6 << 20  # KiB: no run may take the machine with it
LONG = 10_000


def make(directory: Path, every: int, only: str) -> None:
    """Writes each `every`-th file whose name has `only` in it, an image beside each, and the list of their groups."""
    import numpy as np
    import onnx
    from onnx import TensorProto as T
    from onnx import helper as h
    from onnx import numpy_helper as nh

    N = h.make_node
    ones = lambda *shape: np.ones(shape, np.float32)  # noqa: E731
    ints = lambda *values: np.array(values, np.int64)  # noqa: E731

    def model(nodes, shape=(1, 2, 8, 8), inits=(), out="y", opset=13, extra_inputs=(), extra_outputs=()):
        tensors = [t if isinstance(t, onnx.TensorProto) else nh.from_array(np.asarray(t), name) for name, t in inits]
        inputs = [h.make_tensor_value_info("x", T.FLOAT, shape), *extra_inputs]
        outputs = [h.make_tensor_value_info(out, T.FLOAT, None), *extra_outputs]
        graph = h.make_graph(nodes, "g", inputs, outputs, initializer=tensors)
        return h.make_model(graph, opset_imports=[h.make_opsetid("", opset)], ir_version=8), shape

    def chain(n, links, shape=(1, 2, 8, 8), inits=(), end=None, opset=13):
        """`links(i, before, after)` are the nodes of one link."""
        nodes = [node for i in range(n) for node in links(i, f"a{i}" if i else "x", f"a{i + 1}")]
        end = end or (lambda last: [N("Conv", [last, "w"], ["y"])])
        return model(nodes + end(f"a{n}"), shape, [("w", ones(1, shape[1], 1, 1)), *inits], opset=opset)

    def one(op, extra=(), **attributes):
        return lambda i, a, b: [N(op, [a, *extra], [b], **attributes)]

    def flat_end(last):
        return [N("Flatten", [last], ["y"])]

    def chains() -> Iterator:
        for op, extra, attributes in [
            ("Relu", (), {}),
            ("Identity", (), {}),
            ("LeakyRelu", (), {}),
            ("Sigmoid", (), {}),
            ("Dropout", (), {}),
            ("Cast", (), {"to": 1}),
            ("Clip", (), {}),
            ("Neg", (), {}),
            ("Softmax", (), {"axis": 1}),
            ("LRN", (), {"size": 3}),
            ("MaxPool", (), {"kernel_shape": [1, 1]}),
            ("Max", ("zero",), {}),
            ("Add", ("k",), {}),
            ("Mul", ("k",), {}),
            ("Add", ("pixel",), {}),
            ("PRelu", ("k",), {}),
            ("BatchNormalization", ("g", "k1", "k1", "g"), {}),
            ("Transpose", (), {"perm": [0, 1, 2, 3]}),
            ("Transpose", (), {"perm": [0, 1, 3, 2]}),
            ("Reshape", ("same",), {}),
            ("Slice", ("from", "to", "axis"), {}),
            ("Pad", ("nopad",), {}),
            ("Concat", (), {"axis": 1}),
            ("Sum", (), {}),
            ("Split", (), {"axis": 1}),
        ]:
            inits = [("zero", np.float32(0)), ("k", np.full((2, 1, 1), 1.0001, np.float32)), ("pixel", np.arange(128, dtype=np.float32).reshape(1, 2, 8, 8))]
            inits += [("g", ones(2)), ("k1", np.full(2, 0.5, np.float32)), ("same", ints(0, 0, 0, 0)), ("from", ints(0)), ("to", ints(99)), ("axis", ints(2)), ("nopad", ints(*[0] * 8))]
            kind = "_".join([op, *extra[:1], "".join(map(str, attributes.get("perm", [])))]).strip("_")
            used = [pair for pair in inits if pair[0] in extra]
            yield kind, chain(LONG, one(op, extra, **attributes), inits=used)
        yield "relu_flat", chain(LONG, one("Relu"), end=flat_end)
        yield "flatten", chain(LONG, one("Flatten"), (1, 8, 1, 1), end=lambda last: [N("Relu", [last], ["y"])])
        there, back = ints(1, 128), ints(1, 2, 8, 8)
        yield "reshape", chain(LONG, lambda i, a, b: [N("Reshape", [a, "t"], [b + "_"]), N("Reshape", [b + "_", "b"], [b])], inits=[("t", there), ("b", back)])
        yield "reshape_relu", chain(LONG, lambda i, a, b: [N("Reshape", [a, "t"], [b + "_"]), N("Relu", [b + "_"], [b + "r"]), N("Reshape", [b + "r", "b"], [b])], inits=[("t", there), ("b", back)])
        yield "nhwc", chain(LONG, lambda i, a, b: [N("Transpose", [a], [b + "_"], perm=[0, 2, 3, 1]), N("Relu", [b + "_"], [b + "r"]), N("Transpose", [b + "r"], [b], perm=[0, 3, 1, 2])])
        shuffle = [("s", ints(1, 4, 2, 8, 8)), ("t", ints(1, 8, 8, 8))]
        shuffled = lambda i, a, b: [N("Reshape", [a, "s"], [b + "_"]), N("Transpose", [b + "_"], [b + "t"], perm=[0, 2, 1, 3, 4]), N("Reshape", [b + "t", "t"], [b])]  # noqa: E731
        yield "shuffle", chain(LONG, shuffled, (1, 8, 8, 8), shuffle)
        wide = [("s", ints(1, 64, 64, 1, 1)), ("t", ints(1, 4096, 1, 1))]
        yield "shuffle_wide", chain(LONG, shuffled, (1, 4096, 1, 1), wide)
        yield "squeeze", chain(LONG, lambda i, a, b: [N("Squeeze", [a, "ax"], [b + "_"]), N("Unsqueeze", [b + "_", "ax"], [b])], (1, 8, 1, 1), [("ax", ints(2, 3))])
        pads = [("p", ints(0, 0, 1, 1, 0, 0, 1, 1)), ("f", ints(1, 1)), ("e", ints(9, 9)), ("ax", ints(2, 3))]
        yield "pad_slice", chain(LONG, lambda i, a, b: [N("Pad", [a, "p"], [b + "_"]), N("Slice", [b + "_", "f", "e", "ax"], [b])], inits=pads)
        yield "pad_grows", chain(LONG, one("Pad", ("p",)), (1, 2, 1, 1), [("p", ints(0, 0, 0, 0, 0, 0, 1, 0))])
        yield "pad_channels", chain(LONG, one("Pad", ("p",)), (1, 2, 1, 1), [("p", ints(0, 0, 0, 0, 0, 1, 0, 0)), ], end=flat_end)
        yield "slice_shrinks", chain(LONG, one("Slice", ("f", "e", "ax")), (1, 1, LONG + 8, 1), [("f", ints(1)), ("e", ints(1 << 40)), ("ax", ints(2))])
        yield "slice_channels", chain(LONG, one("Slice", ("f", "e", "ax")), (1, LONG + 8, 1, 1), [("f", ints(1)), ("e", ints(1 << 40)), ("ax", ints(1))], end=flat_end)
        yield "concat_x", chain(LONG, lambda i, a, b: [N("Concat", [a, "x"], [b], axis=1)], (1, 1, 2, 2), end=lambda last: [N("GlobalAveragePool", [last], ["y"])])
        yield "add_x", chain(LONG, lambda i, a, b: [N("Add", [a, "x"], [b])])
        yield "add_relu", chain(LONG, lambda i, a, b: [N("Relu", [a], [b + "r"]), N("Add", [a, b + "r"], [b])])
        yield "conv", chain(LONG, one("Conv", ("w1",)), (1, 1, 2, 2), [("w1", ones(1, 1, 1, 1))])
        yield "conv_relu", chain(LONG, lambda i, a, b: [N("Conv", [a, "w1"], [b + "c"], pads=[1] * 4), N("Relu", [b + "c"], [b])], (1, 1, 2, 2), [("w1", ones(1, 1, 3, 3))])
        yield "residual", chain(2500, lambda i, a, b: [N("Conv", [a, "w1"], [b + "c"], pads=[1] * 4), N("Relu", [b + "c"], [b + "r"]), N("Add", [a, b + "r"], [b])], (1, 1, 2, 2), [("w1", ones(1, 1, 3, 3))])
        yield "dense_net", chain(1000, lambda i, a, b: [N("Conv", [a, f"w{i}"], [b + "c"]), N("Relu", [b + "c"], [b + "r"]), N("Concat", [a, b + "r"], [b], axis=1)], (1, 1, 1, 1), [(f"w{i}", ones(1, i + 1, 1, 1)) for i in range(1000)], end=flat_end)
        yield "max_pool", chain(LONG, one("MaxPool", kernel_shape=[2, 2], pads=[0, 0, 1, 1]), (1, 1, 2, 2))
        yield "average_pool", chain(LONG, one("AveragePool", kernel_shape=[3, 3], pads=[1] * 4, count_include_pad=1), (1, 1, 2, 2))
        yield "gemm", chain(LONG, one("Gemm", ("m",)), (1, 2), [("m", ones(2, 2))], end=lambda last: [N("Relu", [last], ["y"])])

    def doublings() -> Iterator:
        conv = lambda last: [N("Conv", [last, "w"], ["y"])]  # noqa: E731
        for n in (20, 24, 60):
            yield f"add{n}", chain(n, lambda i, a, b: [N("Add", [a, a], [b])])
            yield f"relu_add{n}", chain(n, lambda i, a, b: [N("Relu", [a], [b + "r"]), N("Add", [a, b + "r"], [b])])
            yield f"relus_add{n}", chain(n, lambda i, a, b: [N("Relu", [a], [b + "r"]), N("Relu", [a], [b + "q"]), N("Add", [b + "q", b + "r"], [b])])
            norm = lambda i, a, b: [N("BatchNormalization", [a, *"gbmv"], [b + "r"]), N("Add", [a, b + "r"], [b])]  # noqa: E731
            yield f"norm_add{n}", chain(n, norm, inits=[(k, ones(2)) for k in "gbmv"])
            pads = [("p", ints(0, 0, 1, 1, 0, 0, 1, 1)), ("f", ints(1, 1)), ("e", ints(9, 9)), ("ax", ints(2, 3))]
            yield f"pad_add{n}", chain(n, lambda i, a, b: [N("Pad", [a, "p"], [b + "_"]), N("Slice", [b + "_", "f", "e", "ax"], [b + "s"]), N("Add", [a, b + "s"], [b])], inits=pads)
        for n in (8, 12, 16, 31):
            pool = lambda last: [N("MaxPool", [last], ["y"], kernel_shape=[2, 2])]  # noqa: E731
            yield f"concat{n}", chain(n, lambda i, a, b: [N("Concat", [a, a], [b], axis=1)], (1, 1, 2, 2), end=pool)
            yield f"relu_concat{n}", chain(n, lambda i, a, b: [N("Relu", [a], [b + "r"]), N("Concat", [a, b + "r"], [b], axis=1)], (1, 1, 2, 2), end=pool)
        yield "sum8", chain(24, lambda i, a, b: [N("Sum", [a] * 8, [b])])
        yield "sum1000", chain(5, lambda i, a, b: [N("Sum", [a] * 1000, [b])])
        yield "concat1000", chain(2, lambda i, a, b: [N("Concat", [a] * 1000, [b], axis=1)], (1, 1, 1, 1), end=lambda last: [N("GlobalMaxPool", [last], ["y"])])
        halves = [("f0", ints(0)), ("e0", ints(1)), ("e1", ints(9)), ("f1", ints(1)), ("ax", ints(1))]
        half = lambda a, k, b: N("Slice", [a, f"f{k}", f"e{k}", "ax"], [b])  # noqa: E731
        yield "halves", chain(200, lambda i, a, b: [half(a, 0, b + "p"), half(a, 1, b + "q"), N("Concat", [b + "q", b + "p"], [b + "c"], axis=1), N("Add", [a, b + "c"], [b])], inits=halves)
        yield "fibonacci", chain(200, lambda i, a, b: [N("Add", [a, f"a{i - 1}" if i > 1 else "x"], [b])])
        yield "add_of_convs", chain(60, lambda i, a, b: [N("Conv", [a, "v"], [b + "c"]), N("Conv", [a, "v"], [b + "d"]), N("Add", [b + "c", b + "d"], [b])], inits=[("v", ones(2, 2, 1, 1))])

    def fans() -> Iterator:
        def fan(op, join, n=LONG, shape=(1, 1, 4, 4), end=None, extra=(), **attributes):
            nodes = [N(op, ["x", *extra], [f"f{i}"], **attributes) for i in range(n)]
            nodes.append(N(join, [f"f{i}" for i in range(n)], ["j"], **({"axis": 1} if join == "Concat" else {})))
            channels = n if join == "Concat" else shape[1]
            return model(nodes + [N("Conv", ["j", "w"], ["y"])], shape, [("w", ones(1, channels, 1, 1)), ("v", ones(1, 1, 1, 1))])

        for join in ("Sum", "Concat"):
            yield f"relu_{join}", fan("Relu", join)
            yield f"conv_{join}", fan("Conv", join, extra=("v",))
            yield f"pool_{join}", fan("MaxPool", join, kernel_shape=[2, 2])
            yield f"sigmoid_{join}", fan("Sigmoid", join)
        taps = [N("Relu", [f"r{i - 1}" if i else "x"], [f"r{i}"]) for i in range(LONG)]
        yield "taps_concat", model(taps + [N("Concat", [f"r{i}" for i in range(LONG)], ["c"], axis=1), N("GlobalMaxPool", ["c"], ["y"])], (1, 1, 2, 2))
        yield "taps_sum", model(taps + [N("Sum", [f"r{i}" for i in range(LONG)], ["c"]), N("GlobalMaxPool", ["c"], ["y"])], (1, 1, 2, 2))
        parts = [f"s{i}" for i in range(LONG)]
        yield "split", model([N("Split", ["x"], parts, axis=1), N("Concat", parts[::-1], ["c"], axis=1), N("GlobalMaxPool", ["c"], ["y"])], (1, LONG, 2, 2))
        yield "split_sum", model([N("Split", ["x"], parts, axis=1), N("Sum", parts, ["c"]), N("GlobalMaxPool", ["c"], ["y"])], (1, LONG, 2, 2))
        square = [N("Relu", ["x"], [f"r{i}"]) for i in range(300)]
        sums = [N("Sum", [f"r{k}" for k in range(300)], [f"t{i}"]) for i in range(300)]
        yield "sums_of_all", model(square + sums + [N("Sum", [f"t{i}" for i in range(300)], ["z"]), N("GlobalMaxPool", ["z"], ["y"])])
        pools = [N("MaxPool", [f"t{i}"], [f"p{i}"], kernel_shape=[2, 2]) for i in range(300)]
        yield "pools_of_sums", model(square + sums + pools + [N("Sum", [f"p{i}" for i in range(300)], ["z"]), N("GlobalMaxPool", ["z"], ["y"])])

    def constants() -> Iterator:
        scalar = ("k", ints(1))
        def grown(n, links, value, end=None):
            nodes = [node for i in range(n) for node in links(f"k{i}" if i else "k", f"k{i + 1}")]
            return model(nodes + (end or [N("Reshape", ["x", f"k{n}"], ["y"])]), inits=[("k", value), ("i", np.zeros(LONG, np.int64))])

        for kind, value in (("ints", ints(1)), ("floats", ones(1))):
            yield f"concat_{kind}", grown(40, lambda a, b: [N("Concat", [a, a], [b], axis=0)], value)
            yield f"add_{kind}", grown(LONG, lambda a, b: [N("Add", [a, a], [b])], value)
        yield "identity", grown(LONG, lambda a, b: [N("Identity", [a], [b])], ints(1, 128))
        yield "reshape", grown(LONG, lambda a, b: [N("Squeeze", [a], [b + "_"]), N("Unsqueeze", [b + "_"], [b], axes=[0])], ints(1, 128))
        yield "gathers", grown(2, lambda a, b: [N("Gather", [a, "i"], [b])], ints(1))
        many = [N("Gather", ["k", "i"], [f"g{i}"]) for i in range(2000)]
        joined = [N("Concat", [f"g{i}" for i in range(2000)], ["t"], axis=0), N("Reshape", ["x", "t"], ["y"])]
        yield "gather2000", model(many + joined, inits=[scalar, ("i", np.zeros(LONG, np.int64))])
        square = [N("Gather", ["k", "i"], ["g"]), N("Gather", ["g", "j"], ["t"]), N("Reshape", ["x", "t"], ["y"])]
        yield "gather_rows", model(square, inits=[("k", np.zeros((1, 30000), np.int64)), ("i", np.zeros(30000, np.int64)), ("j", np.zeros(30000, np.int64))])
        shapes = [N(op, ["k"], [f"{op}{i}"]) for op in ("Shape", "Size") for i in range(LONG)]
        tail = [N("Concat", [f"Shape{i}" for i in range(LONG)], ["t"], axis=0), N("Sum", [f"Size{i}" for i in range(LONG)], ["u"]), N("Add", ["t", "u"], ["v"]), N("Reshape", ["x", "v"], ["y"])]
        yield "shapes_of_constant", model([*shapes, *tail], inits=[("k", np.zeros(250_000, np.float32))])
        few = [N("Gather", ["k", "z"], [f"g{i}"]) for i in range(LONG)]
        yield "gathers_of_few", model([*few, N("Concat", [f"g{i}" for i in range(LONG)], ["t"], axis=0), N("Reshape", ["x", "t"], ["y"])], inits=[("k", np.zeros(250_000, np.int64)), ("z", ints(0))])
        yield "clips_by_constant", chain(LONG, one("Clip", ("k",)), inits=[("k", np.zeros(250_000, np.float32))])
        large = ints(1 << 31)
        for op, inputs in {"Expand": "kb", "Tile": "kb", "ConstantOfShape": "b", "Range": "zbo"}.items():
            yield op, model([N(op, list(inputs), ["t"]), N("Reshape", ["x", "t"], ["y"])], inits=[scalar, ("b", large), ("z", np.int64(0)), ("o", np.int64(1))])
        filled = [N("ConstantOfShape", ["s"], ["w"])]
        for name, shape, weights in (("22", (1, 256, 8, 8), (1024, 256, 4, 4)), ("30", (1, 1024, 1, 1), (1 << 20, 1024, 1, 1)), ("40", (1, 1 << 20, 1, 1), (1 << 20, 1 << 20, 1, 1))):
            yield f"filled_kernel_{name}", model([*filled, N("Conv", ["x", "w"], ["y"])], shape, [("s", ints(*weights))])
        yield "filled_gemm", model([*filled, N("Flatten", ["x"], ["f"]), N("Gemm", ["f", "w"], ["y"], transB=1)], (1, 1024, 8, 8), [("s", ints(1 << 20, 65536))])
        yield "filled_matmul", model([*filled, N("MatMul", ["x", "w"], ["y"])], (1, 65536), [("s", ints(65536, 65536))])
        yield "filled_add", model([*filled, N("Add", ["x", "w"], ["a"]), N("Relu", ["a"], ["y"])], (1, 4096, 1024, 1024), [("s", ints(1, 4096, 1024, 1024))])
        yield "filled_prelu", model([*filled, N("PRelu", ["x", "w"], ["y"])], (1, 1 << 30, 1, 1), [("s", ints(1 << 30, 1, 1))])
        yield "filled_norm", model([*filled, N("BatchNormalization", ["x", "w", "w", "w", "w"], ["y"])], (1, 1 << 30, 1, 1), [("s", ints(1 << 30))])
        yield "filled_transposed", model([*filled, N("Transpose", ["w"], ["v"]), N("Conv", ["x", "v"], ["y"])], (1, 256, 8, 8), [("s", ints(4, 4, 256, 1024))])
        yield "filled_doubled", model([*filled, N("Add", ["w", "k"], ["v"]), N("Conv", ["x", "v"], ["y"])], (1, 256, 8, 8), [("s", ints(1024, 256, 4, 4)), ("k", ones(1))])
        neg = [N("Neg" if i % 2 else "Add", [f"n{i - 1}" if i else "x"] + ([] if i % 2 else ["k"]), [f"n{i}"]) for i in range(100)]
        yield "scales_of_many_channels", model(neg + [N("GlobalMaxPool", ["n99"], ["y"])], (1, 1 << 24, 1, 1), [("k", ones(1))])
        yield "one_channel_many_pixels", model([N("Add", ["x", "k"], ["a"]), N("Mul", ["a", "k"], ["b"]), N("Relu", ["b"], ["y"])], (1, 1 << 28, 1, 1), [("k", np.full(1, 2, np.float32))])
        pixels = np.arange(1000, dtype=np.float32).reshape(1, 1, 1, 1000)
        yield "pixel_spread", model([N("Add", ["x", "k"], ["a"]), N("Relu", ["a"], ["y"])], (1, 1000, 1000, 1000), [("k", pixels)])
        many_spread = [N("Add", [f"a{i}" if i else "x", "k"], [f"a{i + 1}"]) for i in range(LONG)]
        yield "pixel_spreads", model([*many_spread, N("Relu", [f"a{LONG}"], ["y"])], (1, 100, 10, 100), [("k", pixels[..., :100])])
        shared = [N("Conv", [f"a{i}" if i else "x", "w"], [f"a{i + 1}"]) for i in range(3000)]
        yield "one_kernel_3000_times", model([*shared, N("Relu", ["a3000"], ["y"])], (1, 256, 1, 1), [("w", ones(256, 256, 1, 1))])
        yield "filled_kernel_3000_times", model([*filled, *shared, N("Relu", ["a3000"], ["y"])], (1, 512, 1, 1), [("s", ints(512, 512, 1, 1))])

    def windows() -> Iterator:
        def pool(op, shape, **attributes):
            return model([N(op, ["x"], ["y"], **attributes)], shape)

        yield "kernel_of_image", pool("MaxPool", (1, 1, 65535, 65535), kernel_shape=[65535, 65535])
        yield "row_kernel", pool("MaxPool", (1, 1, 1, 8191), kernel_shape=[1, 8191], pads=[0, 8190, 0, 8190])
        yield "average_60", pool("AveragePool", (1, 1, 60, 60), kernel_shape=[60, 60], pads=[59] * 4, count_include_pad=1)
        yield "max_60", pool("MaxPool", (1, 1, 60, 60), kernel_shape=[60, 60], pads=[59] * 4)
        yield "max_1000", pool("MaxPool", (1, 1, 1000, 1000), kernel_shape=[1000, 1000], pads=[999] * 4)
        yield "average_1000", pool("AveragePool", (1, 1, 1000, 1000), kernel_shape=[1000, 1000], pads=[999] * 4)
        yield "dilation", pool("MaxPool", (1, 1, 8, 8), kernel_shape=[3, 3], dilations=[1 << 30, 1])
        yield "stride", pool("MaxPool", (1, 1, 8, 8), kernel_shape=[1, 1], strides=[1 << 31, 1 << 31])
        yield "pads", pool("MaxPool", (1, 1, 8, 8), kernel_shape=[2, 2], pads=[1 << 20] * 4)
        yield "long_side", pool("MaxPool", (1, 1, 1 << 30, 1), kernel_shape=[2, 1])
        yield "many_channels", pool("MaxPool", (1, 1 << 30, 1, 1), kernel_shape=[2, 2], pads=[0, 0, 1, 1])
        yield "global", pool("GlobalAveragePool", (1, 1, 65535, 65535))
        yield "global_channels", pool("GlobalMaxPool", (1, 1 << 28, 2, 2))
        chained = one("MaxPool", kernel_shape=[2, 2], pads=[0, 0, 1, 1])
        yield "pools_of_many_channels", chain(2000, chained, (1, 1 << 20, 1, 1), end=flat_end)
        padded = [N("Pad", ["x", "p"], ["a"])]
        yield "padded_rows", model([*padded, N("MaxPool", ["a"], ["y"], kernel_shape=[2, 2])], (1, 1, 8, 8), [("p", ints(0, 0, 1 << 20, 0, 0, 0, 1 << 20, 0))])
        yield "padded_channels", model([*padded, N("GlobalMaxPool", ["a"], ["y"])], (1, 1, 8, 8), [("p", ints(0, 1 << 24, 0, 0, 0, 0, 0, 0))])
        repeated = [N("Concat", ["x"] * 200, ["c"], axis=1), N("GlobalMaxPool", ["c"], ["y"])]
        yield "concat_of_many_channels", model(repeated, (1, 1 << 20, 1, 1))
        yield "padded_most", model([*padded, N("Slice", ["a", "f", "e", "ax"], ["b"]), N("Relu", ["b"], ["y"])], (1, 1, 8, 8), [("p", ints(0, 0, 60000, 60000, 0, 0, 0, 0)), ("f", ints(60000, 60000)), ("e", ints(70000, 70000)), ("ax", ints(2, 3))])
        filled = [N("ConstantOfShape", ["s"], ["w"])]
        for bits in (12, 16, 19, 22):
            kernel = ints(1 << bits, 1, 1, 1)
            yield f"depthwise_{bits}", model([*filled, N("Conv", ["x", "w"], ["y"], group=1 << bits)], (1, 1 << bits, 3, 3), [("s", kernel)])
            yield f"groups_{bits}", model([*filled, N("Conv", ["x", "w"], ["y"], group=1 << bits)], (1, 1 << bits, 3, 3), [("s", ints(1 << bits + 1, 1, 1, 1))])
        yield "wide_kernel", model([*filled, N("Conv", ["x", "w"], ["y"], pads=[500] * 4)], (1, 1, 1000, 1000), [("s", ints(1, 1, 1001, 1001))])
        yield "conv_stride", model([*filled, N("Conv", ["x", "w"], ["y"], strides=[1 << 31] * 2)], (1, 1, 60000, 60000), [("s", ints(1, 1, 1, 1))])

    def sizes() -> Iterator:
        relu = [N("Relu", ["x"], ["y"])]
        pooled = [N("GlobalAveragePool", ["x"], ["y"])]
        strided = [N("MaxPool", ["x"], ["y"], kernel_shape=[1, 1], strides=[9999, 9999])]
        for name, shape in {
            "flat": (1, (1 << 32) - 2),
            "image": (1, 3, 37000, 37000),
            "square": (1, 1, 65535, 65535),
            "row": (1, 1, 1, (1 << 32) - 2),
            "column": (1, 1, (1 << 32) - 2, 1),
            "channels": (1, (1 << 32) - 2, 1, 1),
            "too_large": (1, 1 << 16, 1 << 16, 1),
            "overflow": (1, 1 << 62, 1 << 62, 4),
            "negative": (1, -3, 8, 8),
            "zero": (1, 0, 8, 8),
            "most_batch": ((1 << 63) - 1, 3, 8, 8),
            "rank": tuple([1, 3, 8, 8] + [1] * LONG),
        }.items():
            yield f"relu_{name}", model(relu, shape)
            yield f"pool_{name}", model(pooled, shape)
        yield "strided", model(strided, (1, 3, 37000, 37000))
        yield "shuffle_most", model([N("Reshape", ["x", "s"], ["a"]), N("Transpose", ["a"], ["b"], perm=[0, 2, 1, 3, 4]), N("Reshape", ["b", "t"], ["c"]), N("Relu", ["c"], ["y"])], (1, 1 << 30, 1, 1), [("s", ints(1, 1 << 15, 1 << 15, 1, 1)), ("t", ints(1, 1 << 30, 1, 1))])
        yield "flatten_most", model([N("Flatten", ["x"], ["f"]), N("Relu", ["f"], ["y"])], (1, 64, 4096, 4096))
        yield "nhwc_most", model([N("Transpose", ["x"], ["t"], perm=[0, 3, 1, 2]), N("Relu", ["t"], ["y"])], (1, 4096, 4096, 64))
        yield "nhwc_output", model([N("Transpose", ["x"], ["y"], perm=[0, 2, 3, 1])], (1, 64, 4096, 4096))
        yield "slice_most", model([N("Slice", ["x", "f", "e", "ax"], ["a"]), N("Relu", ["a"], ["y"])], (1, 64, 4096, 4096), [("f", ints(1)), ("e", ints(64)), ("ax", ints(1))])
        yield "softmax_most", model([N("Softmax", ["x"], ["y"], axis=1)], (1, 64, 4096, 4096))
        yield "concat_most", model([N("Concat", ["x"] * 60, ["c"], axis=1), N("Relu", ["c"], ["y"])], (1, 64, 1024, 1024))

        def hollow(name, dims, data_type=T.FLOAT, **external):
            tensor = onnx.TensorProto(name=name, dims=dims, data_type=data_type)
            if external:
                tensor.data_location = onnx.TensorProto.EXTERNAL
                for key, value in external.items():
                    tensor.external_data.add(key=key, value=str(value))
            return name, tensor

        conv = [N("Conv", ["x", "w"], ["y"])]
        for name, dims in {"most": (1 << 20, 1 << 20), "overflow": (1 << 62, 1 << 62, 4), "negative": (-1, 2, 1, 1), "rank": (1,) * 100_000}.items():
            yield f"no_data_{name}", model(conv, inits=[hollow("w", dims)])
            yield f"external_{name}", model(conv, inits=[hollow("w", dims, location="data.bin")])
        yield "external_length", model(conv, inits=[hollow("w", (1, 2, 1, 1), location="data.bin", length=1 << 62)])
        yield "external_offset", model(conv, inits=[hollow("w", (1, 2, 1, 1), location="data.bin", offset=(1 << 64) - 8, length=8)])
        again = [N("Conv", [f"a{i}" if i else "x", "w"], [f"a{i + 1}"]) for i in range(2000)]
        yield "external_again", model([*again, N("Relu", ["a2000"], ["y"])], (1, 1024, 1, 1), [hollow("w", (1024, 1024, 1, 1), location="sparse.bin", length=1 << 22)])

    def lists() -> Iterator:
        many = [1] * 100_000
        relu = [N("Relu", ["x"], ["y"])]
        for op, inputs, attributes in [
            ("MaxPool", ["x"], {"kernel_shape": many}),
            ("MaxPool", ["x"], {"kernel_shape": [2, 2], "pads": many}),
            ("MaxPool", ["x"], {"kernel_shape": [2, 2], "strides": many}),
            ("Transpose", ["x"], {"perm": many}),
            ("Transpose", ["x"], {"perm": list(range(100_000)), "b": 1}),
            ("Reshape", ["x", "s"], {}),
            ("Squeeze", ["x", "s"], {}),
            ("Unsqueeze", ["x", "s"], {}),
            ("Slice", ["x", "s", "s"], {}),
            ("Slice", ["x", "s", "s", "s"], {}),
            ("Pad", ["x", "s"], {}),
            ("Split", ["x", "s"], {"axis": 1}),
            ("ReduceMean", ["x"], {"axes": many}),
            ("Conv", ["x", "k"], {"dilations": many}),
            ("Relu", ["x"], {"junk": many}),
        ]:
            kind = "_".join([op, *attributes, *inputs[2:]])
            tail = [N("Relu", ["a"], ["y"])]
            yield kind, model([N(op, inputs, ["a"], **attributes), *tail], inits=[("s", np.array(many, np.int64)), ("k", ones(1, 2, 1, 1))])
        yield "reshape_rank_10000", model([N("Reshape", ["x", "s"], ["a"]), N("Relu", ["a"], ["y"])], inits=[("s", ints(1, 2, 8, 8, *[1] * 10_000))])
        reshaped = [N("Reshape", ["x", "s"], ["r0"]), *(N("Relu", [f"r{i}"], [f"r{i + 1}"]) for i in range(3000))]
        for rank, last in ((60, 300), (1000, 3000), (10_000, 3000)):
            yield f"relus_of_rank_{rank}", model([*reshaped[: last + 1], N("Reshape", [f"r{last}", "t"], ["y"])], inits=[("s", ints(1, 2, 8, 8, *[1] * rank)), ("t", ints(1, 2, 8, 8))])
        yield "unsqueezes", chain(LONG, lambda i, a, b: [N("Unsqueeze", [a, "ax"], [b])], inits=[("ax", ints(0))], end=flat_end)
        yield "shapes_of_rank", model([N("Reshape", ["x", "s"], ["r"]), *(N("Shape", ["r"], [f"s{i}"]) for i in range(3000)), N("Concat", [f"s{i}" for i in range(3000)], ["z"], axis=0), N("Reshape", ["x", "z"], ["y"])], inits=[("s", ints(1, 2, 8, 8, *[1] * 1000))])
        yield "value_ints", model([N("Constant", [], ["t"], value_ints=many), N("Reshape", ["x", "t"], ["y"])])
        yield "same_constant", model([N("Constant", [], ["t"], value_ints=many), *(N("Reshape", ["x", "t"], [f"y{i}"]) for i in range(100)), N("Sum", [f"y{i}" for i in range(100)], ["y"])])
        info = lambda name: h.make_tensor_value_info(name, T.FLOAT, [1])  # noqa: E731
        yield "many_outputs", model([*relu, *(N("Relu", ["x"], [f"o{i}"]) for i in range(LONG))], extra_outputs=[info(f"o{i}") for i in range(LONG)])
        yield "many_inputs", model(relu, extra_inputs=[info(f"i{i}") for i in range(100_000)])
        yield "many_read_inputs", model([N("Sum", ["x", *(f"i{i}" for i in range(LONG))], ["y"])], extra_inputs=[info(f"i{i}") for i in range(LONG)])
        yield "many_initializers", model(relu, inits=[(f"t{i}", np.float32(1)) for i in range(50_000)])
        yield "node_of_many_outputs", model([N("Relu", ["x"], ["y", *(f"o{i}" for i in range(200_000))])])
        yield "node_of_many_inputs", model([N("Relu", ["x"] * 300_000, ["y"])])
        yield "sum_of_many_inputs", model([N("Sum", ["x"] * 300_000, ["a"]), N("MaxPool", ["a"], ["y"], kernel_shape=[2, 2])])
        yield "concat_of_many_inputs", model([N("Concat", ["x"] * 300_000, ["a"], axis=1), N("MaxPool", ["a"], ["y"], kernel_shape=[2, 2])], (1, 1, 2, 2))
        yield "attributes", model([N("Relu", ["x"], ["y"], **{f"a{i}": i for i in range(100_000)})])
        yield "readers_of_input", model([*(N("Transpose", ["x"], [f"t{i}"], perm=[0, 3, 1, 2]) for i in range(LONG)), N("Sum", [f"t{i}" for i in range(LONG)], ["s"]), N("Relu", ["s"], ["y"])])

    def texts() -> Iterator:
        long = "n" * (1 << 20)
        yield "node_name", model([N("Relu", ["x"], ["a"], name=long), N("MaxPool", ["a"], ["y"], kernel_shape=[2, 2], name=long + "p")])
        yield "bad_node_name", model([N("Swish", ["x"], ["y"], name=long)])
        yield "operator", model([N(long, ["x"], ["y"])])
        yield "domain", model([N("Relu", ["x"], ["y"], domain=long)])
        yield "value_name", model([N("Relu", ["x"], [long]), N("MaxPool", [long], ["y"], kernel_shape=[2, 2])])
        yield "missing_name", model([N("Relu", [long], ["y"])])
        yield "output_name", model([N("Relu", ["x"], [long])], out=long)
        yield "tensor_name", model([N("Conv", ["x", long], ["y"])], inits=[(long, ones(1, 3, 1, 1))])
        yield "hollow_name", model([N("Conv", ["x", long], ["y"])], inits=[(long, onnx.TensorProto(name=long, dims=[2], data_type=1))])
        yield "location", model([N("Conv", ["x", "w"], ["y"])], inits=[("w", external_text(onnx, long))])
        yield "auto_pad", model([N("MaxPool", ["x"], ["y"], kernel_shape=[2, 2], auto_pad=long)])
        yield "mode", model([N("Pad", ["x", "p"], ["y"], mode=long)], inits=[("p", ints(0, 0, 1, 0, 0, 0, 0, 0))])
        yield "control_characters", model([N("Swish", ["x"], ["y"], name="\x1b[2J\r\n\x07" * 99)])
        yield "same_names", model([N("MaxPool", [f"a{i}" if i else "x"], [f"a{i + 1}"], kernel_shape=[2, 2], pads=[1, 1, 0, 0], name="p") for i in range(300)], out="a300")
        yield "names_that_clash", model([N("MaxPool", [f"a{i}" if i else "x"], [f"a{i + 1}"], kernel_shape=[2, 2], pads=[1, 1, 0, 0], name=f"p_{i // 2 + 2}" if i % 2 else "p") for i in range(300)], out="a300")
        long_names = [N("Relu", [f"a{i}" if i else "x"], [f"a{i + 1}"], name="n" * 10_000) for i in range(500)]
        yield "many_long_names", model([*long_names, N("MaxPool", ["a500"], ["y"], kernel_shape=[2, 2])])

    def nests() -> Iterator:
        def nested(depth, field):
            message = b""
            for _ in range(depth):  # lengths grow with the depth: quadratic to write, linear to read
                message = field + varint(len(message)) + message
            return message

        relu, shape = model([N("Relu", ["x"], ["y"])])
        body = relu.graph.SerializeToString()
        attribute_graph = nested(2000, b"\x32") # AttributeProto.g
        node = b"\x22\x02If" + b"\x0a\x01x" + b"\x12\x01y" + b"\x2a" + varint(len(attribute_graph)) + attribute_graph
        yield "subgraphs", (b"\x08\x08\x3a" + varint(len(body) + len(node) + 1 + len(varint(len(node)))) + b"\x0a" + varint(len(node)) + node + body, shape)
        yield "graphs", (relu.SerializeToString() + b"".join(b"\x3a" + varint(len(body)) + body for _ in range(1000)), shape)
        yield "graph_of_graphs", (b"\x3a" + varint(len(nested(2000, b"\x3a"))) + nested(2000, b"\x3a"), shape)
        yield "opsets", (relu.SerializeToString() + b"\x42\x00" * 100_000, shape)
        yield "empty_nodes", (b"\x3a" + varint(400_000 + len(body)) + b"\x0a\x00" * 200_000 + body, shape)
        yield "empty_initializers", (b"\x3a" + varint(400_000 + len(body)) + b"\x2a\x00" * 200_000 + body, shape)
        yield "empty_inputs", (b"\x3a" + varint(400_000 + len(body)) + b"\x5a\x00" * 200_000 + body, shape)
        attributes = b"\x2a\x00" * 400_000
        node = b"\x0a\x01x" + b"\x12\x01y" + b"\x22\x04Relu" + attributes
        inner = b"\x0a" + varint(len(node)) + node + body.split(b"Relu")[1]
        yield "empty_attributes", (b"\x3a" + varint(len(inner)) + inner, shape)
        yield "open_length", (b"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\x7f", shape)
        yield "zeros", (bytes(1 << 20), shape)
        yield "text", (b"x" * (1 << 20), shape)
        yield "nothing", (b"", shape)

    groups: dict[str, list[str]] = {}
    for group in (chains, doublings, fans, constants, windows, sizes, lists, texts, nests):
        for number, (name, (file, shape)) in enumerate(group()):
            path = directory / f"{group.__name__}-{name}.onnx"
            if number % every or only not in path.stem:
                continue
            path.write_bytes(file if isinstance(file, bytes) else file.SerializeToString())
            sizes_known = [d for d in shape[1:] if d > 0]
            fits = len(sizes_known) == len(shape) - 1 and np.prod(sizes_known, dtype=float) <= 1 << 18
            image = (1, *shape[1:4]) if fits and len(shape) <= 4 else (1, 1, 1, 1)
            np.save(path.with_suffix(".npy"), np.random.default_rng(0).normal(size=image).astype(np.float32))
            groups.setdefault(group.__name__, []).append(path.name)
    (directory / "data.bin").write_bytes(bytes(64))
    with (directory / "sparse.bin").open("wb") as file:
        file.truncate(1 << 22)
    (directory / "groups.json").write_text(json.dumps(groups))


def external_text(onnx, text):
    """A tensor whose data is at a long location."""
    tensor = onnx.TensorProto(name="w", dims=[1, 2, 1, 1], data_type=1, data_location=onnx.TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value=text)
    return tensor


def varint(value: int) -> bytes:
    """A number as protobuf writes it."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def measured(command: list) -> tuple[int, float, float, str]:
    """Exit code, seconds, megabytes, and the end of what was said."""
    limited = ["bash", "-c", f'ulimit -v {ADDRESS_SPACE}; exec "$@"', "_", *map(str, command)]
    start = time.monotonic()
    process = subprocess.Popen(limited, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    timer = threading.Timer(2 * SECONDS, process.kill)
    timer.start()
    said = process.stderr.read().decode(errors="replace")
    _, status, usage = os.wait4(process.pid, 0)
    timer.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, time.monotonic() - start, usage.ru_maxrss / 1024, said


def fault(code: int, seconds: float, megabytes: float, said: str) -> str:
    """What is wrong with a run; empty if nothing."""
    errors = [line for line in said.splitlines() if line.startswith("pipeline: error:")]
    if code not in (0, 1) or (code == 1) != (len(errors) == 1):
        return f"exit {code}, {len(errors)} sentences: {said[-200:]!r}"
    if any(len(line) > 2000 for line in said.splitlines()):
        return f"a line of {max(map(len, said.splitlines()))} characters"
    if megabytes >= MEGABYTES or seconds >= SECONDS:
        return f"{megabytes:.0f} MB, {seconds:.1f} s: {said[:200]!r}"
    return ""


def runs(pipeline: Path, model: Path, folder: Path) -> Iterator[tuple[str, tuple[int, float, float, str]]]:
    """All commands on one file."""
    graph, images = folder / "graph", model.with_suffix(".npy")
    build = [pipeline, "build-graph", "-q", "--model", model, "-o"]
    built = measured([*build, graph])
    yield "build-graph", built
    yield "build-graph node", measured([*build, folder / "node", "--residual", "node"])
    forward = [pipeline, "forward", "-q", "--model", model, "--images", images]
    yield "forward", measured([*forward, "-o", folder / "logits.npy"])
    if not model.name.startswith(("chains", "fans")):  # a file for each of 10,000 layers
        yield "forward --states-dir", measured([*forward, "-o", folder / "again.npy", "--states-dir", folder / "states"])
    if built[0] == 0:
        yield "inspect", measured([pipeline, "inspect", graph, "--json"])
        search = ["--images", images, "--method", "anneal", "--sweeps", 2, "-q"]
        yield "active", measured([pipeline, "active", graph, *search, "-o", folder / "active.parquet"])
        few = ["--perturbations", 1, "--n3-models", 1, "--n3-replicas", 1, "--random-flips", 10]
        yield "perturb", measured([pipeline, "perturb", graph, *search, *few, "-o", folder / "omega.parquet"])


def check(pipeline: Path, model: Path, verbose: bool) -> tuple[list[str], list[str]]:
    """What is wrong, and what is slow, with one file."""
    wrong, slow = [], []
    with tempfile.TemporaryDirectory(dir=model.parent) as folder:
        for command, result in runs(pipeline, model, Path(folder)):
            code, seconds, megabytes, said = result
            line = f"{model.stem}: {command}: exit {code}, {seconds:.2f} s, {megabytes:.0f} MB"
            if text := fault(*result):
                wrong.append(f"{model.stem}: {command}: {text}")
            elif seconds >= QUICK:
                slow.append(line)
            if verbose:
                print(f"     {line} {said[:150]!r}", flush=True)
    return wrong, slow


def main() -> None:
    """Reads the arguments, makes the files in another process (so that this one stays small), checks every group."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pipeline", type=Path, nargs="?")
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only each N-th file of a group")
    parser.add_argument("--only", default="", help="files whose name has this in it")
    parser.add_argument("--verbose", action="store_true")
    args = parser.parse_args()
    if args.make:
        return make(args.make, args.every, args.only)
    failed = False
    directory = Path(tempfile.mkdtemp(prefix="frustration-"))
    try:
        make_files = [sys.executable, __file__, "--make", directory, "--every", args.every, "--only", args.only]
        subprocess.run(list(map(str, make_files)), check=True)
        for group, names in json.loads((directory / "groups.json").read_text()).items():
            models = [directory / name for name in names]
            with ThreadPoolExecutor(2) as threads:
                results = list(threads.map(lambda model: check(args.pipeline.resolve(), model, args.verbose), models))
            wrong, slow = ([line for result in results for line in result[k]] for k in (0, 1))
            failed |= bool(wrong)
            word = "FAIL" if wrong else "ok  "
            print(f"{word} {len(models)} hostile models: {group}", *wrong, *slow, sep="\n     ", flush=True)
    finally:
        shutil.rmtree(directory)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
