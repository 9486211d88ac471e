"""Calls about the key that asks, its workspace and that workspace's keys."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import UNSET

from leadwright.client.answers import account as answers
from leadwright.client.answers.base import Done
from leadwright.client.request import Request, Walk, by_cursor, request


def me() -> Request[answers.Me]:
    """The key that asks, and its workspace."""
    return request("GET", "/v1/me", answers.Me)


def credit() -> Request[answers.Credits]:
    """The allowance that the server tells; nothing uses it up."""
    return request("GET", "/v1/credits", answers.Credits)


def workspace() -> Request[answers.Workspace]:
    return request("GET", "/v1/workspace", answers.Workspace)


def rename_workspace(name: str) -> Request[answers.Workspace]:
    return request("PATCH", "/v1/workspace", answers.Workspace, body={"name": name})


def create_key(name: str, *, scopes: Sequence[str] = (), expires_at: datetime | None = None) -> Request[answers.NewKey]:
    """A key that may do no more than the one that asks; no scopes: as much. Its ``secret`` is shown this once."""
    until = UNSET if expires_at is None else expires_at.isoformat()
    return request("POST", "/v1/keys", answers.NewKey, body={"name": name, "scopes": list(scopes), "expiresAt": until})


def keys() -> Request[answers.Keys]:
    return request("GET", "/v1/keys", answers.Keys)


def revoke_key(key_id: str) -> Request[Done]:
    """At once, in every process."""
    return request("DELETE", "/v1/keys/{key_id}", Done, key_id)


def audit_page(
    *, key_id: str | None = None, action: str | None = None, limit: int = 50, cursor: str | None = None
) -> Request[answers.AuditLog]:
    """One page of what was changed and by whom, oldest first."""
    query = {"keyId": key_id, "action": action, "limit": limit, "cursor": cursor}
    return request("GET", "/v1/audit", answers.AuditLog, query=query)


def audit(*, key_id: str | None = None, action: str | None = None) -> Walk[answers.AuditEntry]:
    """All that was changed and by whom, oldest first."""
    return by_cursor(audit_page(key_id=key_id, action=action, limit=100), lambda found: found.entries)
