"""What a workspace, an API key and a scope are; pure."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

KEY_PREFIX = "lw_live_"
SHOWN_CHARACTERS = len(KEY_PREFIX) + 4
ALL_SCOPES = "*"


class Scope(StrEnum):
    """What a key may do. A key with all of them is stored as ``*``, so that it also gets those that come later."""

    WORKSPACE_READ = "workspace:read"
    LEADS_READ = "leads:read"
    LEADS_WRITE = "leads:write"
    CAMPAIGNS_READ = "campaigns:read"
    CAMPAIGNS_WRITE = "campaigns:write"
    SENDERS_READ = "senders:read"
    SENDERS_WRITE = "senders:write"
    INBOX_READ = "inbox:read"
    INBOX_SEND = "inbox:send"
    WEBHOOKS_MANAGE = "webhooks:manage"
    EVENTS_READ = "events:read"
    SUPPRESSION_MANAGE = "suppression:manage"
    PRIVACY_MANAGE = "privacy:manage"
    KEYS_MANAGE = "keys:manage"
    AUDIT_READ = "audit:read"


@dataclass(frozen=True, slots=True)
class Workspace:
    id: str
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it may be shown: ``shown`` is its first characters, the rest is known to its holder alone."""

    id: str
    workspace_id: str
    name: str
    shown: str
    scopes: Sequence[str]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Principal:
    """Who makes a request: a key, the workspace it acts for, and what it may do there."""

    key_id: str
    key_name: str
    workspace_id: str
    scopes: tuple[str, ...]
    expires_at: datetime | None

    def may(self, scope: str) -> bool:
        return ALL_SCOPES in self.scopes or scope in self.scopes

    def expired(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One change and who made it. ``action`` is a route's operation id or a command's name; no key: the command line.

    ``path`` is that of the request with its query, which names things by their ids.
    """

    id: str
    at: datetime
    action: str
    path: str
    status: int
    key_id: str | None
    key_name: str
    address: str | None
    request_id: str | None


def key_digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()


def stored_scopes(scopes: Iterable[str]) -> list[str]:
    """The scopes as they are stored. Raises ValueError naming the one that does not exist."""
    wanted = list(dict.fromkeys(scopes))
    if not wanted or ALL_SCOPES in wanted:
        return [ALL_SCOPES]
    unknown = [scope for scope in wanted if scope not in set(Scope)]
    if unknown:
        raise ValueError(f"scope '{unknown[0]}' does not exist; expected one of: {', '.join(Scope)}")
    return [ALL_SCOPES] if set(wanted) == set(Scope) else sorted(wanted)
