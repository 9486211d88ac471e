"""The SQL of persons: which keys are one person, and the lock under which that may change."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from leadwright.accounts.store import STANDS
from leadwright.identity import Identity, IdentityKind
from leadwright.postgres.pool import Connection
from leadwright.postgres.together import INTEGER, TEXT, Asked, numbered

# The first half of the advisory locks' number, the workspace is the other. A collision only costs waiting.
_LOCK = 711_390


@dataclass(frozen=True, slots=True)
class Person:
    """A person by the canonical key, with the other keys they are known by."""

    canonical: Identity
    aliases: Sequence[Identity]
    suppressed: bool


@dataclass(frozen=True, slots=True)
class Held:
    """Whether the workspace has aliases, and a do-not-contact list: most have neither, and adding is then cheaper."""

    aliases: bool
    suppressions: bool


async def hold(connection: Connection, workspace_id: str) -> None:
    """Keeps the workspace's aliases as they are until the transaction ends; many may hold at once.

    For whoever stores a canonical key, before the statement that resolves it: else an alias learned meanwhile
    would re-key every row but this one. Take it before any row lock.
    """
    await connection.execute("SELECT pg_advisory_xact_lock_shared(%s, hashtext(%s))", (_LOCK, workspace_id))


_HOLD = numbered(
    b"hold_aliases",
    "SELECT pg_advisory_xact_lock_shared(%(lock)s, hashtext(%(workspace)s))",
    {"lock": INTEGER, "workspace": TEXT},
)


def holding(workspace_id: str) -> Asked:
    """``hold`` as the first of several statements in one message."""
    return Asked(_HOLD, (b"%d" % _LOCK, workspace_id.encode()))


async def begin_holding(connection: Connection, workspace_id: str, key_id: str) -> tuple[bool, Held]:
    """Begins a transaction with ``hold``, and tells whether the API key still stands: one round trip for three.

    What it answers was true when it was asked: an alias or an entry committed while this waited may be missing.
    """
    named = {b"lock": b"%d" % _LOCK, b"workspace": workspace_id.encode(), b"stands": STANDS % key_id.encode()}
    cursor = await connection.execute(_BEGIN_HOLDING % named)
    cursor.nextset()
    row = await cursor.fetchone()
    assert row is not None
    return row[1], Held(row[2], row[3])


# Without parameters, so that it can follow BEGIN in one message; the ids are hexadecimal, from our own tables.
_BEGIN_HOLDING = b"""
    BEGIN;
    SELECT pg_advisory_xact_lock_shared(%(lock)b, hashtext('%(workspace)b')), %(stands)b,
           EXISTS (SELECT FROM alias WHERE workspace_id = '%(workspace)b'),
           EXISTS (SELECT FROM suppression WHERE workspace_id = '%(workspace)b')
"""


async def hold_alone(connection: Connection, workspace_id: str) -> None:
    """Waits until nobody holds the workspace's aliases, and keeps others out until the transaction ends."""
    await connection.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (_LOCK, workspace_id))


async def canonical(
    connection: Connection, workspace_id: str, identities: Iterable[Identity]
) -> Mapping[Identity, Identity]:
    """The canonical key of each given one: itself, unless it is known to be an alias."""
    wanted = list(dict.fromkeys(identities))
    cursor = await connection.execute(
        """
        SELECT a.kind, a.key, a.person_kind, a.person_key
        FROM jsonb_to_recordset(%s::jsonb) AS r(kind identity_kind, key text)
        JOIN alias a ON a.workspace_id = %s AND a.kind = r.kind AND a.key = r.key
        """,
        (_as_json(wanted), workspace_id),
    )
    known = {_identity(row[0], row[1]): _identity(row[2], row[3]) for row in await cursor.fetchall()}
    return {identity: known.get(identity, identity) for identity in wanted}


async def persons(
    connection: Connection, workspace_id: str, identities: Iterable[Identity]
) -> Mapping[Identity, Person]:
    """Each given key's person; the do-not-contact list is read here and written by its own room."""
    wanted = list(dict.fromkeys(identities))
    cursor = await connection.execute(
        """
        WITH person AS (
            SELECT r.kind, r.key, coalesce(a.person_kind, r.kind) AS person_kind,
                   coalesce(a.person_key, r.key) AS person_key
            FROM jsonb_to_recordset(%(keys)s::jsonb) AS r(kind identity_kind, key text)
            LEFT JOIN alias a ON a.workspace_id = %(workspace)s AND a.kind = r.kind AND a.key = r.key
        )
        SELECT p.kind, p.key, p.person_kind, p.person_key,
               (SELECT json_agg(json_build_array(o.kind, o.key) ORDER BY o.kind, o.key) FROM alias o
                WHERE o.workspace_id = %(workspace)s AND o.person_kind = p.person_kind
                  AND o.person_key = p.person_key),
               EXISTS (SELECT FROM suppression s WHERE s.workspace_id = %(workspace)s AND s.kind = 'person'
                       AND s.value = p.person_kind::text || ':' || p.person_key)
        FROM person p
        """,
        {"keys": _as_json(wanted), "workspace": workspace_id},
    )
    return {_identity(row[0], row[1]): _person(row[2:]) for row in await cursor.fetchall()}


async def has_aliases(connection: Connection, workspace_id: str, canonical_key: Identity) -> bool:
    cursor = await connection.execute(
        "SELECT 1 FROM alias WHERE workspace_id = %s AND person_kind = %s AND person_key = %s LIMIT 1",
        (workspace_id, canonical_key.kind.value, canonical_key.key),
    )
    return await cursor.fetchone() is not None


async def join(connection: Connection, workspace_id: str, old: Identity, new: Identity, now: datetime) -> None:
    """Makes one canonical key an alias of another, and points what pointed at it straight at the other.

    Only under ``hold_alone``, and only with keys that ``canonical`` named after it: so no chain can arise.
    """
    names = {"old_kind": old.kind.value, "old_key": old.key, "new_kind": new.kind.value, "new_key": new.key}
    await connection.execute(
        """
        WITH repointed AS (
            UPDATE alias SET person_kind = %(new_kind)s, person_key = %(new_key)s
            WHERE workspace_id = %(workspace)s AND person_kind = %(old_kind)s AND person_key = %(old_key)s
        )
        INSERT INTO alias (workspace_id, kind, key, person_kind, person_key, learned_at)
        VALUES (%(workspace)s, %(old_kind)s, %(old_key)s, %(new_kind)s, %(new_key)s, %(now)s)
        """,
        {"workspace": workspace_id, "now": now, **names},
    )


def _as_json(identities: Sequence[Identity]) -> str:
    return msgspec.json.encode([{"kind": kind, "key": key} for kind, key in identities]).decode()


def _identity(kind: str, key: str) -> Identity:
    return Identity(IdentityKind(kind), key)


def _person(row: Sequence[Any]) -> Person:
    kind, key, aliases, suppressed = row
    return Person(_identity(kind, key), [_identity(*alias) for alias in aliases or ()], suppressed)
