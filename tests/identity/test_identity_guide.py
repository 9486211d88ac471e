"""The guide tells the truth: its codes are the codes, and its snippet prints what it says."""

import re
from pathlib import Path

import pytest

from leadwright.identity import IdentityKind, RefusalCode

GUIDE = (Path(__file__).parents[2] / "docs/guides/identity.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_tables_hold_every_kind_and_every_code_in_order() -> None:
    words = re.findall(r"^\| `(\w+)` \|", GUIDE, re.MULTILINE)
    assert words == [*IdentityKind, *RefusalCode]


def test_the_snippet_prints_what_the_guide_says(capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(block("python"), "identity.md", "exec"), {})
    assert capsys.readouterr().out == block("text")
