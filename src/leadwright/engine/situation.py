"""What decides about a batch of leads beyond their own rows: relationships, suppression, conversations elsewhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from leadwright.engine import action_store, calendar, invitation_store
from leadwright.engine.model import Facts, Policy
from leadwright.engine.store import Course, Row
from leadwright.identity import Identity
from leadwright.inbox import service as inbox
from leadwright.inbox.model import Relationship
from leadwright.postgres.pool import Connection
from leadwright.senders.model import Sender
from leadwright.suppression import service as suppression
from leadwright.suppression.service import Approached


@dataclass(frozen=True, slots=True)
class Situation:
    """What was known of a batch when it was decided."""

    course: Course
    relationships: Mapping[tuple[str, Identity], Relationship]
    suppressed: frozenset[str]
    elsewhere: frozenset[Identity]
    performed: Mapping[str, frozenset[str]]
    inviting: frozenset[str]

    def own_zone(self, row: Row) -> str | None:
        """The time zone of the lead, where the campaign has hours for it to replace the zone of."""
        return None if self.course.schedule is None else calendar.own_zone(row.fields)

    def facts(self, row: Row, sender: Sender, policy: Policy, now: datetime) -> Facts:
        identity, zone = row.identity, self.own_zone(row)
        known = self.relationships.get((sender.id, identity))
        return Facts(
            fields=row.fields,
            sender=sender.fields,
            policy=policy,
            connected_at=known.connected_at if known else None,
            invited_at=known.invited_at if known else None,
            suppressed=row.lead_id in self.suppressed,
            other_conversation=identity in self.elsewhere,
            done=self.performed.get(row.lead_id, frozenset()),
            opens_at=None if zone is None else calendar.next_open(self.course.schedule, now, zone),
            inviting=row.lead_id in self.inviting,
        )


async def situation(
    connection: Connection,
    workspace_id: str,
    course: Course,
    assigned: Sequence[tuple[Row, Sender]],
    *,
    invites: bool,
) -> Situation:
    """One question for each kind of thing, whatever the number of leads.

    ``invites``: some of them may be invited now, so their senders' invitations are held.
    """
    identities = [row.identity for row, _ in assigned]
    pairs = [(sender.id, identity) for (_, sender), identity in zip(assigned, identities, strict=True)]
    approached = [
        Approached(row.lead_id, identity.text, row.email, row.company)
        for (row, _), identity in zip(assigned, identities, strict=True)
    ]
    elsewhere: frozenset[Identity] = frozenset()
    if not course.approach_despite_other_conversation:
        elsewhere = await inbox.conversations_elsewhere(connection, workspace_id, identities, course.id)
    begun = [row.lead_id for row, _ in assigned if row.step_id is not None]
    return Situation(
        course,
        await inbox.relationships(connection, workspace_id, pairs),
        await suppression.suppressed(connection, workspace_id, approached),
        elsewhere,
        await action_store.performed_steps(connection, workspace_id, begun) if begun else {},
        await inviting(connection, workspace_id, assigned) if invites else frozenset(),
    )


async def inviting(connection: Connection, workspace_id: str, assigned: Sequence[tuple[Row, Sender]]) -> frozenset[str]:
    """The leads whose person their sender is inviting already, for another lead or at somebody's request."""
    pairs = {row.lead_id: (sender.id, row.identity) for row, sender in assigned}
    found = await invitation_store.opened(connection, workspace_id, pairs.values())
    return frozenset(
        lead_id for lead_id, pair in pairs.items() if any(each.lead_id != lead_id for each in found.get(pair, ()))
    )
