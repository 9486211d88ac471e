"""A loop that writes the rows of ``bench.engine``'s engine, and decides, renders and asks nothing.

Its rows are made by SQL from constants, with next to no client: about the least for an engine that keeps an intent,
its outcome, the lead's history, its events and the relationship of a lead that is invited.
"""

import asyncio
from typing import Any, LiteralString

from psycopg import AsyncConnection

from leadwright import ids

_LEASE: LiteralString = """
    UPDATE enrolment e SET state = 'leased', lease_until = %(now)s::timestamptz + interval '5 minutes',
        token = e.token + 1
    FROM (SELECT workspace_id, lead_id FROM enrolment
          WHERE lane_id = %(lane)s AND state = 'due' AND due_at <= %(now)s
          ORDER BY due_at LIMIT %(batch)s FOR UPDATE SKIP LOCKED) AS chosen
    WHERE e.workspace_id = chosen.workspace_id AND e.lead_id = chosen.lead_id
    RETURNING e.lead_id::text
"""
_INTEND: LiteralString = """
    INSERT INTO action (workspace_id, id, lead_id, campaign_id, sender_id, identity_kind, identity_key, linkedin_url,
        step_id, step_number, sequence_version, variant, kind, content, due_at, planned_at, state, attempt,
        performing_at, lease_until)
    SELECT l.workspace_id, r.id, l.id, l.campaign_id, e.sender_id, l.identity_kind, l.identity_key, l.linkedin_url,
        'invite', 1, 1, 0, 'connect', '{"text": "Hi First500, Loved your talk on AI automation in the field"}',
        %(now)s, %(now)s, 'performing', 1, %(now)s, %(now)s::timestamptz + interval '5 minutes'
    FROM unnest(%(leads)s::uuid[], %(actions)s::uuid[]) AS r(lead_id, id)
    JOIN enrolment e ON e.workspace_id = %(workspace)s AND e.lead_id = r.lead_id
    JOIN lead l ON l.workspace_id = %(workspace)s AND l.id = r.lead_id
"""
_OUTCOME: tuple[LiteralString, ...] = (
    """
    UPDATE action SET state = 'done', lease_until = NULL, finished_at = %(now)s, token = token + 1
    WHERE workspace_id = %(workspace)s AND id = ANY(%(actions)s::uuid[])
    """,
    """
    UPDATE enrolment SET state = 'due', status = 'CONNECTION_SENT', step_id = 'bump', step_since = %(now)s,
        due_at = %(now)s::timestamptz + interval '14 days', hold_rule = 'waiting_for_acceptance',
        contacted_at = %(now)s, lease_until = NULL, token = token + 1, updated_at = %(now)s
    WHERE workspace_id = %(workspace)s AND lead_id = ANY(%(leads)s::uuid[])
    """,
    """
    INSERT INTO history (workspace_id, lead_id, at, type, step_id, detail)
    SELECT %(workspace)s, lead_id, %(now)s, entry.type, 'invite', entry.detail
    FROM unnest(%(leads)s::uuid[]) AS lead_id, (VALUES
        ('performed', '{"kind": "connect", "actionId": "act_0", "attempt": 1, "variant": 0}'::jsonb),
        ('status_changed', '{"previousStatus": "PENDING", "newStatus": "CONNECTION_SENT"}'),
        ('held', '{"rule": "waiting_for_acceptance"}')) AS entry(type, detail)
    """,
    """
    INSERT INTO event (workspace_id, id, type, stream, lead_id, data, created_at)
    SELECT %(workspace)s, r.id, r.type::event_type, 'lead_' || r.lead_id, r.lead_id, json_build_object(
        'leadId', r.lead_id, 'campaignId', r.lead_id, 'linkedinUrl', 'https://www.linkedin.com/in/person-500000',
        'note', 'Hi First500, Loved your talk on AI automation in the field'), %(now)s
    FROM (SELECT unnest(%(leads)s::uuid[]) AS lead_id, unnest(%(requests)s::uuid[]) AS id,
              'connection_request.sent' AS type
          UNION ALL SELECT unnest(%(leads)s::uuid[]), unnest(%(updates)s::uuid[]), 'lead.updated') AS r
    """,
    """
    INSERT INTO relationship (workspace_id, sender_id, identity_kind, identity_key, state, invited_at, last_lead_id)
    SELECT workspace_id, sender_id, identity_kind, identity_key, 'invited', %(now)s, lead_id FROM action
    WHERE workspace_id = %(workspace)s AND id = ANY(%(actions)s::uuid[])
    """,
)


async def write_batch(connection: AsyncConnection[Any], given: dict[str, Any]) -> int:
    """Takes one batch of a claimed lane in two transactions, as around a deed; answers how many leads."""
    claimed = [row[0] for row in await (await connection.execute(_LEASE, given)).fetchall()]
    actions, requests, updates = (ids.new_ids(len(claimed)) for _ in range(3))
    given |= {"leads": claimed, "actions": actions, "requests": requests, "updates": updates}
    await connection.execute(_INTEND, given)
    await connection.commit()
    for statement in _OUTCOME:
        await connection.execute(statement, given)
    await connection.commit()
    return len(claimed)


async def write_all(conninfo: str, claim_lane: LiteralString, now: object, batch: int) -> int:
    """On one connection of its own, until no lane has anything due; how many leads."""
    moved = 0
    async with await AsyncConnection.connect(conninfo, prepare_threshold=0) as connection:
        while True:
            given: dict[str, Any] = {"now": now, "batch": batch}
            lane = await (await connection.execute(claim_lane, given)).fetchone()
            if lane is None:
                return moved
            moved += await write_batch(connection, {**given, "lane": lane[0], "workspace": lane[1]})


async def side_by_side(conninfo: str, claim_lane: LiteralString, now: object, batch: int, connections: int) -> int:
    """The same on several connections at once."""
    return sum(await asyncio.gather(*(write_all(conninfo, claim_lane, now, batch) for _ in range(connections))))
