"""Brings a server's database to N leads, written in SQL as the server would have written them over time."""

import asyncio
import time
from typing import Any

import psycopg

from bench.batches import LEADS_A_BATCH
from leadwright.campaigns import counters

LEADS_A_CAMPAIGN = 2_000
BATCHES_A_STATEMENT = 1_000
FIRST_NUMBER = 10_000_000
"""Lead N of the fill is ``bench.batches.lead(FIRST_NUMBER + N)``; the numbers below are free for others."""

COMMON_STATUS, OTHER_STATUS, RARE_STATUS = "PENDING", "MESSAGE_SENT", "MEETING_BOOKED"
"""Of 70, 29 and 1 in 100 leads."""
UNUSED_STATUS = "OPPORTUNITY"

# Ids are of version 7, so their order is that of time: campaigns came before the leads, imports 5 s apart, and all
# lies 30 days or more back.
CONSTANTS = """
    CREATE TEMPORARY TABLE bench_constant AS
    SELECT id AS workspace_id, (extract(epoch FROM now()) * 1000)::bigint - 30 * 86400000::bigint AS until
    FROM workspace ORDER BY created_at LIMIT 1
"""
ID_FUNCTION = """
    CREATE FUNCTION pg_temp.bench_id(milliseconds bigint, place integer, seed text) RETURNS uuid LANGUAGE sql
    IMMUTABLE PARALLEL SAFE RETURN (lpad(to_hex(milliseconds), 12, '0') || '7' || lpad(to_hex(place), 3, '0') || '8'
        || left(md5(seed), 15))::uuid
"""
_CAMPAIGNS = """
    WITH made AS (
        SELECT workspace_id, pg_temp.bench_id(until - 600000000 + c, 0, 'campaign ' || c) AS id, c
        FROM generate_series(%(first)s::int, %(last)s::int) AS c, bench_constant
    ), entry AS (
        INSERT INTO lane (workspace_id, campaign_id, kind) SELECT workspace_id, id, 'enter' FROM made
        RETURNING campaign_id, id
    ), version AS (
        INSERT INTO campaign_sequence (workspace_id, campaign_id, version, sequence, created_at)
        SELECT workspace_id, id, 1, '{"steps": []}', now() FROM made
    )
    INSERT INTO campaign (workspace_id, id, name, entry_lane_id, created_at, updated_at)
    SELECT made.workspace_id, made.id, 'Campaign ' || c, entry.id, now(), now()
    FROM made JOIN entry ON entry.campaign_id = made.id
"""
# Every tenth batch goes to the first campaign, so that there is a large one; the others are spread over all.
_LEADS = """
    WITH campaign_of AS (
        SELECT c.id, c.entry_lane_id, row_number() OVER (ORDER BY c.id) - 1 AS place
        FROM campaign c JOIN bench_constant USING (workspace_id)
    ), batch AS MATERIALIZED (
        SELECT b, workspace_id, until - 500000000 + b * 5000 AS at, c.id AS campaign_id, c.entry_lane_id,
               pg_temp.bench_id(until - 500000000 + b * 5000, 0, 'import ' || b) AS import_id
        FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS b CROSS JOIN bench_constant
        JOIN campaign_of c ON c.place = CASE WHEN b %% 10 = 0 THEN 0
            ELSE ('x' || left(md5('batch ' || b), 7))::bit(28)::int %% %(campaigns)s END
    ), person AS MATERIALIZED (
        SELECT batch.*, n, i, left(md5(i::text), 8) || '-person-' || i AS slug,
               pg_temp.bench_id(at, n, 'lead ' || i) AS id, to_timestamp(at / 1000.0) AS moment
        FROM batch CROSS JOIN generate_series(0, %(size)s - 1) AS n
        CROSS JOIN LATERAL (SELECT %(number)s + b * %(size)s + n AS i) AS numbered
    ), imported AS (
        INSERT INTO lead_import (workspace_id, id, campaign_id, api_key_id, received, added, updated, duplicates,
            invalid, created_at)
        SELECT workspace_id, import_id, campaign_id, workspace_id, %(size)s, %(size)s, 0, 0, 0,
               to_timestamp(at / 1000.0)
        FROM batch
    ), enrolled AS (
        INSERT INTO enrolment (workspace_id, lead_id, campaign_id, status, lane_id, due_at, updated_at)
        SELECT workspace_id, id, campaign_id,
               (CASE WHEN i %% 100 = 7 THEN %(rare)s WHEN i %% 100 < 30 THEN %(other)s ELSE %(common)s END
               )::lead_status,
               entry_lane_id, moment, moment
        FROM person WHERE i %% 100 < %(enrolled)s ORDER BY id
    ), counted AS (
        INSERT INTO campaign_counter_delta (workspace_id, campaign_id, counter, delta)
        SELECT workspace_id, campaign_id, counter, count(*)
        FROM person CROSS JOIN (VALUES ('leads'), ('active')) AS c(counter)
        GROUP BY workspace_id, campaign_id, counter
    )
    INSERT INTO lead (workspace_id, id, campaign_id, identity_kind, identity_key, linkedin_url, first_name, last_name,
        company, title, email, custom, import_id, enrolled, created_at, updated_at)
    SELECT workspace_id, id, campaign_id, 'slug', slug, 'https://www.linkedin.com/in/' || slug, 'First' || i %% 977,
           'Last' || i %% 7919, 'Company ' || i %% 50000, 'VP of Engineering', NULL,
           jsonb_build_object('industry', 'Technology and Services', 'region', 'North America',
               'referredBy', 'Conference 2024, main hall', 'customScore', i %% 100,
               'icebreaker', 'Loved your talk on AI automation in the field'),
           import_id, i %% 100 < %(enrolled)s, moment, moment
    FROM person ORDER BY id
"""


class Fill:
    """Fills one server's database step by step; the server may run, but must have no campaigns of its own yet.

    Of 100 leads the last ones, behind ``enrolled``, have not had a first step. They are PENDING.
    """

    def __init__(self, conninfo: str, *, enrolled: int = 100) -> None:
        self.conninfo = conninfo
        self._enrolled = enrolled
        self.leads = 0
        self.campaigns: list[str] = []
        """Bare ids, the large one first."""

    def reach(self, leads: int) -> float:
        """``add``, then as after a quiet night. Returns the seconds."""
        began = time.monotonic()
        self.add(leads)
        self.rest()
        return time.monotonic() - began

    def add(self, leads: int) -> None:
        """Adds what is missing to ``leads``, in whole batches."""
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            connection.execute("SET synchronous_commit = off")
            connection.execute(CONSTANTS.encode())
            connection.execute(ID_FUNCTION.encode())
            self._add_campaigns(connection, max(2, leads // LEADS_A_CAMPAIGN))
            first, end = self.leads // LEADS_A_BATCH, leads // LEADS_A_BATCH
            for start in range(first, end, BATCHES_A_STATEMENT):
                self._add_leads(connection, start, min(end, start + BATCHES_A_STATEMENT) - 1)
            self.leads = end * LEADS_A_BATCH
        asyncio.run(_fold_counters(self.conninfo))

    def rest(self) -> None:
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            connection.execute("VACUUM (FREEZE, ANALYZE)")
            connection.execute("CHECKPOINT")

    def _add_campaigns(self, connection: psycopg.Connection[Any], wanted: int) -> None:
        connection.execute(_CAMPAIGNS.encode(), {"first": len(self.campaigns), "last": wanted - 1})
        found = connection.execute("SELECT id FROM campaign ORDER BY id LIMIT %s", (wanted,)).fetchall()
        self.campaigns = [campaign.hex for (campaign,) in found]

    def _add_leads(self, connection: psycopg.Connection[Any], first: int, last: int) -> None:
        given = {
            "first": first,
            "last": last,
            "campaigns": len(self.campaigns),
            "size": LEADS_A_BATCH,
            "number": FIRST_NUMBER,
            "common": COMMON_STATUS,
            "rare": RARE_STATUS,
            "other": OTHER_STATUS,
            "enrolled": self._enrolled,
        }
        connection.execute(_LEADS.encode(), given)


async def _fold_counters(conninfo: str) -> None:
    """The server folds too; whoever comes second finds nothing."""
    async with await psycopg.AsyncConnection.connect(conninfo) as connection:
        while await _deltas_wait(connection):
            await counters.fold(connection)
            await connection.commit()


async def _deltas_wait(connection: psycopg.AsyncConnection[Any]) -> bool:
    cursor = await connection.execute("SELECT EXISTS (SELECT FROM campaign_counter_delta)")
    found = await cursor.fetchone()
    return bool(found and found[0])
