"""The SQL of courtesy: what speaks against adding a person, and of which companies somebody answered."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from leadwright.postgres.pool import Connection


class Asked(NamedTuple):
    """A row of a request: its person's key as it was sent, and the company as companies are matched."""

    place: int
    kind: str
    key: str
    company: str | None


async def spoken_against(
    connection: Connection,
    workspace_id: str,
    campaign_id: str,
    persons: Sequence[Asked],
    *,
    contacted_since: datetime | None,
    in_active_campaign: bool,
    same_company_replied: bool,
) -> Mapping[int, str]:
    """The code of the first rule that speaks against each row, by index; who is in the campaign is left out.

    Deeds and relationships, campaigns and companies are read here and written by their own rooms.
    """
    cursor = await connection.execute(
        """
        WITH sent AS MATERIALIZED (
            SELECT (r ->> 0)::int AS i, coalesce(a.person_kind, (r ->> 1)::identity_kind) AS kind,
                   coalesce(a.person_key, r ->> 2) AS key, r ->> 3 AS company
            FROM jsonb_array_elements(%(persons)s::jsonb) AS r
            LEFT JOIN alias a ON a.workspace_id = %(workspace)s AND a.kind = (r ->> 1)::identity_kind
                AND a.key = r ->> 2
        ), judged AS (
            SELECT i, CASE
                WHEN %(active)s AND EXISTS (
                    SELECT FROM lead l
                    JOIN campaign c ON c.workspace_id = l.workspace_id AND c.id = l.campaign_id
                    LEFT JOIN enrolment e ON e.workspace_id = l.workspace_id AND e.lead_id = l.id
                    WHERE l.workspace_id = %(workspace)s AND (l.identity_kind, l.identity_key) = (s.kind, s.key)
                      AND c.status = 'started' AND e.state IS DISTINCT FROM 'done')
                THEN 'in_active_campaign'
                WHEN %(since)s::timestamptz IS NOT NULL AND EXISTS (
                    SELECT FROM action d
                    WHERE d.workspace_id = %(workspace)s AND (d.identity_kind, d.identity_key) = (s.kind, s.key)
                      AND d.state = 'done' AND d.kind IN ('connect', 'message', 'email')
                      AND d.finished_at >= %(since)s
                    UNION ALL
                    SELECT FROM relationship t
                    WHERE t.workspace_id = %(workspace)s AND (t.identity_kind, t.identity_key) = (s.kind, s.key)
                      AND greatest(t.invited_at, t.last_sent_at) >= %(since)s)
                THEN 'contacted_recently'
                WHEN %(colleagues)s AND EXISTS (
                    SELECT FROM company_reply p WHERE p.workspace_id = %(workspace)s AND p.company = s.company)
                THEN 'same_company_replied'
            END AS code
            FROM sent s
            WHERE NOT EXISTS (
                SELECT FROM lead o WHERE o.workspace_id = %(workspace)s AND o.campaign_id = %(campaign)s
                  AND (o.identity_kind, o.identity_key) = (s.kind, s.key))
        )
        SELECT i, code FROM judged WHERE code IS NOT NULL
        """,
        {
            "workspace": workspace_id,
            "campaign": campaign_id,
            "persons": msgspec.json.encode(persons).decode(),
            "since": contacted_since,
            "active": in_active_campaign,
            "colleagues": same_company_replied,
        },
    )
    return dict(await cursor.fetchall())


async def companies_of(connection: Connection, workspace_id: str, lead_ids: Sequence[str]) -> list[tuple[str, str]]:
    """Lead and company of those leads that have one."""
    cursor = await connection.execute(
        "SELECT id, company FROM lead WHERE workspace_id = %s AND id = ANY(%s::uuid[]) AND company IS NOT NULL",
        (workspace_id, list(lead_ids)),
    )
    return [(row[0], row[1]) for row in await cursor.fetchall()]


async def insert_replies(connection: Connection, workspace_id: str, named: Sequence[tuple[str, str]]) -> None:
    """Companies, as they are matched, with the lead as which somebody answered."""
    await connection.execute(
        """
        INSERT INTO company_reply (workspace_id, company, lead_id)
        SELECT %s, r ->> 0, (r ->> 1)::uuid FROM jsonb_array_elements(%s::jsonb) AS r ORDER BY r ->> 0
        ON CONFLICT DO NOTHING
        """,
        (workspace_id, msgspec.json.encode(named).decode()),
    )
