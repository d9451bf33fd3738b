"""README and docs/ taken apart: headings, links, code, tables of figures. Plain Python."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`]+)`")
LINK = re.compile(r"\[(?:[^\]\[]|\[[^\]]*\])*\]\(([^)\s]+)\)")
REFERENCE = re.compile(r"^\[[^\]]+\]: (\S+)$", re.MULTILINE)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
MARK = re.compile(r"^<!-- figures: (.+) -->\n((?:\|.*\n)+)", re.MULTILINE)
# 3,269,923 or 0.4187 or −97.54
NUMBER = re.compile(r"(?<![\w.,])[-−]?\d+(?:,\d{3})*(?:\.\d+)?(?![\w]|[.,]\d)")


def plain(number: str) -> str:
    """A number as programs print it."""
    return number.replace("−", "-").replace(",", "")


@dataclass(frozen=True)
class Code:
    """A fenced block."""

    document: str
    language: str
    text: str

    def commands(self) -> list[str]:
        """The command lines of a block for the shell, each on one line, without comments."""
        lines = self.text.replace("\\\n", " ").splitlines()
        return [line for line in (re.sub(r"(^|\s)#.*$", "", line).strip() for line in lines) if line]

    def dialogue(self) -> list[tuple[str, str]]:
        """Of a block that shows a terminal: each command and what it prints."""
        found = re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", self.text, re.MULTILINE)
        return [(command, printed) for command, printed in found]


@dataclass(frozen=True)
class Row:
    """A row of a table of figures: the word in backquotes that it begins with, the whole first cell, numbers behind it."""

    document: str
    word: str
    label: str
    figures: tuple[str, ...]


@dataclass(frozen=True)
class Document:
    """A Markdown file."""

    path: Path

    @cached_property
    def text(self) -> str:
        return self.path.read_text()

    @property
    def name(self) -> str:
        return str(self.path.relative_to(ROOT) if self.path.is_relative_to(ROOT) else self.path)

    @cached_property
    def prose(self) -> str:
        """Everything but fenced blocks."""
        return FENCE.sub("", self.text)

    def code(self, language: str) -> list[Code]:
        """Its fenced blocks of a language."""
        return [Code(self.name, language, text) for found, text in FENCE.findall(self.text) if found == language]

    def spans(self) -> list[str]:
        """What stands in backquotes."""
        return [" ".join(span.split()) for span in SPAN.findall(self.prose)]

    def links(self) -> list[str]:
        """Where it leads to."""
        return LINK.findall(self.prose) + REFERENCE.findall(self.prose)

    def anchors(self) -> set[str]:
        """The names that GitHub gives its headings."""
        found = (re.sub(r"[^\w\- ]", "", SPAN.sub(r"\1", heading).lower()) for heading in HEADING.findall(self.prose))
        return {heading.replace(" ", "-") for heading in found}

    def rows(self, source: str) -> list[Row]:
        """The rows of its tables whose figures come from a source."""
        tables = [table.splitlines() for found, table in MARK.findall(self.text) if found == source]
        return [self.row(line) for _, _, *lines in tables for line in lines]

    def row(self, line: str) -> Row:
        label, *cells = (cell.strip() for cell in line.strip("|").split(" | "))
        word = SPAN.search(label)
        assert word, f"{self.name}: a row of figures must begin with a word in backquotes: {line}"
        # What the paper prints, 3.27 M, is no figure of ours.
        numbers = (number for cell in cells for number in NUMBER.findall(re.sub(r"[\d.]+ [MG]\b", "", cell)))
        return Row(self.name, word[1], label, tuple(n for n in numbers if "." in n or len(plain(n)) > 3))

    def unmarked(self) -> set[str]:
        """Long numbers in its prose outside of tables of figures: four decimals, or four digits with a comma."""
        numbers = NUMBER.findall(MARK.sub("", self.prose))
        return {number for number in numbers if re.search(r"\.\d{4}|,\d{3}", number)}


def documents() -> list[Document]:
    """The pages whose every word about the program is checked."""
    return [Document(path) for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))]


def others() -> list[Document]:
    """Pages of which only the links are."""
    names = ("BENCHMARKS.md", "CHANGELOG.md", "python/README.md", "fixtures/digits/README.md")
    return [Document(ROOT / name) for name in names]
