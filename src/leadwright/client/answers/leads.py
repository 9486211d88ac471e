"""Answers about leads, imports and who is the same person."""

from datetime import datetime

from msgspec import field

from leadwright.client.answers.base import JSON, Answer, Page, Scalar


class RowError(Answer):
    """A row that was refused."""

    index: int
    linkedin_url: str | None
    reason: str
    code: str


class RowResult(Answer):
    """What became of one row; ``outcome`` is added, updated, duplicate, duplicate_in_request, suppressed or invalid."""

    index: int
    outcome: str
    lead_id: str | None
    identity_key: str | None
    code: str | None
    reason: str | None
    existing_lead_id: str | None


class TemplateWarning(Answer):
    """A field that a step needs and rows lack."""

    step_id: str
    field: str
    rows: list[int]


class Added(Answer):
    """What became of the rows of a request; the four counts are as many as were sent."""

    success: bool
    leads_added: int
    duplicates_skipped: int
    invalid_entries: int
    leads_updated: int = 0
    errors: list[RowError] = field(default_factory=list[RowError])
    import_id: str | None = None
    will_process: bool | None = None
    will_process_reason: str | None = None
    results: list[RowResult] = field(default_factory=list[RowResult])
    dry_run: bool = False
    template_warnings: list[TemplateWarning] = field(default_factory=list[TemplateWarning])


class Lead(Answer):
    """A person in a campaign. What ``full`` adds is None without it, and ``data`` and ``tags`` empty."""

    id: str
    linkedin_url: str
    status: str
    first_name: str | None
    last_name: str | None
    title: str | None
    company: str | None
    email: str | None
    custom_lead_status: str | None
    sender_id: str | None
    campaign_id: str
    created_at: datetime
    updated_at: datetime
    about: str | None = None
    location: str | None = None
    industry: str | None = None
    website: str | None = None
    profile_picture_url: str | None = None
    follower_count: int | None = None
    connection_count: int | None = None
    is_premium: bool | None = None
    is_open_profile: bool | None = None
    tags: list[str] = field(default_factory=list[str])
    data: dict[str, Scalar] = field(default_factory=dict[str, Scalar])


class Leads(Page, kw_only=True):
    leads: list[Lead]


class LeadRemoved(Answer):
    """``purged`` tells whether the row is gone; otherwise the lead stays as STOPPED."""

    success: bool
    lead_id: str
    purged: bool


class StatusChanged(Answer):
    success: bool
    lead_id: str
    status: str
    message: str


class Tagged(Answer):
    success: bool
    lead_id: str
    tags: list[str]


class HistoryEntry(Answer):
    at: datetime
    type: str
    step_id: str | None
    detail: JSON


class History(Answer):
    lead_id: str
    entries: list[HistoryEntry]
    next_cursor: str | None


class Import(Answer):
    """The record of an add call."""

    id: str
    campaign_id: str
    api_key_id: str
    received: int
    leads_added: int
    leads_updated: int
    duplicates_skipped: int
    invalid_entries: int
    created_at: datetime


class Imports(Page, kw_only=True):
    imports: list[Import]


class RowOutcome(Answer):
    """A row of an import that was not added. Of an invalid one it is not kept who it was about."""

    index: int
    outcome: str
    code: str | None
    identity_key: str | None
    existing_lead_id: str | None


class ImportDetail(Import):
    outcomes: list[RowOutcome]


class Joined(Answer):
    """``learned`` is false when it was known before; both addresses are now known by ``identity_key``."""

    success: bool
    learned: bool
    identity_key: str


class Person(Answer):
    """What the server makes of one address. Equal ``canonical`` means the same person; ``code`` says why it is none."""

    linkedin_url: str
    valid: bool
    kind: str | None = None
    key: str | None = None
    identity_key: str | None = None
    canonical: str | None = None
    aliases: list[str] = field(default_factory=list[str])
    suppressed: bool = False
    code: str | None = None
    reason: str | None = None


class Persons(Answer):
    """One result for each address, in order. ``version`` is that of the identity rules."""

    version: int
    results: list[Person]
