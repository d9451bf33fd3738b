"""Writes the corpus of the `frame` target from the graph in fixtures/format-v1: expanded frames, stored frames, shard
files, and damaged copies of each. The corpus of `onnx` is fixtures/onnx and fixtures/hostile.

    python fuzz/make_corpus.py        (needs zstandard)
"""

import struct
from pathlib import Path

import zstandard

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT / "fuzz" / "corpus" / "frame"


def frames(shard: bytes) -> list[bytes]:
    """The stored frames of a shard file; the layout is the one that src/shard/mod.rs states."""
    _, n_frames, _ = struct.unpack("<QII", shard[-16:])
    at, found = 16, []
    for entry in range(n_frames):
        start = len(shard) - 16 - 40 * (n_frames - entry)
        stored_bytes = struct.unpack_from("<I", shard, start + 16)[0]
        found.append(shard[at : at + stored_bytes])
        at += stored_bytes
    return found


def save(name: str, data: bytes) -> None:
    """A valid input, one cut short, and one with a byte flipped."""
    middle = len(data) // 2
    flipped = data[:middle] + bytes([data[middle] ^ 0x40]) + data[middle + 1 :]
    for suffix, contents in (("", data), ("-cut", data[:middle]), ("-flipped", flipped)):
        (CORPUS / f"{name}{suffix}").write_bytes(contents)


def main() -> None:
    """Every file anew."""
    CORPUS.mkdir(parents=True, exist_ok=True)
    (CORPUS / "empty").write_bytes(b"")
    (CORPUS / "no-blocks").write_bytes(b"\0\0")
    (CORPUS / "many-blocks").write_bytes(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")
    (CORPUS / "varint-too-long").write_bytes(b"\xff" * 11)
    for shard in sorted((ROOT / "fixtures" / "format-v1" / "graph").glob("*.shard")):
        data, number = shard.read_bytes(), shard.stem.removeprefix("frames-")
        save(f"shard-{number}", data)
        for index, stored in enumerate(frames(data)):
            save(f"stored-{number}-{index}", stored)
            save(f"expanded-{number}-{index}", zstandard.decompress(stored, max_output_size=1 << 20))


if __name__ == "__main__":
    main()
