"""Are the tensors of `pipeline images` those that Pillow and NumPy make of the same files?

    python check_images.py --pipeline target/release/pipeline
    python check_images.py --self-test

Every preset, on made-up photographs of many sizes and of every mode that Pillow writes: as PNG to the bit before the
constants, as JPEG within what decoders may differ. Conventions of torchvision, written out: the longer side is rounded down,
half an odd pixel is rounded to even. Names and classes come in the order that is documented.
"""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from oracle import Pipeline, Quiet, Report, arguments, with_pipeline

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SIZES = [(341, 256), (256, 384), (300, 256), (257, 259), (400, 300), (64, 1200), (256, 256), (100, 90)]  # width, height
MODES = ["RGB", "RGBA", "L", "LA", "P", "1"]
EXACT = 1e-4  # in units of pixels: rounding of the constants
JPEG_WORST, JPEG_MEAN = 12, 1.0  # the same; on 500 photographs 9 and 0.25 were found


@dataclass(frozen=True)
class Preset:
    """A preset as the documentation has it: a name or the text of a file, the network's input, and how Pillow does it."""

    name: str
    shape: tuple[int, int, int]
    place: Callable[[Image.Image], Image.Image]
    order: tuple[int, ...] = (0, 1, 2)
    scale: float = 1.0
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    toml: str = ""

    def tensor(self, image: Image.Image) -> np.ndarray:
        """C × H × W."""
        mode = "RGB" if self.shape[0] == 3 else "L"
        pixels = np.asarray(self.place(image.convert(mode)), np.float64)
        pixels = pixels[:, :, list(self.order)] if mode == "RGB" else pixels[:, :, None]
        return ((pixels * self.scale - self.mean) / self.std).transpose(2, 0, 1)

    def in_pixels(self, error: np.ndarray) -> np.ndarray:
        """Differences of tensors (N × C × H × W) in units of pixels."""
        return np.abs(error) * np.array(self.std)[:, None, None] / self.scale


def short_side(length: int, height: int, width: int, method: Image.Resampling) -> Callable[[Image.Image], Image.Image]:
    """Resizes the shorter side to `length` and cuts out the middle."""

    def place(image: Image.Image) -> Image.Image:
        shorter = min(image.size)
        size = tuple(int(length * side / shorter) for side in image.size)
        image = image.resize(size, method)
        left, top = int(round((size[0] - width) / 2.0)), int(round((size[1] - height) / 2.0))
        return image.crop((left, top, left + width, top + height))

    return place


def stretch(height: int, width: int, method: Image.Resampling) -> Callable[[Image.Image], Image.Image]:
    """Resizes to the network's input."""
    return lambda image: image.resize((width, height), method)


def presets() -> list[Preset]:
    """All names, and files for what no name has."""
    bilinear, bicubic = Image.Resampling.BILINEAR, Image.Resampling.BICUBIC
    photo = short_side(256, 224, 224, bilinear)
    caffe = {"order": (2, 1, 0), "mean": (104.0, 117.0, 123.0)}
    own = 'resize = 131\ninterpolation = "bicubic"\ncrop = "centre"\nscale = 0.0078125\nmean = [1.0]\nstd = [0.5]\n'
    grey = 'resize = "stretch"\nscale = 0.00392156862745098\n'
    return [
        Preset("imagenet", (3, 224, 224), photo, scale=1 / 255, mean=MEAN, std=STD),
        Preset("caffe", (3, 227, 227), short_side(256, 227, 227, bilinear), **caffe),
        Preset("squeezenet1_1-caffe", (3, 224, 227), short_side(256, 224, 227, bilinear), **caffe),
        Preset("matlab", (3, 199, 177), stretch(199, 177, bicubic)),
        Preset("own", (3, 97, 128), short_side(131, 97, 128, bicubic), (0, 1, 2), 1 / 128, (1.0,), (0.5,), own),
        Preset("grey", (1, 28, 30), stretch(28, 30, bilinear), (0,), 1 / 255, toml=grey),
    ]


def still() -> list[Preset]:
    """Presets that leave the size alone."""
    keep = lambda image: image  # noqa: E731
    return [
        Preset("cifar10", (3, 32, 32), keep, scale=1 / 255, mean=MEAN, std=STD),
        Preset("none", (3, 32, 32), keep),
        Preset("none", (1, 32, 32), keep),
    ]


def photograph(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """Smooth colours with edges and noise."""
    coarse = rng.integers(0, 256, (5, 6, 3), dtype=np.uint8)
    pixels = np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)).astype(np.int64)
    pixels = pixels + rng.integers(-12, 13, pixels.shape)
    left, top = rng.integers(0, width // 2), rng.integers(0, height // 2)
    pixels[top : top + height // 3, left : left + width // 3] = rng.integers(0, 256, 3)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def write_images(folder: Path, sizes: list[tuple[int, int]], ending: str) -> None:
    """Photographs of these sizes, as PNG in every mode, as JPEG in every sampling."""
    rng = np.random.default_rng(0)
    folder.mkdir()
    for number, size in enumerate(sizes):
        image = photograph(rng, *size)
        if ending == "png":
            for mode in MODES:
                image.convert(mode).save(folder / f"{number}-{mode}.png")
        else:
            for sampling in ("4:4:4", "4:2:2", "4:2:0"):
                name = folder / f"{number}-{sampling.replace(':', '')}.jpg"
                image.save(name, quality=92, subsampling=sampling, progressive=number % 2 == 1)
            image.convert("L").save(folder / f"{number}-L.jpg", quality=92)
            image.convert("CMYK").save(folder / f"{number}-CMYK.jpg", quality=92)


def computed(pipeline: Pipeline, folder: Path, preset: Preset) -> np.ndarray:
    """What the binary makes of a folder."""
    name: object = preset.name
    if preset.toml:
        name = pipeline.directory / f"{preset.name}.toml"
        name.write_text(preset.toml)
    out = pipeline.directory / "tensors.npy"
    shape = ",".join(map(str, preset.shape))
    pipeline.run("images", "--images", folder, "--preprocess", name, "--shape", shape, "-o", out, "--force", "--quiet")
    return np.load(out)


def compare(report: Report, what: str, found: np.ndarray, expected: np.ndarray, preset: Preset, exact: bool) -> None:
    """Largest and mean difference in units of pixels."""
    if not report.check(f"{what}, shape", found.shape == expected.shape and found.dtype == np.float32, f"{found.shape}"):
        return
    error = preset.in_pixels(found - expected)
    worst, mean = error.max(), error.mean(axis=(1, 2, 3)).max()
    good = worst <= EXACT if exact else worst <= JPEG_WORST and mean <= JPEG_MEAN
    report.check(what, good, f"{len(found)} images, worst {worst:.2g}, mean of the worst image {mean:.2g} of 255")


def check_preset(report: Report, pipeline: Pipeline, folder: Path, preset: Preset) -> None:
    """One preset on one folder."""
    paths = sorted(folder.iterdir(), key=lambda path: path.name.encode())
    expected = np.stack([preset.tensor(Image.open(path)) for path in paths])
    found = computed(pipeline, folder, preset)
    compare(report, f"{folder.name} {preset.name}, input {preset.shape}", found, expected, preset, folder.name != "jpg")


def check_order(report: Report, pipeline: Pipeline) -> None:
    """Names and classes, with labels and without."""
    folder = pipeline.directory / "ordered"
    for number, name in enumerate(["b.png", "n02/x.png", "n01/Y.PNG", "n01-a.png", "B.png"]):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (1, 1), number).save(folder / name, format="PNG")
    dot = Preset("none", (1, 1, 1), lambda image: image)
    listing = pipeline.directory / "tensors.labels.csv"
    values = computed(pipeline, folder, dot).ravel().tolist()
    rows = [(row["file"], row["class_index"]) for row in csv.DictReader(listing.open())]
    names = ["B.png", "b.png", "n01-a.png", "n01/Y.PNG", "n02/x.png"]
    report.check("by name", rows == [(name, "") for name in names] and values == [4, 0, 3, 2, 1], f"{rows}")
    (folder / "labels.csv").write_text("file,class_index\nn02/x.png,5\nB.png,900\n")
    values = computed(pipeline, folder, dot).ravel().tolist()
    rows = [(row["file"], row["class_index"]) for row in csv.DictReader(listing.open())]
    report.check("by labels", rows == [("n02/x.png", "5"), ("B.png", "900")] and values == [1, 4], f"{rows}")


def check_all(pipeline: Pipeline) -> None:
    """Every check."""
    report = Report("images")
    folders = {}
    for kind, sizes, ending in [("png", SIZES, "png"), ("jpg", SIZES, "jpg"), ("small", [(32, 32)] * 4, "png")]:
        folders[kind] = pipeline.directory / kind
        write_images(folders[kind], sizes, ending)
    for preset in presets():
        for kind in ("png", "jpg"):
            report.attempt(preset.name, check_preset, pipeline, folders[kind], preset)
    for preset in still():
        report.attempt(preset.name, check_preset, pipeline, folders["small"], preset)
    report.attempt("order", check_order, pipeline)
    report.exit()


def self_test(report: Report) -> None:
    """The reference accepts itself, and rejects what is a little wrong."""
    image = photograph(np.random.default_rng(1), 300, 260)
    for preset in presets():
        good = preset.tensor(image)[None].astype(np.float32)
        one_level = good + np.float32(preset.scale / max(preset.std))
        for what, found, wanted in [("itself", good, 0), ("one level more", one_level, 1), ("mirrored", good[..., ::-1], 1)]:
            quiet = Quiet("wrong")
            compare(quiet, what, found, preset.tensor(image)[None], preset, exact=True)
            report.check(f"{preset.name}, {what}", quiet.failed == wanted)
        quiet = Quiet("wrong")
        compare(quiet, "mirrored", good[..., ::-1], preset.tensor(image)[None], preset, exact=False)
        report.check(f"{preset.name}, mirrored as JPEG", quiet.failed == 1)


def main() -> None:
    """Reads the arguments, runs."""
    parser = arguments(__doc__)
    parser.add_argument("--self-test", action="store_true", help="test the reference itself; needs no binary")
    args = parser.parse_args()
    if args.self_test:
        report = Report("self-test of images")
        self_test(report)
        report.exit()
    with_pipeline(args, check_all)


if __name__ == "__main__":
    main()
