"""Answers about keys, the workspace, its do-not-contact list and its events."""

from datetime import datetime

from leadwright.client.answers.base import JSON, Answer, Page


class OwnKey(Answer):
    """The key that asks; ``rate_limit`` is in requests a second."""

    id: str
    name: str
    scopes: list[str]
    expires_at: datetime | None
    rate_limit: int


class WorkspaceName(Answer):
    id: str
    name: str


class Subscription(Answer):
    status: str


class Me(Answer):
    """The key that asks, and its workspace."""

    api_key: OwnKey
    workspace: WorkspaceName
    subscription: Subscription
    missing_scopes: list[str]


class Credits(Answer):
    """An allowance without a price."""

    available: int
    subscription: int
    purchased: int
    used: int
    next_reset_date: datetime


class Workspace(WorkspaceName):
    created_at: datetime


class Key(Answer):
    """A key of the workspace; ``shown`` is its first characters."""

    id: str
    name: str
    shown: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


class Keys(Answer):
    keys: list[Key]
    total: int


class NewKey(Key):
    """``secret`` is the key itself, shown this once; None in a repeated answer."""

    secret: str | None


class AuditEntry(Answer):
    """One change and who made it."""

    id: str
    at: datetime
    action: str
    path: str
    status: int
    key_id: str | None
    key_name: str
    address: str | None
    request_id: str | None


class AuditLog(Answer):
    entries: list[AuditEntry]
    next_cursor: str | None


class EntryError(Answer):
    """An entry that was refused."""

    index: int
    reason: str
    code: str


class SuppressionsAdded(Answer):
    """The three counts are as many as there were entries."""

    added: int
    already_present: int
    invalid: int
    errors: list[EntryError]


class ImportedRow(Answer):
    """What became of a row of a file: added, already_present or invalid."""

    line: int
    outcome: str
    code: str | None = None
    reason: str | None = None


class SuppressionsImported(Answer):
    """The three counts are as many as the file has rows, of which ``rows`` may list a part."""

    added: int
    already_present: int
    invalid: int
    rows: list[ImportedRow]
    rows_left_out: int


class Suppression(Answer, kw_only=True):
    """An entry of the do-not-contact list; of its four keys the one that was sent is set."""

    id: str
    kind: str
    linkedin_url: str | None = None
    email: str | None = None
    email_domain: str | None = None
    company: str | None = None
    value: str
    reason: str | None
    created_at: datetime


class Suppressions(Page, kw_only=True):
    suppressions: list[Suppression]


class Event(Answer, kw_only=True):
    """One fact of the feed; its ``cursor`` goes on behind it."""

    event_id: str
    event_type: str
    timestamp: datetime
    workspace_id: str
    data: JSON
    simulated: bool = False
    cursor: str


class Feed(Answer):
    events: list[Event]
    next_cursor: str
    has_more: bool
