"""What is tracked speaks of the project alone: no machine's paths, no package index, pinned and hashed requirements."""

import re
from pathlib import Path

import pytest

# Written so that these lines do not match themselves.
MACHINE = re.compile(r"/wor[k]/|/roo[t]/|/hom[e]/(?!jane\b|leadwright\b)[a-z]|/User[s]/|/op[t]/(?!leadwright)")
INDEX = re.compile(
    r"--(?:extra-)?index-ur[l]|--find-link[s]|--trusted-hos[t]|(?:index|mirror|registry|artifactory|nexus|devpi|proxy)"
    r"\.[\w-]+\.\w+|pypi\.or[g]|pythonhosted\.or[g]|https?://[^\s\"'`]*/(?:simpl[e]|pyp[i])(?:/|\b)"
)
# A build tool's setting whose name contains the option's words.
ALLOWED = ("--no-emit-index-url",)


def readable(tracked: list[Path]) -> list[tuple[Path, str]]:
    return [(path, path.read_bytes().decode(errors="replace")) for path in tracked]


@pytest.mark.parametrize("forbidden", [MACHINE, INDEX], ids=["a path of a machine", "a package index"])
def test_no_file_names(tracked: list[Path], root: Path, forbidden: re.Pattern[str]) -> None:
    found = [
        (str(path.relative_to(root)), match[0])
        for path, text in readable(tracked)
        for match in forbidden.finditer(text.replace(ALLOWED[0], ""))
    ]
    assert found == []


def test_no_file_is_out_of_place(tracked: list[Path], root: Path) -> None:
    names = [str(path.relative_to(root)) for path in tracked]
    assert [
        name for name in names if re.search(r"\.(pyc|log|dump|orig|rej|swp)$|(^|/)\.data/|secret\.key$", name)
    ] == []


def requirements(text: str) -> list[str]:
    """The logical lines of a lock file, without comments."""
    joined = re.sub(r"\\\n", " ", re.sub(r"^\s*#.*$\n?", "", text, flags=re.MULTILINE))
    return [line.strip() for line in joined.splitlines() if line.strip()]


@pytest.mark.parametrize("name", ["run", "build", "dev"])
def test_every_requirement_is_pinned_and_hashed(root: Path, name: str) -> None:
    lines = requirements((root / "requirements" / f"{name}.txt").read_text("utf-8"))
    assert lines
    pinned = re.compile(r"[a-z0-9][a-z0-9._-]*(\[[a-z,]+\])?==\S+( ;[^-]+)?( +--hash=sha256:[0-9a-f]{64})+")
    assert [line for line in lines if not pinned.fullmatch(line)] == []


def test_the_locks_hold_what_the_project_asks_for(root: Path) -> None:
    asked = re.search(r"^dependencies = \[(.*?)^\]", (root / "pyproject.toml").read_text(), re.DOTALL | re.MULTILINE)
    assert asked
    names = {re.match(r"[\w-]+", line)[0] for line in re.findall(r'"([^"]+)"', asked[1])}  # type: ignore[index]
    locked = {re.match(r"[\w.-]+", line)[0] for line in requirements((root / "requirements/run.txt").read_text())}  # type: ignore[index]
    assert names <= locked
