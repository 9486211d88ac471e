"""How results are shown: a table for people, tab-separated lines for a pipe, JSON for programs."""

import json
import sys
import unicodedata
from collections.abc import Iterable, Sequence


def show_json(value: object) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=False))


def remark(text: str) -> None:
    """Tells the person at the terminal something that is not the result."""
    print(text, file=sys.stderr, flush=True)


def show_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """On a terminal a table that fits it; else one line a row under a line of names, with tabs between."""
    cells = [[printable(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        _draw(columns, cells)
    else:
        print("\n".join("\t".join(line) for line in [list(columns), *cells]))


def printable(value: object) -> str:
    """The value on one line. Control characters, which could steer a terminal, are shown as escapes."""
    text = "" if value is None else str(value)
    return "".join(_escaped(c) if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") else c for c in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def _draw(columns: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column == "id")
    for row in cells:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)
