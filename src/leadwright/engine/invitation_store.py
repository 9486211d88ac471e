"""The SQL of open invitations, of which a sender has one for each person."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from leadwright.identity import Identity, IdentityKind
from leadwright.postgres.pool import Connection

# The first half of the advisory locks' number, the sender is the other. A collision only costs waiting.
_INVITING = 711_392


async def hold(connection: Connection, sender_ids: Iterable[str]) -> None:
    """One transaction at a time decides about these senders' invitations, until it ends. Before leads are locked."""
    await connection.execute(
        """
        SELECT pg_advisory_xact_lock(%s, number)
        FROM (SELECT DISTINCT hashtext(id) AS number FROM unnest(%s::text[]) AS id ORDER BY number) AS numbered
        """,
        (_INVITING, list(sender_ids)),
    )


class Invitation(NamedTuple):
    """One that is planned, under way, or of which nobody knows whether it went out; ``lead_id`` None: a one-off."""

    id: str
    lead_id: str | None


async def opened(
    connection: Connection, workspace_id: str, pairs: Iterable[tuple[str, Identity]]
) -> Mapping[tuple[str, Identity], Sequence[Invitation]]:
    """By sender and person; read while ``hold`` holds the senders nothing can be added."""
    rows = [{"sender": sender_id, "kind": person.kind.value, "key": person.key} for sender_id, person in pairs]
    cursor = await connection.execute(
        """
        SELECT a.sender_id, a.identity_kind, a.identity_key, a.id, a.lead_id
        FROM jsonb_to_recordset(%s::jsonb) AS r(sender uuid, kind identity_kind, key text)
        JOIN action a ON a.workspace_id = %s AND a.identity_kind = r.kind AND a.identity_key = r.key
            AND a.sender_id = r.sender
        WHERE a.kind = 'connect' AND a.state IN ('planned', 'performing', 'uncertain')
        """,
        (msgspec.json.encode(rows).decode(), workspace_id),
    )
    found: dict[tuple[str, Identity], list[Invitation]] = {}
    for sender_id, kind, key, *invitation in await cursor.fetchall():
        found.setdefault((sender_id, Identity(IdentityKind(kind), key)), []).append(Invitation(*invitation))
    return found
