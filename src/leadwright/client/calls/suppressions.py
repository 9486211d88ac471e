"""Calls about the do-not-contact list."""

from collections.abc import Mapping, Sequence
from typing import Literal

from msgspec import UNSET

from leadwright.client.answers import account as answers
from leadwright.client.answers.base import Done
from leadwright.client.request import File, Request, Walk, by_cursor, request, upload


def add(entries: Sequence[Mapping[str, str]], *, reason: str | None = None) -> Request[answers.SuppressionsAdded]:
    """Puts on the do-not-contact list: each entry has one of linkedinUrl, email, emailDomain and company."""
    body = {"entries": [dict(entry) for entry in entries], "reason": UNSET if reason is None else reason}
    return request("POST", "/v1/suppressions", answers.SuppressionsAdded, body=body)


def page(
    *, kind: str | None = None, number: int = 1, limit: int = 50, cursor: str | None = None
) -> Request[answers.Suppressions]:
    """One page of the do-not-contact list, oldest first."""
    query = {"kind": kind, "page": number, "limit": limit, "cursor": cursor}
    return request("GET", "/v1/suppressions", answers.Suppressions, query=query)


def every(*, kind: str | None = None) -> Walk[answers.Suppression]:
    """The whole do-not-contact list, oldest first."""
    return by_cursor(page(kind=kind, limit=100), lambda found: found.suppressions)


def remove(suppression_id: str) -> Request[Done]:
    return request("DELETE", "/v1/suppressions/{suppression_id}", Done, suppression_id)


def import_file(content: bytes, form: Literal["csv", "jsonl"] = "csv") -> Request[answers.SuppressionsImported]:
    """Puts a whole file on the list, and tells what became of every row."""
    kind = "text/csv" if form == "csv" else "application/x-ndjson"
    return upload("/v1/suppressions/import", answers.SuppressionsImported, content, kind)


def export_part(
    form: Literal["csv", "jsonl"] = "csv", *, kind: str | None = None, limit: int | None = None, cursor: str = ""
) -> Request[File]:
    """The list as a file, oldest first, up to 10,000 rows of it behind a cursor; put together the parts are one."""
    query = {"format": form, "kind": kind, "limit": limit, "cursor": cursor}
    return request("GET", "/v1/suppressions/export", File, query=query)
