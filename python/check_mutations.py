"""Damaged Parquet, PNG and JPEG files: one sentence or a result, never a panic, a signal, or a run without end.

    .venv/bin/python python/check_mutations.py target/release/pipeline --count 5000

Real files are flipped, cut, and spliced, each with one to eight changes, from a fixed seed; `import-graph` reads the tables,
`images` the pictures. Prints one line for each format: how many were read and how many were refused.
"""

import argparse
import io
import random
import subprocess
import sys
import tempfile
import zlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

SECONDS = 20
MEMORY_KB = 1 << 20


def tables(numbers: np.random.Generator) -> list[bytes]:
    """Edge lists as writers in use make them."""
    files = []
    for compression in ("zstd", "snappy", "gzip", "none", "brotli", "lz4"):
        source, target = numbers.integers(0, 40, 200), numbers.integers(41, 90, 200)
        weight = numbers.normal(size=200)
        for names in (source, [f"n{i}" for i in source]):
            out = io.BytesIO()
            pq.write_table(pa.table({"source": names, "target": target, "weight": weight}), out, compression=compression)
            files.append(out.getvalue())
    return files


def pictures(form: str, numbers: np.random.Generator) -> list[bytes]:
    """Small images of every mode that a format has."""
    files = []
    pixels = Image.fromarray(numbers.integers(0, 255, (12, 9, 3), dtype=np.uint8)).resize((24, 20))
    options = [{}, {"progressive": True}, {"subsampling": 2, "quality": 30}] if form == "jpeg" else [{}, {"compress_level": 0}]
    for mode in ("RGB", "L", "CMYK") if form == "jpeg" else ("RGB", "L", "P", "RGBA", "1", "I;16"):
        for option in options:
            out = io.BytesIO()
            pixels.convert("L" if mode == "I;16" else mode).convert(mode).save(out, form, **option)
            files.append(out.getvalue())
    return files


def mutated(files: list[bytes], choice: random.Random) -> bytes:
    """One of the files with some changes."""
    data = bytearray(choice.choice(files))
    for _ in range(choice.randint(1, 8)):
        at = choice.randrange(len(data))
        match choice.randrange(5):
            case 0:
                data[at] ^= 1 << choice.randrange(8)
            case 1:
                data[at] = choice.choice([0, 0x7F, 0x80, 0xFF])
            case 2:
                del data[at : at + choice.randint(1, 16)]
            case 3:
                other = choice.choice(files)
                start = choice.randrange(len(other))
                data[at : at + 8] = other[start : start + choice.randint(1, 32)]
            case _:
                del data[max(at, 16) :]
        if len(data) < 16:
            break
    return with_checksums(data) if data.startswith(b"\x89PNG") and choice.random() < 0.8 else bytes(data)


def with_checksums(data: bytearray) -> bytes:
    """A PNG file whose chunks, as far as they still have a length, have the checksum of what is in them."""
    at = 8
    while at + 12 <= len(data):
        end = at + 8 + int.from_bytes(data[at : at + 4], "big")
        if end + 4 > len(data):
            break
        data[end : end + 4] = zlib.crc32(data[at + 4 : end]).to_bytes(4, "big")
        at = end + 4
    return bytes(data)


def run(pipeline: Path, form: str, data: bytes, directory: Path) -> str:
    """What the program makes of one file: `read`, `refused`, or what is wrong."""
    with tempfile.TemporaryDirectory(dir=directory) as folder:
        folder = Path(folder)
        (folder / "in").mkdir()
        path = folder / "in" / f"x.{form}"
        path.write_bytes(data)
        if form == "parquet":
            arguments = ["import-graph", path, "-o", folder / "out"]
        else:
            arguments = ["images", "--images", folder / "in", "--preprocess", "imagenet", "--shape", "3,8,8", "-o", folder / "out.npy"]
        command = f"ulimit -v {4 * MEMORY_KB}; exec \"$@\""
        try:
            done = subprocess.run(["bash", "-c", command, "_", pipeline, *arguments, "-q"], capture_output=True, text=True, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            return "no end"
        if done.returncode == 0:
            return "read"
        sentence = [line for line in done.stderr.splitlines() if line.startswith("pipeline: error:")]
        return "refused" if done.returncode == 1 and len(sentence) == 1 else f"exit {done.returncode}: {done.stderr[-300:]}"


def check(pipeline: Path, form: str, count: int, directory: Path) -> bool:
    """Runs the mutations of one format; prints the result."""
    numbers, choice = np.random.default_rng(7), random.Random(form)
    files = tables(numbers) if form == "parquet" else pictures(form, numbers)
    inputs = [mutated(files, choice) for _ in range(count)]
    with ThreadPoolExecutor(2) as threads:
        found = list(threads.map(lambda data: run(pipeline, form, data, directory), inputs))
    counts = Counter(found)
    wrong = [text for text in counts if text not in ("read", "refused")]
    word = "FAIL" if wrong or not counts["refused"] else "ok  "
    print(f"{word} {count} mutated {form} files: {counts['read']} read, {counts['refused']} refused", *wrong[:3], sep="\n     ")
    return not wrong


def main() -> None:
    """Reads the arguments, checks every format."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pipeline", type=Path)
    parser.add_argument("--count", type=int, default=100, help="files of each format")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="frustration-") as directory:
        forms = ("parquet", "png", "jpeg")
        fine = [check(args.pipeline.resolve(), form, args.count, Path(directory)) for form in forms]
    sys.exit(0 if all(fine) else 1)


if __name__ == "__main__":
    main()
