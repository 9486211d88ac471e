"""The JSON of the do-not-contact list."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_camel

from leadwright.clock import iso
from leadwright.http.paging import Paged, paged, pagination
from leadwright.ids import Prefix, public
from leadwright.pages import Page
from leadwright.suppression.model import Rejection, Suppression, SuppressionKind
from leadwright.suppression.service import Added, Listing

MOST_ENTRIES = 1000
LONGEST_REASON = 1000

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
