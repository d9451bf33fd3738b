"""Are the output alignment fractions of `pipeline perturb`, and the λ of `pipeline lambda`, what they should be?

    python check_omega.py --pipeline BIN [--model M.onnx --images X.npy]
    python check_omega.py --self-test

The network is solved and its images perturbed. Every perturbation is made again from its definition (SplitMix64 in NumPy,
the signs of the best replica, the norm in the table), and ONNX Runtime says what becomes of the logits: Ω has to agree but
for outputs that hardly move, changes of the logits and classes, too. λ, its interval over resampled images, and the
figures by image and by norm are computed again from the rows.
"""

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort

from check_adjacency import DEFAULT_MODEL
from environment import ROOT
from oracle import Pipeline, Report, arguments, read_rows, unpack_state, with_pipeline

DEFAULT_IMAGES = ROOT / "fixtures" / "digits" / "images.npy"
N_IMAGES = 20
RESAMPLES = 200
GAMMA = np.uint64(0x9E3779B97F4A7C15)
CASES = {"real": 0, "n3": 1, "random-direction": 2}
LAMBDA_PURPOSE = int.from_bytes(b"lambda", "big")


def mix(x: np.ndarray) -> np.ndarray:
    """The finaliser of SplitMix64, of 64-bit numbers."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def stream(words: list[int], n: int, first: int = 0) -> np.ndarray:
    """Numbers `first` to `first + n` of the stream of some words."""
    with np.errstate(over="ignore"):
        key = np.uint64(0)
        for word in words:
            key = mix((key ^ np.uint64(word)) + GAMMA)
        return mix(key + np.arange(first + 1, first + n + 1, dtype=np.uint64) * GAMMA)


def uniform(words: list[int], n: int) -> np.ndarray:
    """Uniform numbers in (0, 1)."""
    return ((stream(words, n) >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52


def random_signs(words: list[int], n: int) -> np.ndarray:
    """The topmost bits, as signs."""
    return np.where(stream(words, n) >> np.uint64(63), 1.0, -1.0)


def directions(replicas: Path, layers: list[dict]) -> tuple[np.ndarray, np.ndarray]:
    """S_x and S_y of the best replica, most inputs +1."""
    best = min(read_rows(replicas), key=lambda row: row["energy"])
    spins = unpack_state(best["state"], best["n_nodes"])
    s_x, s_y = (spins[layer["first_node"] :][: layer["n_nodes"]] for layer in (layers[0], layers[-1]))
    sign = np.sign(s_x.sum()) or s_x[0]
    return sign * s_x, sign * s_y


def perturbed(image: np.ndarray, signs: np.ndarray, words: list[int], norm: float) -> np.ndarray:
    """An image C x H x W, pushed. Elements are numbered channels-last."""
    last = image.transpose(1, 2, 0).ravel().astype(np.float64)
    delta = uniform(words, last.size)
    pushed = (last + signs * delta * (norm / np.sqrt((delta**2).sum()))).astype(np.float32)
    return pushed.reshape(image.shape[1], image.shape[2], image.shape[0]).transpose(2, 0, 1)


def logits_session(model: Path) -> ort.InferenceSession:
    """ONNX Runtime without the softmax at the end, if there is one."""
    proto = onnx.load(model)
    for node in proto.graph.node:
        if node.op_type == "Softmax" and node.output[0] == proto.graph.output[0].name:
            proto.graph.output[0].name = node.input[0]
            proto.graph.node.remove(node)
            break
    return ort.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])


def run(session: ort.InferenceSession, images: np.ndarray) -> np.ndarray:
    """Logits, one image after the other: the file may fix the size of a batch."""
    name = session.get_inputs()[0].name
    return np.concatenate([session.run(None, {name: image[None]})[0].reshape(1, -1) for image in images])


def check_rows(report: Report, rows: list[dict], images: np.ndarray, signs: tuple, session: ort.InferenceSession) -> None:
    """Ω, changes and classes of every row that has the network's weights."""
    rows = [row for row in rows if row["case"] != "n3"]
    before = run(session, images)
    worst, wrong, classes, unsure = 0.0, 0, 0, 0
    for row in rows:
        words = [row["seed"], CASES[row["case"]], row["image_index"], row["perturbation"]]
        s_x, s_y = signs
        if row["case"] == "random-direction":
            s_x = random_signs([row["seed"], 3, *words[2:]], s_x.size)
            s_y = random_signs([row["seed"], 4, *words[2:]], s_y.size)
        image = row["image_index"]
        after = run(session, perturbed(images[image], s_x, words, row["norm"])[None])[0].astype(np.float64)
        change = after - before[image]
        rounding = 2e-5 * max(1.0, np.abs(after).max())
        clear = np.abs(change) > rounding
        least, most = (s_y * change > rounding).mean(), ((s_y * change > 0) | ~clear).mean()
        wrong += not least - 1e-12 <= row["omega"] <= most + 1e-12
        wrong += row["unmoved"] > (~clear).mean() + 1e-12
        unsure += (~clear).sum()
        mean, greatest = np.abs(change).mean(), np.abs(change).max()
        worst = max(worst, abs(row["mean_change"] - mean) / rounding, abs(row["greatest_change"] - greatest) / rounding)
        tops = np.partition(after, -2)[-2:]
        classes += row["class_after"] != after.argmax() and tops[1] - tops[0] > rounding
        classes += row["class_before"] != before[image].argmax()
        classes += row["same_class"] != (row["class_before"] == row["class_after"])
    n = len(rows) * signs[1].size
    report.check("omega", wrong == 0 and unsure < 0.02 * n, f"{len(rows)} rows, {unsure} of {n} outputs too still to tell")
    report.check("changes of the logits", worst < 1.0, f"{worst:.2f} of the tolerance")
    report.check("classes", classes == 0)


def largest(distances: np.ndarray) -> float:
    """λ by the definition: of all distances and half shares that satisfy it, the greatest."""
    n = distances.size
    at_least = n - np.searchsorted(np.sort(distances), distances, side="left")
    return float(np.minimum(distances, 0.5 * at_least / n).max())


def moved(row: dict) -> float:
    """Ω of the logits that have changed."""
    return (row["omega"] - row["unmoved"]) / (1 - row["unmoved"]) if row["unmoved"] < 1 else 0.5


def resampled(images: list[np.ndarray], resamples: int, seed: int) -> np.ndarray:
    """2.5th and 97.5th percentile of λ, images drawn with all their rows."""
    n, found = len(images), []
    for resample in range(resamples):
        bits = stream([seed, LAMBDA_PURPOSE], n, resample * n)
        drawn = [int(b) * n >> 64 for b in bits]
        found.append(largest(np.concatenate([images[i] for i in drawn])))
    return np.percentile(found, [2.5, 97.5])


def check_lambda(report: Report, rows: list[dict], table: Path, seed: int) -> None:
    """The table of λ and those beside it."""
    groups = defaultdict(list)
    for row in rows:
        groups[row["case"]].append(row)
    found = {row["case"]: row for row in read_rows(table)}
    report.check("cases", set(found) == set(groups), ", ".join(found))
    for case, mine in groups.items():
        images = defaultdict(list)
        for row in mine:
            images[row["image_index"]].append(row)
        distances = [np.array([abs(r["omega"] - 0.5) for r in images[i]]) for i in sorted(images)]
        above = {i: np.mean([r["omega"] > 0.5 for r in images[i]]) for i in images}
        interval = resampled(distances, RESAMPLES, seed)
        expected = {
            "n_images": len(images), "n": len(mine), "lambda": largest(np.concatenate(distances)),
            "lambda_low": interval[0], "lambda_high": interval[1],
            "mean_omega": np.mean([r["omega"] for r in mine]), "mean_distance": np.concatenate(distances).mean(),
            "same_class": np.mean([r["class_before"] == r["class_after"] for r in mine]),
            "mean_unmoved": np.mean([r["unmoved"] for r in mine]),
            "lambda_moved": largest(np.array([abs(moved(r) - 0.5) for r in mine])),
            "one_sided": np.mean([a in (0, 1) for a in above.values()]),
        }  # fmt: skip
        error = max(abs(found[case][key] - value) for key, value in expected.items())
        report.check(f"{case}: lambda", error < 1e-12, f"{found[case]['lambda']:.4f}, error {error:.1e}")
        by_image = [r for r in read_rows(table.with_name(f"{table.stem}.images.parquet")) if r["case"] == case]
        same = {r["image_index"]: r["above_half"] for r in by_image}
        good = same.keys() == above.keys() and all(abs(same[i] - above[i]) < 1e-12 for i in above)
        report.check(f"{case}: by image", good, f"{len(by_image)}")
        check_norms(report, case, mine, [r for r in read_rows(table.with_name(f"{table.stem}.norms.parquet")) if r["case"] == case])


def check_norms(report: Report, case: str, rows: list[dict], bins: list[dict]) -> None:
    """Every row is in one range of norms, and its figures are theirs."""
    error, counted = 0.0, 0
    for found in bins:
        mine = [r for r in rows if found["norm_least"] <= r["norm"] <= found["norm_greatest"]]
        counted += len(mine)
        expected = {
            "n": len(mine), "same_class": np.mean([r["same_class"] for r in mine]),
            "lambda": largest(np.array([abs(r["omega"] - 0.5) for r in mine])),
            "mean_change": np.mean([r["mean_change"] for r in mine]),
        }  # fmt: skip
        error = max(error, *(abs(found[key] - value) for key, value in expected.items()))
    report.check(f"{case}: by norm", counted == len(rows) and error < 1e-9, f"{len(bins)} ranges, error {error:.1e}")


def check_binary(report: Report, args: argparse.Namespace, pipeline: Pipeline) -> None:
    """Solves, perturbs, sums up."""
    graph = pipeline.build(args.model)
    replicas = pipeline.solve(graph, "omega", "--replicas", 16)
    omega, table = pipeline.directory / "omega.parquet", pipeline.directory / "lambda.parquet"
    inputs = ["--model", args.model, "--images", args.images, "--limit", N_IMAGES, "--norm", "0.1..10"]
    search = ["--n3-replicas", 2, "--perturbations", 12, "--seed", 2**63 + 3]
    pipeline.run("perturb", graph, *inputs, *search, "--replicas", replicas, "-o", omega, "--quiet")
    pipeline.run("lambda", "--omega", omega, "-o", table, "--resamples", RESAMPLES, "--seed", 9)
    rows = read_rows(omega)
    images = np.load(args.images)[:N_IMAGES].astype(np.float32)
    report.check("rows", len(rows) == images.shape[0] * 3 * 12, str(len(rows)))
    layers = pipeline.inspect(graph)["layers"]
    report.attempt("omega", check_rows, rows, images, directions(replicas, layers), logits_session(args.model))
    report.attempt("lambda", check_lambda, rows, table, 9)


def self_test(report: Report) -> None:
    """The reference against published numbers and closed forms."""
    with np.errstate(over="ignore"):
        first = mix(np.uint64(1234567) + np.arange(1, 3, dtype=np.uint64) * GAMMA)
    report.check("SplitMix64", first.tolist() == [6457827717110365317, 3203168211198807973])
    for name, distances, expected in [
        ("a step", [0.25] * 3, 0.25), ("a horizontal part", [0.5, 0.0], 0.25), ("nothing", [0.0] * 4, 0.0),
        ("everything", [0.5] * 4, 0.5), ("a corner", [0.25, 0.0], 0.25),
    ]:  # fmt: skip
        report.check(f"lambda of {name}", largest(np.array(distances)) == expected)
    image = np.zeros((2, 3, 4), np.float32)
    pushed = perturbed(image, np.ones(24), [1], 5.0)
    report.check("norm", abs(np.linalg.norm(pushed) - 5) < 1e-5 and (pushed > 0).all())


def main() -> None:
    """Reads the arguments and runs the checks."""
    parser = arguments(__doc__)
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL)
    parser.add_argument("--images", type=Path, default=DEFAULT_IMAGES, help="tensors, N x C x H x W")
    parser.add_argument("--self-test", action="store_true", help="test the reference itself; needs no binary")
    args = parser.parse_args()
    report = Report("omega")
    if args.self_test:
        self_test(report)
    else:
        with_pipeline(args, lambda pipeline: report.attempt("run", check_binary, args, pipeline))
    report.exit()


if __name__ == "__main__":
    main()
