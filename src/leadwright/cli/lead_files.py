"""Files of leads: CSV with a line of names, or one JSON object a line. What cannot be read is told by its line."""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TextIO, cast

FORMATS = ("csv", "jsonl")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a file: the lead that it holds, or why it holds none."""

    line: int
    lead: Mapping[str, Any] | None
    reason: str = ""


def format_of(file: Path) -> str | None:
    """By the name of the file; None when that does not tell."""
    return {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}.get(file.suffix.lower())


def read(text: TextIO, form: str, names: Mapping[str, str]) -> Iterator[Row]:
    """The rows of an open file; ``names`` says which column becomes which field, others keep their name.

    Raises ValueError when no column is the linkedinUrl.
    """
    return _csv(text, names) if form == "csv" else _json_lines(text, names)


def _csv(text: TextIO, names: Mapping[str, str]) -> Iterator[Row]:
    """Empty cells are left out, so that a template's fallback takes their place."""
    rows = csv.reader(text)
    header = [names.get(column.strip(), column.strip()) for column in next(rows, list[str]())]
    if "linkedinUrl" not in header:
        shown = ", ".join(header[:20]) or "none"
        raise ValueError(
            f"no column is linkedinUrl (there are: {shown}); name it with --column 'Profile URL=linkedinUrl'"
        )
    try:
        for cells in rows:
            if cells:
                yield _csv_row(rows.line_num, header, cells)
    except csv.Error as error:
        yield Row(rows.line_num, None, f"the line is not CSV: {error}; nothing behind it was read")


def _csv_row(line: int, header: list[str], cells: list[str]) -> Row:
    if len(cells) > len(header):
        return Row(line, None, f"the line has {len(cells)} cells, but there are {len(header)} columns")
    return Row(line, {name: cell for name, cell in zip(header, cells, strict=False) if name and cell})


def _json_lines(text: TextIO, names: Mapping[str, str]) -> Iterator[Row]:
    for line, content in enumerate(text, 1):
        if not content.strip():
            continue
        try:
            value = json.loads(content)
        except (ValueError, RecursionError) as error:
            yield Row(line, None, f"the line is not JSON: {error}")
            continue
        if isinstance(value, dict):
            fields = cast(dict[str, Any], value)
            yield Row(line, {names.get(name, name): given for name, given in fields.items()})
        else:
            yield Row(line, None, "the line is not an object")


def batches(rows: Iterator[Row], size: int) -> Iterator[list[Row]]:
    """The rows by so many at a time."""
    for first in rows:
        yield [first, *islice(rows, size - 1)]
