"""What README and docs/ print is what the program does: figures, commands, flags, files, links.

    .venv/bin/python python/check_documents.py target/release/pipeline
    .venv/bin/python python/check_documents.py --self-test

Figures stand in tables below a comment `<!-- figures: make reproduce -->` or `<!-- figures: build-graph -->`. Every row begins
with a word in backquotes; its figures must be printed together, in one line that has this word. A changed digit must be
noticed. Blocks of `sh` are run line by line, blocks of `console` must print what stands there (`...` for anything).
"""

import os
import re
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from PIL import Image

from documents import NUMBER, ROOT, Code, Document, Row, documents, others, plain

LARGEST_README = 7000
FLAG = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]*")
PATH = re.compile(r"^(?:src|docs|python|tests|fixtures|benches|fuzz)/[\w./-]*$|^[A-Z]\w*\.md$")
OF_OTHER_PROGRAMS = {"--no-deps", "--open", "--path", "--test"}


class Checks:
    """Prints a line per check and remembers failures."""

    def __init__(self) -> None:
        self.failed = False

    def check(self, good: bool, text: str, why: str = "") -> None:
        self.failed |= not good
        print("ok  " if good else "FAIL", text if good or not why else f"{text}: {why}", flush=True)

    def all(self, text: str, problems: list[str]) -> None:
        """One line for many things of a sort, or one for each that is wrong."""
        for problem in problems:
            self.check(False, f"{text}: {problem}")
        if not problems:
            self.check(True, text)


@dataclass(frozen=True)
class Place:
    """Where commands are run: `pipeline` and what `make reproduce` leaves are at hand, a network and photographs, too."""

    directory: Path

    def run(self, command: str, name: str) -> subprocess.CompletedProcess:
        """Runs a line in bash, in the folder of that name."""
        folder = self.directory / name
        if not folder.exists():
            folder.mkdir()
            for found in ("out", "photos", "my_network.onnx"):
                (folder / found).symlink_to(self.directory / found)
            (folder / "fixtures").symlink_to(ROOT / "fixtures")
        path = {"PATH": f"{self.directory / 'bin'}:{os.environ['PATH']}"}
        both = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        return subprocess.run(["bash", "-c", command], cwd=folder, env=os.environ | path, **both)


def make_place(directory: Path, pipeline: Path) -> Place:
    """Makes what the commands in the documents need."""
    (directory / "bin").mkdir()
    (directory / "bin" / "pipeline").symlink_to(pipeline)
    (directory / "photos").mkdir()
    random = np.random.default_rng(1)
    for index in range(3):
        pixels = random.integers(0, 256, (270 + index, 300, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(directory / "photos" / f"{index}.png")
    onnx.save(small_network(random), directory / "my_network.onnx")
    return Place(directory)


def small_network(random: np.random.Generator) -> onnx.ModelProto:
    """A network of photographs, 3×64×64: two convolutions and a dense layer."""
    shapes = {"kernel1": (8, 3, 8, 8), "kernel2": (8, 8, 3, 3), "dense": (10, 8 * 8 * 8)}
    weights = {name: random.normal(size=shape).astype(np.float32) * 0.1 for name, shape in shapes.items()}
    make, tensor = onnx.helper.make_node, onnx.helper.make_tensor_value_info
    nodes = [
        make("Conv", ["image", "kernel1"], ["conv1"], strides=[8, 8]),
        make("Relu", ["conv1"], ["relu1"]),
        make("Conv", ["relu1", "kernel2"], ["conv2"], pads=[1, 1, 1, 1]),
        make("Relu", ["conv2"], ["relu2"]),
        make("Flatten", ["relu2"], ["flat"]),
        make("Gemm", ["flat", "dense"], ["logits"], transB=1),
    ]
    ends = [tensor(name, onnx.TensorProto.FLOAT, shape) for name, shape in (("image", (1, 3, 64, 64)), ("logits", (1, 10)))]
    constants = [onnx.numpy_helper.from_array(array, name) for name, array in weights.items()]
    graph = onnx.helper.make_graph(nodes, "small", ends[:1], ends[1:], constants)
    return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)])


def is_printed(row: Row, figures: tuple[str, ...], printed: str) -> bool:
    """Are the figures of a row together in a line that has its word?"""
    word = re.compile(rf"(?<![\w-]){re.escape(row.word)}(?![\w-])")
    lines = filter(word.search, printed.splitlines())
    return any({plain(figure) for figure in figures} <= set(map(plain, NUMBER.findall(line))) for line in lines)


def changed(figures: tuple[str, ...], index: int) -> tuple[str, ...]:
    """The figures with another last digit in one of them."""
    digit = str((int(figures[index][-1]) + 1) % 10)
    return (*figures[:index], figures[index][:-1] + digit, *figures[index + 1 :])


def check_row(checks: Checks, row: Row, printed: str) -> None:
    """Compares a row of figures with what was printed, and sees that a wrong digit would be noticed."""
    text = f"{row.document}, {row.word}: {' '.join(row.figures)}"
    checks.check(is_printed(row, row.figures, printed), text, "not printed")
    unnoticed = [row.figures[k] for k in range(len(row.figures)) if is_printed(row, changed(row.figures, k), printed)]
    if unnoticed or not row.figures:
        checks.check(False, text, f"a wrong digit is not noticed: {unnoticed}")


def check_reproduce(checks: Checks, place: Place, pages: list[Document]) -> None:
    """Runs `make reproduce` with the binary under test and compares the figures."""
    make = ["make", "-s", "-C", ROOT, "reproduce", f"OUT={place.directory / 'out'}"]
    pipeline = [f"PIPELINE={place.directory / 'bin' / 'pipeline'}", "CARGO=true"]
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    printed = subprocess.run([*make, *pipeline], env=env, check=True, capture_output=True, text=True).stdout
    for row in (row for page in pages for row in page.rows("make reproduce")):
        check_row(checks, row, printed)


def check_counts(checks: Checks, place: Place, pages: list[Document]) -> None:
    """Builds every network of the table of counts."""
    for row in (row for page in pages for row in page.rows("build-graph")):
        residual = "node" if "`node`" in row.label else "expand"
        build = f"pipeline build-graph --arch {row.word} --init he --residual {residual} -o counted --force 2> build.txt"
        built = place.run(f"{build} && rm -rf counted", "counts").stdout
        counts = dict(re.findall(r"^(nodes|edges) +(\d+)$", built, re.MULTILINE))
        check_row(checks, row, f"{row.word} {counts.get('nodes')} {counts.get('edges')}\n")


def subcommands(place: Place) -> dict[str, set[str]]:
    """Of every subcommand its flags."""
    names = re.findall(r"^  ([a-z-]+) ", place.run("COLUMNS=100 pipeline help", "help").stdout, re.MULTILINE)
    return {name: set(FLAG.findall(place.run(f"pipeline help {name}", "help").stdout)) for name in names if name != "help"}


def problems_of(command: str, flags: dict[str, set[str]], targets: set[str]) -> list[str]:
    """What the program or make would not understand."""
    words = re.sub(r"\|.*", "", command).split()
    if words[0] == "make":
        return [f"no target {word}" for word in words[1:2] if word not in targets]
    if words[0] != "pipeline" or len(words) < 2 or words[1].isupper() or words[1] == "help":
        return []
    if words[1] not in flags:
        return [f"no subcommand {words[1]}"]
    return [f"{words[1]} has no {flag}" for flag in FLAG.findall(command) if flag not in flags[words[1]]]


def wrong_words(page: Document, flags: dict[str, set[str]], targets: set[str]) -> list[str]:
    """Commands, flags and files that a page mentions and that are not there."""
    known = set().union(*flags.values()) | OF_OTHER_PROGRAMS
    commands = [span for span in page.spans() if re.match(r"(pipeline|make) [a-z]", span)]
    commands += [line for code in page.code("sh") for line in code.commands()]
    wrong = [f"`{command}`: {problem}" for command in commands for problem in problems_of(command, flags, targets)]
    mentioned = [flag for span in page.spans() for flag in FLAG.findall(span)]
    wrong += [f"no subcommand has {flag}" for flag in mentioned if flag not in known]
    return wrong + [f"no file {span}" for span in page.spans() if PATH.match(span) and not (ROOT / span).exists()]


def wrong_links(page: Document) -> list[str]:
    """Relative links that lead to no file, and anchors that are no heading."""
    wrong = []
    for link in page.links():
        path, _, anchor = link.partition("#")
        target = Document((page.path.parent / path).resolve() if path else page.path)
        is_there = target.path.exists() and (not anchor or anchor in target.anchors())
        if not is_there and not re.match(r"https?:", link):
            wrong.append(link)
    return wrong


def check_words(checks: Checks, place: Place, pages: list[Document]) -> None:
    """Checks subcommands, flags, make's targets, files and links."""
    flags, targets = subcommands(place), set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in pages:
        checks.all(f"{page.name}, commands, flags and files", wrong_words(page, flags, targets))
    for page in pages + others():
        checks.all(f"{page.name}, links", wrong_links(page))


def is_as_shown(printed: str, expected: str) -> bool:
    """Is this what stands in a dialogue? `...` is anything in a line, and on a line of its own any lines."""
    lines = [re.escape(line).replace(r"\.\.\.", ".*") + "\n" for line in expected.splitlines()]
    return re.fullmatch("".join("(?:.*\n)*" if line == ".*\n" else line for line in lines), printed) is not None


def check_code(checks: Checks, place: Place, code: Code, name: str) -> None:
    """Runs the lines of a block that are for `pipeline`; of one that shows a terminal all, and compares what is printed."""
    for command in code.commands() if code.language == "sh" else ():
        if shlex.split(command)[0] == "pipeline":
            done = place.run(command, name)
            checks.check(done.returncode == 0, f"{code.document}: {command}", done.stdout)
    for command, expected in code.dialogue() if code.language == "console" else ():
        done = place.run(command, name)
        checks.check(is_as_shown(done.stdout, expected), f"{code.document}: {command}", done.stdout)
    if code.language == "python":
        (place.directory / "page.py").write_text(code.text)
        done = place.run(f"{shlex.quote(sys.executable)} ../page.py", name)
        checks.check(done.returncode == 0, f"{code.document}: {code.text.splitlines()[0]} ...", done.stdout)


def check_blocks(checks: Checks, place: Place, pages: list[Document]) -> None:
    """Every block in a folder of its own."""
    blocks = [code for page in pages for language in ("sh", "console", "python") for code in page.code(language)]
    for index, code in enumerate(blocks):
        check_code(checks, place, code, f"block{index}")


def check_unmarked(checks: Checks, place: Place, pages: list[Document]) -> None:
    """Long numbers elsewhere stand in a table or a dialogue that is checked, in BENCHMARKS or in a help text."""
    helps = place.run("for name in build-graph solve null perturb; do pipeline help $name; done", "help").stdout
    sources = [helps, (ROOT / "BENCHMARKS.md").read_text()]
    sources += [code.text for page in pages for code in page.code("console")]
    known = {plain(number) for source in sources for number in NUMBER.findall(source)}
    rows = [row for page in pages for source in ("make reproduce", "build-graph") for row in page.rows(source)]
    known |= {plain(figure) for row in rows for figure in row.figures}
    for page in pages:
        wrong = [f"{number} has no source" for number in sorted(page.unmarked()) if plain(number) not in known]
        checks.all(f"{page.name}, other figures", wrong)


def self_test(checks: Checks) -> None:
    """A page of mistakes, each of which must be found."""
    page_of_mistakes = "# A page\n[a](b.md) [c](#d) `pipeline solv x` `pipeline solve --fast` `--faster` `make haste` `src/x.rs`\n"
    flags = {"solve": {"--method"}}
    with tempfile.TemporaryDirectory(prefix="frustration-") as directory:
        page = Document(Path(directory) / "page.md")
        page.path.write_text(page_of_mistakes)
        checks.check(wrong_links(page) == ["b.md", "#d"], "broken links are found")
        found = wrong_words(page, flags, {"check"})
        expected = ["no subcommand solv", "solve has no --fast", "no target haste", "has --fast", "has --faster", "no file src/x.rs"]
        good = len(found) == len(expected) and all(problem.endswith(end) for problem, end in zip(found, expected))
        checks.check(good, "mistaken commands, flags and files are found", str(found))
    checks.check(is_as_shown("a 1 b\nc\nd\n", "a ... b\n...\n"), "dots stand for anything")
    checks.check(not is_as_shown("a\nc\n", "a\nb\n") and not is_as_shown("a\nb\n", "a\n"), "another output is not taken")
    row = Row("page.md", "n1", "`n1`", ("0.42", "−97.54"))
    checks.check(is_printed(row, row.figures, "n1  160 0.42 -97.54\n"), "figures are found in the line with their word")
    for printed in ("n1 0.42\nn2 -97.54\n", "n1-x 0.42 -97.54\n", "n1 0.421 -97.54\n"):
        checks.check(not is_printed(row, row.figures, printed), f"and not in {printed!r}")


def main() -> None:
    """All checks, the quick ones first."""
    checks, pages = Checks(), documents()
    if sys.argv[1] == "--self-test":
        self_test(checks)
        sys.exit(checks.failed)
    size = len((ROOT / "README.md").read_bytes())
    checks.check(size <= LARGEST_README, f"README.md has {size} bytes", f"more than {LARGEST_README}")
    with tempfile.TemporaryDirectory(prefix="frustration-") as directory:
        place = make_place(Path(directory), Path(sys.argv[1]).resolve())
        check_words(checks, place, pages)
        check_reproduce(checks, place, pages)
        check_blocks(checks, place, pages)
        check_counts(checks, place, pages)
        check_unmarked(checks, place, pages)
    sys.exit(checks.failed)


if __name__ == "__main__":
    main()
