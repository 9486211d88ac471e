"""docs/limits.md says every limit a caller can meet, with the number that the program has."""

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import leadwright
from leadwright.settings import Settings

LIMIT = re.compile(r"(MOST|LONGEST|MAX)_[A-Z_]+|NAME_LIMIT")
# What callers meet under another name, or never.
NOT_TOLD = {
    "ids.MOST_AT_ONCE": "more than any request needs",
    "webhooks.posting.MOST_AT_ONCE": "how much one process has under way; the rest waits its turn",
    "outbound.resolving.MOST_LOOKUPS": "how many names one process asks for at a time; the rest waits its turn",
    "http.idempotency.LONGEST_LOCK_WAIT": "a little less than the statement timeout, which is told",
    "engine.sequence.reader.MAX_UNKNOWN_KEYS": "how many faults are told of one object",
}


def value_of(dotted: str) -> object:
    """What ``room.module.NAME`` is; of a setting its default."""
    module, _, name = dotted.rpartition(".")
    if module == "settings.Settings":
        return Settings.model_fields[name].default
    try:
        return getattr(importlib.import_module(f"leadwright.{module}"), name)
    except ModuleNotFoundError:
        return getattr(value_of(module), name)


def shown(value: object) -> str:
    return f"{value.days if isinstance(value, timedelta) else value:,}"


def limits() -> Iterator[str]:
    """The public limits of every module but those of the database's own processes, each where it is made."""
    for info in pkgutil.walk_packages(leadwright.__path__, "leadwright."):
        if info.name.startswith(("leadwright.postgres", "leadwright.cli", "leadwright.__main__")):
            continue
        with open(importlib.import_module(info.name).__file__ or "") as source:
            for name in re.findall(r"^([A-Z_]+)(?:: \w+)? = ", source.read(), re.MULTILINE):
                if LIMIT.fullmatch(name):
                    yield f"{info.name.removeprefix('leadwright.')}.{name}"


def test_every_number_is_the_programs(document: Callable[[str], Any], in_backticks: Callable[[str], list[str]]) -> None:
    rows = document("docs/limits.md").rows()
    assert rows
    for _, number, where in rows:
        [constant] = in_backticks(where)
        assert (constant, number) == (constant, shown(value_of(constant)))


def test_every_limit_stands_there(document: Callable[[str], Any], in_backticks: Callable[[str], list[str]]) -> None:
    told = {constant for row in document("docs/limits.md").rows() for constant in in_backticks(row[2])}
    assert set(limits()) == {limit for limit in told if LIMIT.fullmatch(limit.rpartition(".")[2])} | set(NOT_TOLD)


def test_guides_repeat_the_same_numbers(document: Callable[[str], Any]) -> None:
    limit = {what: number for what, number, _ in document("docs/limits.md").rows("Sequences and templates")}
    told = re.sub(r"\s+", " ", document("docs/guides/sequences.md").text)
    assert (
        f"Limits: {limit['steps of a sequence']} steps, conditions {limit['conditions within each other']} deep, "
        f"{limit['a text']} characters a text, {limit['a subject, title or field name']} a subject or title"
    ) in told
