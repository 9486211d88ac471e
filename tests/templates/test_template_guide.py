"""The guide to templates says what is so."""

import re
from pathlib import Path

import pytest

from leadwright.templates import MAX_SOURCE, compile_template
from leadwright.templates.filters import FILTERS, MAX_VALUE
from leadwright.templates.lexer import MAX_EXPRESSION

GUIDE = (Path(__file__).parents[2] / "docs" / "guides" / "templates.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("snippet", re.findall(r"```liquid\n(.*?)```", GUIDE, re.DOTALL))
def test_its_snippets_are_valid(snippet: str) -> None:
    assert compile_template(snippet).variables


def test_its_table_lists_the_filters() -> None:
    table = GUIDE.split("## Filters")[1].split("## Limits")[0]
    names = {name for row in re.findall(r"^\| (`.*?`) \|", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    assert names == set(FILTERS)


def test_its_limits_are_the_limits() -> None:
    for limit in (MAX_SOURCE, MAX_EXPRESSION, MAX_VALUE):
        assert f"{limit:,} characters" in GUIDE
