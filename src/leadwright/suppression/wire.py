"""The JSON of the do-not-contact list."""

import re
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_camel
from starlette.responses import Response

from leadwright.clock import iso
from leadwright.errors import Detail, InvalidRequest
from leadwright.http.paging import Paged, paged, pagination
from leadwright.ids import Prefix, public
from leadwright.pages import Page
from leadwright.suppression.files import Form, write_file
from leadwright.suppression.model import LONGEST_REASON, Rejection, Suppression, SuppressionKind
from leadwright.suppression.service import Added, Imported, Listing, RowOutcome

MOST_ENTRIES = 1000

_CAMEL = ConfigDict(alias_generator=to_camel, validate_by_name=True)
_ID = "supp_0199c0ffee0070008000000000000001"

# Says no type: an entry of any other shape is not a fault of the request but one entry counted as invalid.
_ENTRY_SCHEMA = {
    "title": "SuppressionEntry",
    "description": "An object with exactly one of these keys; anything else is counted as invalid.",
    "properties": {
        "linkedinUrl": {"description": "A person: a LinkedIn profile address in any usual spelling."},
        "email": {"description": "One e-mail address; upper and lower case are the same."},
        "emailDomain": {"description": "Every e-mail address in a domain or below it, with or without `@`."},
        "company": {"description": "Everyone of a company; upper and lower case and white space are the same."},
    },
    "examples": [{"linkedinUrl": "https://www.linkedin.com/in/jane-smith"}, {"emailDomain": "example.com"}],
}


class AddSuppressionsBody(BaseModel):
    model_config = _CAMEL

    entries: list[Annotated[Any, WithJsonSchema(_ENTRY_SCHEMA)]] = Field(
        min_length=1,
        max_length=MOST_ENTRIES,
        examples=[[{"linkedinUrl": "https://www.linkedin.com/in/jane-smith"}, {"company": "Acme Inc"}]],
    )
    reason: str | None = Field(
        default=None,
        max_length=LONGEST_REASON,
        description="Why, for all of them.",
        examples=["asked us to stop"],
    )


class EntryError(BaseModel):
    index: int = Field(description="Which entry, from 0.")
    reason: str
    code: str = Field(description="A stable word.", examples=["invalid_email"])


class AddedBody(BaseModel):
    """The three numbers add up to the number of entries."""

    model_config = _CAMEL

    added: int
    already_present: int = Field(description="On the list before, or earlier in the same request.")
    invalid: int
    errors: list[EntryError] = Field(description="One for each invalid entry.")


class SuppressionBody(BaseModel):
    """One row of the list. Of the four keys the one that was sent has its text, the others are null."""

    model_config = _CAMEL

    id: str = Field(examples=[_ID])
    kind: SuppressionKind
    linkedin_url: str | None = Field(default=None, examples=["https://www.linkedin.com/in/Jane-Smith/"])
    email: str | None = None
    email_domain: str | None = None
    company: str | None = None
    value: str = Field(
        description="What leads are matched with; for a person the canonical identity key.",
        examples=["slug:jane-smith"],
    )
    reason: str | None
    created_at: str = Field(examples=["2026-03-01T09:30:00.000Z"])


class SuppressionsBody(Paged):
    suppressions: list[SuppressionBody]


class RemovedBody(BaseModel):
    success: bool
    id: str = Field(examples=[_ID])


class ImportedRowBody(BaseModel):
    line: int = Field(description="Where the row begins in the file, from 1.")
    outcome: RowOutcome
    code: str | None = Field(default=None, description="Only of an invalid row.", examples=["invalid_email"])
    reason: str | None = None


class ImportedBody(BaseModel):
    """The three numbers add up to the rows of the file."""

    model_config = _CAMEL

    added: int
    already_present: int
    invalid: int
    rows: list[ImportedRowBody] = Field(
        description="Of a file of more than 5,000 rows only those that are invalid, the first 5,000."
    )
    rows_left_out: int = Field(description="How many more rows there are than `rows` lists.", examples=[0])


def imported_body(done: Imported) -> ImportedBody:
    return ImportedBody(
        added=done.counts.get(RowOutcome.ADDED, 0),
        already_present=done.counts.get(RowOutcome.ALREADY_PRESENT, 0),
        invalid=done.counts.get(RowOutcome.INVALID, 0),
        rows=[ImportedRowBody(line=e.line, outcome=e.outcome, code=e.code, reason=e.reason) for e in done.told],
        rows_left_out=done.left_out,
    )


MOST_EXPORTED = 10_000
_CURSOR = re.compile(r"[0-9a-f]{32}")
_FILE_SCHEMA = {"type": "string"}
_FILE_EXAMPLES = {
    "text/csv": "email,company,reason\njane@example.com,,asked us to stop\n,Acme Inc,a customer\n",
    "application/x-ndjson": '{"email": "jane@example.com", "reason": "asked us to stop"}\n{"company": "Acme Inc"}\n',
}
IMPORT_REQUEST: dict[str, Any] = {
    "required": True,
    "content": {media: {"schema": _FILE_SCHEMA, "example": example} for media, example in _FILE_EXAMPLES.items()},
}
EXPORT_ANSWER: dict[str, Any] = {
    "description": "A part of the list.",
    "content": {media: {"schema": _FILE_SCHEMA} for media in _FILE_EXAMPLES},
    "headers": {
        "X-Next-Cursor": {"description": "Only there when there is more.", "schema": {"type": "string"}},
    },
}


def read_cursor(cursor: str) -> str | None:
    """The id to go on behind. Raises InvalidRequest for what was never given out."""
    if cursor and not _CURSOR.fullmatch(cursor):
        raise InvalidRequest.of([Detail("cursor", "expected X-Next-Cursor of an earlier answer, or nothing")])
    return cursor or None


def export_part(found: Sequence[Suppression], form: Form, limit: int, *, is_first: bool) -> Response:
    """``found`` holds one row more than the part shows, when there is one."""
    shown = found[:limit]
    rows = [_body(row).model_dump(by_alias=True, mode="json") for row in shown]
    headers = {"X-Next-Cursor": shown[-1].id} if len(found) > limit else {}
    return Response(write_file(rows, form, is_first=is_first), media_type=form.media, headers=headers)


def added_body(done: Added) -> AddedBody:
    return AddedBody(
        added=done.added,
        already_present=done.already_present,
        invalid=len(done.rejected),
        errors=[_error(rejection) for rejection in done.rejected],
    )


def _error(rejection: Rejection) -> EntryError:
    return EntryError(index=rejection.index, reason=rejection.reason, code=rejection.code)


def suppressions_body(page: Page, listing: Listing) -> SuppressionsBody:
    body = SuppressionsBody(
        suppressions=_bodies(page.shown(listing.fetched)), pagination=pagination(page, listing.total)
    )
    return paged(page, body, listing.fetched)


def _bodies(rows: Sequence[Suppression]) -> list[SuppressionBody]:
    return [_body(row) for row in rows]


def _body(row: Suppression) -> SuppressionBody:
    def shown(kind: SuppressionKind) -> str | None:
        return row.shown if row.kind is kind else None

    return SuppressionBody(
        id=public(Prefix.SUPPRESSION, row.id),
        kind=row.kind,
        linkedin_url=shown(SuppressionKind.PERSON),
        email=shown(SuppressionKind.EMAIL),
        email_domain=shown(SuppressionKind.EMAIL_DOMAIN),
        company=shown(SuppressionKind.COMPANY),
        value=row.value,
        reason=row.reason,
        created_at=iso(row.created_at),
    )
