"""The documents and the tracked files, as the tests of this folder read them."""

import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_ROW = re.compile(r"^\|(.+)\|$", re.MULTILINE)
_CELL = re.compile(r"(?<!\\)\|")


@dataclass(frozen=True)
class Document:
    """One Markdown file."""

    path: Path

    @property
    def name(self) -> str:
        return str(self.path.relative_to(ROOT))

    @property
    def text(self) -> str:
        return self.path.read_text("utf-8")

    @property
    def prose(self) -> str:
        """Without fenced blocks."""
        return _FENCE.sub("", self.text)

    def blocks(self, language: str) -> list[str]:
        """The fenced blocks whose opening line says exactly this."""
        return [body for label, body in _FENCE.findall(self.text) if label.strip() == language]

    def section(self, heading: str) -> str:
        """What stands under a heading, to the next one of any depth; empty when there is no such heading."""
        found = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)", self.text, re.DOTALL | re.MULTILINE)
        return found[1] if found else ""

    def rows(self, heading: str | None = None) -> list[list[str]]:
        """The table rows of a section or of the whole page, without heads and rules."""
        text = self.text if heading is None else self.section(heading)
        lines = [[cell.strip() for cell in _CELL.split(line)] for line in _ROW.findall(text)]
        rules = [at for at, line in enumerate(lines) if all(set(cell) <= {"-", ":"} for cell in line)]
        return [line for at, line in enumerate(lines) if at not in rules and at + 1 not in rules]


def words(cell: str) -> list[str]:
    """The words in backticks."""
    return re.findall(r"`([^`]+)`", cell)


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def tracked(root: Path) -> list[Path]:
    """Every file that is in the repository or about to be: what is ignored is left out."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        check=True,
    )
    paths = [root / name for name in listing.stdout.decode().split("\0") if name]
    return [path for path in paths if path.is_file()]


@pytest.fixture(scope="session")
def documents(tracked: list[Path]) -> list[Document]:
    return [Document(path) for path in tracked if path.suffix == ".md"]


@pytest.fixture(scope="session")
def document(root: Path) -> Callable[[str], Document]:
    return lambda name: Document(root / name)


@pytest.fixture(scope="session")
def in_backticks() -> Callable[[str], list[str]]:
    return words
