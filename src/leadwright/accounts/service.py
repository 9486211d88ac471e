"""Making, revoking and recognising API keys; making workspaces."""

import re
import secrets
import string
from collections.abc import Iterable, Sequence
from datetime import datetime

from leadwright import ids
from leadwright.accounts import audit_store, store
from leadwright.accounts.model import (
    KEY_PREFIX,
    SHOWN_CHARACTERS,
    ApiKey,
    AuditEntry,
    Principal,
    Workspace,
    key_digest,
    stored_scopes,
)
from leadwright.errors import Detail, InvalidRequest, NotFound
from leadwright.postgres.pool import Connection

NAME_LIMIT = 200
_ALPHABET = string.ascii_letters + string.digits
_NOT_STORABLE = re.compile("[\0\ud800-\udfff]")
"""NUL, and the surrogates that stand for bytes of a command line that are not UTF-8."""


def new_key() -> str:
    """A key of 36 random letters and digits (214 bits), so that a plain hash of it is safe to store."""
    return KEY_PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(36))


async def create_workspace(connection: Connection, name: str, now: datetime) -> Workspace:
    workspace = Workspace(ids.new_id(), _name(name), now)
    await store.insert_workspace(connection, workspace.id, workspace.name, now)
    await audit_command(connection, workspace.id, "workspaces create", workspace.name, now)
    return workspace


async def default_workspace(connection: Connection) -> Workspace:
    """The one that the first migration made: the oldest."""
    return (await store.workspaces(connection))[0]


async def create_key(
    connection: Connection,
    *,
    name: str,
    scopes: Iterable[str],
    workspace_id: str | None,
    expires_at: datetime | None,
    now: datetime,
) -> tuple[ApiKey, str]:
    """The stored key and its secret text, which exists nowhere else and cannot be shown again.

    Raises InvalidRequest for an unknown scope or a past expiry, NotFound for an unknown workspace.
    """
    if expires_at is not None and expires_at <= now:
        raise InvalidRequest("expires: expected a time in the future")
    try:
        granted = stored_scopes(scopes)
    except ValueError as error:
        raise InvalidRequest(str(error)) from error
    workspace = await _workspace(connection, workspace_id)
    secret = new_key()
    key = ApiKey(
        ids.new_id(), workspace.id, _name(name), secret[:SHOWN_CHARACTERS], granted, now, expires_at, None, None
    )
    await store.insert_key(connection, key, key_digest(secret))
    return key, secret


async def replace_key(connection: Connection, *, name: str, workspace_id: str, now: datetime) -> str:
    """A fresh key under a name, while those that had the name end: for a development server's start."""
    await store.revoke_keys_named(connection, workspace_id, name, now)
    _, secret = await create_key(connection, name=name, scopes=(), workspace_id=workspace_id, expires_at=None, now=now)
    return secret


async def grant_key(
    connection: Connection,
    grantor: Principal,
    *,
    name: str,
    scopes: Sequence[str],
    expires_at: datetime | None,
    now: datetime,
) -> tuple[ApiKey, str]:
    """A key of the grantor's workspace, which may do no more and lives no longer than the grantor's own.

    Raises InvalidRequest for more than that, naming the field.
    """
    beyond = [scope for scope in scopes or grantor.scopes if not grantor.may(scope)]
    if beyond:
        raise InvalidRequest.of([Detail("scopes", f"your key lacks {beyond[0]}, so it cannot grant it")])
    if expires_at is not None and expires_at.tzinfo is None:
        raise InvalidRequest.of([Detail("expiresAt", "expected a time with its zone, such as 2030-01-01T00:00:00Z")])
    if grantor.expires_at is not None and (expires_at is None or expires_at > grantor.expires_at):
        raise InvalidRequest.of([Detail("expiresAt", "your own key expires before that")])
    return await create_key(
        connection,
        name=name,
        scopes=scopes or grantor.scopes,
        workspace_id=grantor.workspace_id,
        expires_at=expires_at,
        now=now,
    )


async def keys_of(connection: Connection, workspace_id: str) -> list[ApiKey]:
    return await store.keys_of(connection, workspace_id)


async def revoke_key_of(connection: Connection, workspace_id: str, key_id: str | None, now: datetime) -> None:
    """Like ``revoke_key``, for a key of one workspace. Raises NotFound."""
    if key_id is None or not await store.revoke_key_of(connection, workspace_id, key_id, now):
        raise NotFound("Key not found", code="key_not_found")


def known_key_id(public_id: str) -> str:
    """The bare id in a key's wire id. Raises InvalidRequest for a text that cannot be one."""
    bare = ids.bare(ids.Prefix.API_KEY, public_id)
    if bare is None:
        raise InvalidRequest.of([Detail("keyId", "expected the id of a key, such as key_0199c0ffee00…")])
    return bare


async def audit_log(
    connection: Connection, workspace_id: str, *, key_id: str | None, action: str | None, after: str | None, limit: int
) -> list[AuditEntry]:
    """What was changed and by whom, oldest first, behind the id ``after``."""
    return await audit_store.page(connection, workspace_id, key_id=key_id, action=action, after=after, limit=limit)


async def forget_audit(connection: Connection, before: datetime, limit: int) -> int:
    """Removes up to ``limit`` entries older than a time, of all workspaces: the one way that an entry goes."""
    return await audit_store.forget_before(connection, before, limit=limit)


async def audit_command(connection: Connection, workspace_id: str, command: str, detail: str, now: datetime) -> None:
    """Writes down what was changed on the command line, in its transaction."""
    entry = AuditEntry(ids.new_id(), now, command, detail, 0, None, "command line", None, None)
    await audit_store.insert(connection, workspace_id, entry)


async def workspace(connection: Connection, workspace_id: str) -> Workspace:
    return await _workspace(connection, workspace_id)


async def rename_workspace(connection: Connection, workspace_id: str, name: str) -> Workspace:
    """Raises InvalidRequest for a name that cannot be stored."""
    await store.rename_workspace(connection, workspace_id, _name(name))
    return await _workspace(connection, workspace_id)


async def revoke_key(connection: Connection, key_id: str | None, now: datetime) -> None:
    """For the command line. Takes effect with the commit, in every process: each request asks again.

    Raises NotFound.
    """
    workspace_id = await store.revoke_key(connection, key_id, now) if key_id else None
    if key_id is None or workspace_id is None:
        raise NotFound("Key not found", code="key_not_found")
    await audit_command(connection, workspace_id, "keys revoke", ids.public(ids.Prefix.API_KEY, key_id), now)


async def _workspace(connection: Connection, workspace_id: str | None) -> Workspace:
    if workspace_id is None:
        return await default_workspace(connection)
    found = await store.workspace(connection, workspace_id)
    if found is None:
        raise NotFound("Workspace not found", code="workspace_not_found")
    return found


def _name(name: str) -> str:
    trimmed = name.strip()
    if not trimmed or len(trimmed) > NAME_LIMIT or _NOT_STORABLE.search(trimmed):
        raise InvalidRequest(f"name: expected 1 to {NAME_LIMIT} characters")
    return trimmed
