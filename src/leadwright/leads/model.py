"""What a lead is, which rows of a request become one, and why the others do not; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, cast

import msgspec

from leadwright.identity import Identity, linkedin_identity
from leadwright.identity.model import MAX_URL_CHARACTERS

MOST_LEADS_A_REQUEST = 100
MOST_CUSTOM_FIELDS = 100
LONGEST_FIELD_NAME = 100
LONGEST_STANDARD_VALUE = 1_000
MOST_TAGS = 50
LONGEST_TAG = 100
LONGEST_NOTE = 8_000
LONGEST_CUSTOM_VALUE = 10_000
MOST_CONTACT_DAYS = 3_650
_STANDARD = ("firstName", "lastName", "company", "title", "email")
_LEAST_INTEGER, _MOST_INTEGER = -(2**63), 2**64 - 1


class LeadStatus(StrEnum):
    """The words that the status filter accepts: what happened last to a lead, never what it waits for."""

    PENDING = "PENDING"
    PROCESSING = "PROCESSING"
    MESSAGE_SENT = "MESSAGE_SENT"
    CONNECTION_SENT = "CONNECTION_SENT"
    CONNECTION_ACCEPTED = "CONNECTION_ACCEPTED"
    CONNECTION_ALREADY_SENT = "CONNECTION_ALREADY_SENT"
    REPLY_RECEIVED = "REPLY_RECEIVED"
    FOLLOWUP_SENT = "FOLLOWUP_SENT"
    BLOCKED = "BLOCKED"
    PROFILE_UNREACHABLE = "PROFILE_UNREACHABLE"
    RATE_LIMITED = "RATE_LIMITED"
    FAILED = "FAILED"
    SUCCESS = "SUCCESS"
    UNSUBSCRIBED = "UNSUBSCRIBED"
    IRRELEVANT = "IRRELEVANT"
    SKIPPED = "SKIPPED"
    DONE = "DONE"
    MEETING_BOOKED = "MEETING_BOOKED"
    OPPORTUNITY = "OPPORTUNITY"
    LIKED_POST = "LIKED_POST"
    MESSAGE_SCHEDULED = "MESSAGE_SCHEDULED"
    CONNECTION_SCHEDULED = "CONNECTION_SCHEDULED"
    LIKE_POST_SCHEDULED = "LIKE_POST_SCHEDULED"
    VIEW_PROFILE_SCHEDULED = "VIEW_PROFILE_SCHEDULED"
    CONNECTED = "CONNECTED"
    CONNECTION_WITHDRAWN = "CONNECTION_WITHDRAWN"
    WITHDRAWAL_SCHEDULED = "WITHDRAWAL_SCHEDULED"
    WITHDRAWAL_NOT_POSSIBLE = "WITHDRAWAL_NOT_POSSIBLE"
    NOT_CONNECTED = "NOT_CONNECTED"
    ICP_MATCH = "ICP_MATCH"
    ICP_NOT_MATCH = "ICP_NOT_MATCH"
    PROFILE_VIEWED = "PROFILE_VIEWED"
    STARTED = "STARTED"
    STOPPED = "STOPPED"
    WAITING = "WAITING"
    NOT_INTERESTED = "NOT_INTERESTED"


OUTCOME_STATUSES = (
    LeadStatus.OPPORTUNITY,
    LeadStatus.MEETING_BOOKED,
    LeadStatus.NOT_INTERESTED,
    LeadStatus.DONE,
    LeadStatus.UNSUBSCRIBED,
    LeadStatus.IRRELEVANT,
)
"""Those that people set; the sequence sets the others."""


class CustomLeadStatus(StrEnum):
    """The second axis, for people alone."""

    LEAD = "LEAD"
    INTERESTED = "INTERESTED"
    MEETING_BOOKED = "MEETING_BOOKED"
    MEETING_COMPLETE_NOT_CLOSED = "MEETING_COMPLETE_NOT_CLOSED"
    CLOSED = "CLOSED"
    WRONG_PERSON = "WRONG_PERSON"
    NOT_INTERESTED = "NOT_INTERESTED"
    NO_RESPONSE = "NO_RESPONSE"


class OnDuplicate(StrEnum):
    """What a row does when its person is in the campaign already."""

    SKIP = "skip"
    FILL = "fill"
    OVERWRITE = "overwrite"


class Outcome(StrEnum):
    """What became of one row of a request."""

    ADDED = "added"
    UPDATED = "updated"
    DUPLICATE = "duplicate"
    DUPLICATE_IN_REQUEST = "duplicate_in_request"
    SUPPRESSED = "suppressed"
    INVALID = "invalid"


class Courtesy(StrEnum):
    """Why a person is left alone whom a request wants only if nothing speaks against it."""

    CONTACTED_RECENTLY = "contacted_recently"
    IN_ACTIVE_CAMPAIGN = "in_active_campaign"
    SAME_COMPANY_REPLIED = "same_company_replied"


@dataclass(frozen=True, slots=True)
class SkipIf:
    """What speaks against adding a person who is not in the campaign yet; nothing unless it is asked for."""

    contacted_within_days: int | None = None
    in_active_campaign: bool = False
    same_company_replied: bool = False


class AddLeads(msgspec.Struct):
    """The envelope of an add-leads request; its rows are still to be judged one by one."""

    campaign_id: str
    rows: list[Any]
    on_duplicate: OnDuplicate
    skip_if: SkipIf | None = None


class NewLead(msgspec.Struct, omit_defaults=True, gc=False):
    """A row that can become a lead. The short names are those of the ingest statement's JSON parameter."""

    id: str
    index: int = msgspec.field(name="i")
    kind: str = msgspec.field(name="k")
    key: str = msgspec.field(name="p")
    linkedin_url: str = msgspec.field(name="u")
    first_name: str | None = msgspec.field(name="f", default=None)
    last_name: str | None = msgspec.field(name="l", default=None)
    company: str | None = msgspec.field(name="o", default=None)
    title: str | None = msgspec.field(name="t", default=None)
    email: str | None = msgspec.field(name="e", default=None)
    custom: dict[str, Any] = msgspec.field(name="x", default_factory=dict[str, Any])
    suppressible: list[list[str]] = msgspec.field(name="m", default_factory=list[list[str]])
    erased_as: list[str] = msgspec.field(name="h", default_factory=list[str])
    courtesy: str | None = msgspec.field(name="c", default=None)


@dataclass(frozen=True, slots=True)
class Rejection:
    """A row that cannot become a lead: a stable code for programs, a sentence for people."""

    index: int
    linkedin_url: str | None
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Undecodable:
    """Stands in a request for a row whose JSON cannot be read; the others can."""

    reason: str


class _Unfit(Exception):
    """Leaves the judging of a row from any depth."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(code)
        self.code = code
        self.reason = reason


def parse_row(index: int, row: Any, lead_id: str, *, check_nul: bool = False) -> NewLead | Rejection:
    """Judges one row of an add-leads request; takes the row apart while doing so.

    ``check_nul`` looks for NUL characters, which only a body with an escaped one can hold. The hot path: 3 µs a row
    with five custom fields, so what is usual is decided here and explained in functions of its own when it is not.
    """
    if type(row) is not dict:
        return _not_an_object(index, row)
    fields: dict[str, Any] = row  # type: ignore[reportUnknownVariableType] # JSON has no other keys
    url = fields.pop("linkedinUrl", "")
    identity = linkedin_identity(url)
    if not isinstance(identity, Identity):
        return Rejection(index, _shown(url), identity.code, identity.reason)
    try:
        if "customFields" in fields:
            _merge_nested(fields)
        pop = fields.pop
        standard: Sequence[Any] = (
            pop("firstName", None), pop("lastName", None), pop("company", None), pop("title", None), pop("email", None)
        )  # fmt: skip
        for value in standard:
            if value is not None and (type(value) is not str or len(value) > LONGEST_STANDARD_VALUE):
                standard = [_as_text(name, text) for name, text in zip(_STANDARD, standard, strict=True)]
                break
        _check_custom(fields)
        lead = NewLead(lead_id, index, identity.kind, identity.key, url, *standard, custom=fields)
        if check_nul:
            _refuse_nul(lead)
    except _Unfit as unfit:
        return Rejection(index, _shown(url), unfit.code, unfit.reason)
    return lead


def _not_an_object(index: int, row: Any) -> Rejection:
    if isinstance(row, Undecodable):
        return Rejection(index, None, "invalid_json", row.reason)
    return Rejection(index, None, "not_an_object", f"leads[{index}] must be an object with a linkedinUrl")


def _shown(url: Any) -> str | None:
    """An address as an answer repeats it."""
    return url[:MAX_URL_CHARACTERS].replace("\0", "") if isinstance(url, str) else None


def _merge_nested(fields: dict[str, Any]) -> None:
    """Older clients nest their extras; a flat key wins over a nested one."""
    nested = fields.pop("customFields")
    if nested is None:
        return
    if not isinstance(nested, dict):
        raise _Unfit("invalid_field", "customFields must be an object")
    for name, value in cast(dict[str, Any], nested).items():
        fields.setdefault(name, value)


def _as_text(name: str, value: Any) -> str | None:
    """A standard field as it is stored: a number becomes its text."""
    if value is None or (type(value) is str and len(value) <= LONGEST_STANDARD_VALUE):
        return value
    if type(value) in (int, float):
        _check_number(name, value)
        return msgspec.json.encode(value).decode()
    if type(value) is not str:
        raise _Unfit("invalid_field", f"{name} must be a string or null")
    raise _Unfit("too_long", f"{name} is longer than {LONGEST_STANDARD_VALUE} characters")


def _check_custom(fields: dict[str, Any]) -> None:
    if len(fields) > MOST_CUSTOM_FIELDS:
        raise _Unfit("too_many_fields", f"a lead has at most {MOST_CUSTOM_FIELDS} custom fields")
    for name, value in fields.items():
        if type(value) is str:
            if len(value) > LONGEST_CUSTOM_VALUE:
                raise _Unfit("too_long", f"{name} is longer than {LONGEST_CUSTOM_VALUE} characters")
        elif value is not None:
            _check_number(name, value)
        if len(name) > LONGEST_FIELD_NAME:
            raise _Unfit("too_long", f"a field name is longer than {LONGEST_FIELD_NAME} characters")


def _check_number(name: str, value: Any) -> None:
    """Passes numbers and booleans."""
    if type(value) is int:
        if not _LEAST_INTEGER <= value <= _MOST_INTEGER:
            raise _Unfit("invalid_field", f"{name} is a number beyond 64 bits; send it as a string")
    elif type(value) not in (float, bool):
        raise _Unfit("invalid_field", f"{name} must be a string, a number, a boolean or null")


def as_sent(custom: Mapping[str, Any]) -> dict[str, Any]:
    """Custom fields as a caller sent them, from what the database made of them.

    It keeps ``1e300`` as 301 digits. Whole numbers beyond 64 bits are refused, so what looks like one was a float.
    """
    return {
        name: float(value) if type(value) is int and not _LEAST_INTEGER <= value <= _MOST_INTEGER else value
        for name, value in custom.items()
    }


def _refuse_nul(lead: NewLead) -> None:
    standard = (lead.linkedin_url, lead.first_name, lead.last_name, lead.company, lead.title, lead.email)
    if any(isinstance(text, str) and "\0" in text for text in (*standard, *lead.custom, *lead.custom.values())):
        raise _Unfit("bad_character", "a field holds the NUL character, which cannot be stored")


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one row, as the full report tells it."""

    index: int
    outcome: Outcome
    lead_id: str | None = None
    identity_key: str | None = None
    code: str | None = None
    reason: str | None = None
    existing_lead_id: str | None = None
    linkedin_url: str | None = None


@dataclass(frozen=True, slots=True)
class Lead:
    """A person in a campaign. ``profile`` is what channels learned (followerCount, …), ``custom`` what callers sent."""

    id: str
    campaign_id: str
    linkedin_url: str
    identity_kind: str
    identity_key: str
    first_name: str | None
    last_name: str | None
    company: str | None
    title: str | None
    email: str | None
    status: str
    custom_status: str | None
    sender_id: str | None
    created_at: datetime
    updated_at: datetime
    import_id: str | None = None
    custom: dict[str, Any] = field(default_factory=dict[str, Any])
    profile: dict[str, Any] | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Filter:
    """Which leads a list shows; None is no restriction."""

    campaign_id: str | None
    status: str | None
