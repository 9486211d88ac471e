"""A do-not-contact list as a file: CSV, as spreadsheets have it, or JSON lines; pure."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Any, cast

import msgspec

from leadwright.errors import InvalidRequest
from leadwright.suppression.model import FIELDS, LONGEST_REASON, Rejection

CSV, JSON_LINES = "text/csv", "application/x-ndjson"
MEDIA = (CSV, JSON_LINES)
MOST_ROWS = 100_000
"""Of one file; blank ones do not count."""
COLUMNS = (*FIELDS, "reason", "kind", "value", "createdAt", "id")
_KNOWN = {name.lower(): name for name in (*FIELDS, "reason")}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so is a formula to a spreadsheet; it is written with a quote before it, and read without."""


class Form(StrEnum):
    """The two forms of a file."""

    CSV = "csv"
    JSON_LINES = "jsonl"

    @property
    def media(self) -> str:
        return CSV if self is Form.CSV else JSON_LINES


@dataclass(frozen=True, slots=True)
class FileRow:
    """One row: what it names, to be judged like an entry of a request, or why it can be none. ``line`` from 1."""

    line: int
    entry: Mapping[str, Any]
    reason: str | None = None
    rejection: Rejection | None = None


def read_file(body: bytes, media: str) -> list[FileRow]:
    """Every row that is not blank, in order. Raises InvalidRequest for a file without rows to judge or too many."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"The file is not UTF-8, from byte {error.start} on", code="invalid_file") from error
    rows = list(islice(_csv_rows(text) if media == CSV else _json_rows(text), MOST_ROWS + 1))
    if not rows:
        raise InvalidRequest("The file has no rows", code="invalid_file")
    if len(rows) > MOST_ROWS:
        raise InvalidRequest(f"The file has more than {MOST_ROWS:,} rows: send it in parts", code="too_many_rows")
    return rows


def _csv_rows(text: str) -> Iterator[FileRow]:
    """Fields are divided by a comma or, where the first line has more of those, by a semicolon."""
    first = text.partition("\n")[0]
    divider = ";" if first.count(";") > first.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=divider, strict=True)
    try:
        names = _columns(next(reader, list[str]()))
        line = reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield _row(line, _named(names, cells))
            line = reader.line_num + 1
    except csv.Error as error:
        raise InvalidRequest(f"The file is not CSV: {error}, in line {reader.line_num}", code="invalid_file") from error


def _columns(header: Sequence[str]) -> list[str | None]:
    """Of each column the field it gives, None for one that is left aside."""
    names = [_KNOWN.get(cell.strip().lower()) for cell in header]
    known = [name for name in names if name is not None]
    if not set(known) & set(FIELDS):
        raise InvalidRequest(
            f"The file's first line must name its columns, divided by comma or semicolon: one of {', '.join(FIELDS)}",
            code="invalid_file",
        )
    twice = next((name for name in known if known.count(name) > 1), None)
    if twice is not None:
        raise InvalidRequest(f"The file's first line names the column {twice} twice", code="invalid_file")
    return names


def _named(names: Sequence[str | None], cells: Sequence[str]) -> dict[str, Any]:
    pairs = zip(names, cells, strict=False)
    return {name: _plain(cell) for name, cell in pairs if name is not None and cell.strip()}


def _plain(cell: str) -> str:
    return cell[1:] if cell[:1] == "'" and cell[1:2] in _FORMULA else cell


def _json_rows(text: str) -> Iterator[FileRow]:
    for line, row in enumerate(text.split("\n"), 1):
        if not row.strip():
            continue
        try:
            value = msgspec.json.decode(row)
        except (msgspec.DecodeError, RecursionError):
            yield FileRow(line, {}, rejection=Rejection(0, "invalid_json", "the line is not valid JSON"))
            continue
        if isinstance(value, dict):
            yield _row(line, cast(dict[str, Any], value))
        else:
            yield FileRow(line, {}, rejection=Rejection(0, "not_an_object", "the line must be an object"))


def _row(line: int, fields: dict[str, Any]) -> FileRow:
    reason = fields.pop("reason", None)
    if reason is not None and (not isinstance(reason, str) or len(reason) > LONGEST_REASON):
        wrong = Rejection(0, "invalid_reason", f"reason must be a text of at most {LONGEST_REASON} characters")
        return FileRow(line, {}, rejection=wrong)
    texts = [value for value in (reason, *fields.values()) if isinstance(value, str)]
    if any("\0" in text for text in texts):
        return FileRow(line, {}, rejection=Rejection(0, "bad_character", "the row holds the NUL character"))
    return FileRow(line, fields, reason)


def write_file(rows: Sequence[Mapping[str, Any]], form: Form, *, is_first: bool) -> str:
    """A part of a file, the first with the names of the columns; the parts make one file."""
    if form is Form.JSON_LINES:
        return "".join(f"{msgspec.json.encode(row).decode()}\n" for row in rows)
    written = io.StringIO(newline="")
    writer = csv.writer(written, lineterminator="\r\n")
    if is_first:
        writer.writerow(COLUMNS)
    writer.writerows([_cell(row.get(name)) for name in COLUMNS] for row in rows)
    return written.getvalue()


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
