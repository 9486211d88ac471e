"""Every command stands in the documents, and every command that they show can be typed."""

import re
import shlex
from collections.abc import Callable, Iterator
from typing import Any

import typer.main

from leadwright.cli.main import app


def commands(command: Any, *path: str) -> Iterator[tuple[str, Any]]:
    """Each command with its full name: ``keys create``."""
    below = getattr(command, "commands", None)
    if below is None:
        yield " ".join(path), command
    else:
        for name, each in below.items():
            yield from commands(each, *path, name)


COMMANDS = dict(commands(typer.main.get_command(app)))


def typed(page: Any) -> Iterator[list[str]]:
    """The words after ``leadwright`` of each command line in a page's shell blocks and in its backticks."""
    lines = [line for label in ("sh", "bash", "console") for block in page.blocks(label) for line in block.splitlines()]
    spans = re.findall(r"`(leadwright [^`]+)`", page.prose)
    for line in [*lines, *spans]:
        found = re.search(r"(?:^|[\s/])leadwright (?!/)(.*)", line.partition(" #")[0])
        if found and not re.match(r"\s*(git|cd)\b", line):
            yield shlex.split(found[1])


def test_every_command_is_in_the_documents(documents: list[Any]) -> None:
    text = "\n".join(page.text for page in documents)
    assert {name for name in COMMANDS if f"leadwright {name}" not in text} == set()


def test_every_command_line_that_is_shown_exists(documents: list[Any]) -> None:
    lines = [(page.name, words) for page in documents for words in typed(page)]
    assert lines
    for page, words in lines:
        names = [name for name in COMMANDS if words[: len(name.split())] == name.split()]
        groups = {name.split()[0] for name in COMMANDS}
        options = {word.partition("=")[0] for word in words if word.startswith("--")}
        if names:
            known = {option for parameter in COMMANDS[names[0]].params for option in parameter.opts}
            assert options <= known | {"--help"}, (page, words)
        else:
            assert words[0].partition("|")[0] in groups | {"--help", "--version"}, (page, words)


def test_every_shell_block_names_its_language(documents: list[Any], document: Callable[[str], Any]) -> None:
    """So that no command line is missed by the test above."""
    unlabelled = [(page.name, block) for page in documents for block in page.blocks("") if "leadwright " in block]
    assert unlabelled == []
