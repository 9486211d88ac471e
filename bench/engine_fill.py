"""A database full of leads on their way: sleepers, leads that are due, and due ones in lanes that are shut."""

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import psycopg

from leadwright import ids
from leadwright.accounts import service as accounts
from leadwright.campaigns import service as campaigns
from leadwright.campaigns.model import Action, Settings
from leadwright.crypto import SecretBox
from leadwright.engine import lane_store
from leadwright.identity import Identity, IdentityKind
from leadwright.postgres.migrate import migrate
from leadwright.postgres.pool import Database
from leadwright.senders import store as senders_store
from leadwright.senders.limits import Limits
from leadwright.senders.model import ChannelName
from leadwright.senders.model import Settings as SenderSettings

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SECRETS = SecretBox("a key for benchmarks only")
CAMPAIGNS, SENDERS = 8, 2
"""Lanes of due leads: one a campaign and sender."""
STEPS = [
    {"id": "invite", "type": "connect", "note": "Hi {{firstName | default: 'there'}}, {{icebreaker}}"},
    {"id": "bump", "type": "message", "after": {"days": 1}, "text": "{Hello|Hi} {{firstName}}, about {{industry}} …"},
]
LEADS_A_STATEMENT = 200_000

_LEADS = """
    WITH lane_of AS (
        SELECT id, campaign_id, sender_id, row_number() OVER (ORDER BY id) - 1 AS place
        FROM lane WHERE id = ANY(%(lanes)s)
    ), person AS MATERIALIZED (
        SELECT i, (lpad(to_hex(1760000000000 + i), 12, '0') || '70008' || left(md5('lead ' || i), 15))::uuid AS id,
               l.id AS lane_id, l.campaign_id, l.sender_id, 'person-' || i AS slug
        FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS i
        JOIN lane_of l ON l.place = i %% %(count)s
    ), enrolled AS (
        INSERT INTO enrolment (workspace_id, lead_id, campaign_id, status, state, step_id, step_since,
            sequence_version, sender_id, lane_id, due_at, updated_at)
        SELECT %(workspace)s, id, campaign_id, 'PENDING', 'due', %(step)s, %(now)s::timestamptz - interval '1 day', 1,
               sender_id, lane_id, %(due)s::timestamptz + interval '1 second' * (i %% 3600), %(now)s
        FROM person
    ), invited AS (
        INSERT INTO relationship (workspace_id, sender_id, identity_kind, identity_key, state, invited_at, last_lead_id)
        SELECT %(workspace)s, sender_id, 'slug', slug, 'invited', %(now)s::timestamptz - interval '1 day', id
        FROM person WHERE %(invited)s
    )
    INSERT INTO lead (workspace_id, id, campaign_id, identity_kind, identity_key, linkedin_url, first_name, last_name,
        company, title, email, custom, import_id, enrolled, created_at, updated_at)
    SELECT %(workspace)s, id, campaign_id, 'slug', slug, 'https://www.linkedin.com/in/' || slug, 'First' || i %% 977,
           'Last' || i %% 7919, 'Company ' || i %% 50000, 'VP of Engineering', NULL,
           jsonb_build_object('industry', 'Technology and Services', 'region', 'North America',
               'referredBy', 'Conference 2024, main hall', 'customScore', i %% 100,
               'icebreaker', 'Loved your talk on AI automation in the field'),
           id, true, %(now)s, %(now)s
    FROM person
"""


@dataclass
class EngineFill:
    """Builds up one database; ``setup`` first. Numbers of leads only grow."""

    conninfo: str
    workspace_id: str = ""
    working: list[int] = field(default_factory=list[int])
    """Lanes of invitations that are open."""
    sleeping: list[int] = field(default_factory=list[int])
    paused: list[int] = field(default_factory=list[int])
    """Lanes of campaigns that are paused."""
    capped: list[int] = field(default_factory=list[int])
    """Lanes whose senders have used up their day."""
    leads: int = 0

    def setup(self) -> None:
        asyncio.run(self._setup())

    async def _setup(self) -> None:
        await migrate(self.conninfo)
        database = Database(self.conninfo, size=2)
        await database.open()
        try:
            async with database.transaction() as connection:
                self.workspace_id = (await accounts.default_workspace(connection)).id
                senders = [await self._sender(connection, n) for n in range(SENDERS)]
                started = [await self._campaign(connection, senders) for _ in range(CAMPAIGNS)]
                shut = await self._campaign(connection, senders)
                held = await self._campaign(connection, senders)
                await campaigns.act(connection, self.workspace_id, held, Action.PAUSE, NOW)
                self.working = await self._lanes(connection, started, senders, "connections")
                self.sleeping = await self._lanes(connection, started, senders, "messages")
                self.paused = await self._lanes(connection, [held], senders, "connections")
                self.capped = await self._lanes(connection, [shut], senders, "connections")
                await connection.execute("UPDATE lane SET open_at = 'infinity' WHERE id = ANY(%s)", (self.capped,))
        finally:
            await database.close()

    async def _sender(self, connection: Any, number: int) -> str:
        sender_id = ids.new_id()
        settings = SenderSettings(
            name="Sue Sender",
            linkedin_url=f"https://www.linkedin.com/in/sender-{number}",
            identity=Identity(IdentityKind.SLUG, f"sender-{number}"),
            channel=ChannelName.HTTP,
            limits=Limits({}, {}, timedelta()),
        )
        sealed = SECRETS.seal(msgspec.json.encode(settings.config).decode())
        await senders_store.insert(connection, self.workspace_id, sender_id, settings, sealed, NOW)
        return sender_id

    async def _campaign(self, connection: Any, senders: list[str]) -> str:
        settings = Settings(name="bench", sender_ids=tuple(senders), sequence={"steps": STEPS})
        made = await campaigns.create(connection, self.workspace_id, settings, NOW)
        await campaigns.act(connection, self.workspace_id, made.id, Action.START, NOW)
        return made.id

    async def _lanes(self, connection: Any, of: list[str], senders: list[str], kind: str) -> list[int]:
        found: list[int] = []
        for campaign_id in of:
            wanted = [(sender_id, kind) for sender_id in senders]
            found += (await lane_store.ensure(connection, self.workspace_id, campaign_id, wanted)).values()
        return found

    def sleepers(self, count: int) -> None:
        """Leads that were invited and wait, for a month and more."""
        self._add(count, self.sleeping, "bump", NOW + timedelta(days=30), invited=True)

    def due(self, count: int) -> None:
        """Leads whose invitation is due."""
        self._add(count, self.working, "invite", NOW - timedelta(days=1))

    def shut(self, count: int) -> None:
        """Due leads that nobody may look at: half in a paused campaign, half in capped lanes."""
        self._add(count // 2, self.paused, "invite", NOW - timedelta(days=1))
        self._add(count - count // 2, self.capped, "invite", NOW - timedelta(days=1))

    def _add(self, count: int, lanes: list[int], step: str, due: datetime, *, invited: bool = False) -> None:
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            connection.execute("SET synchronous_commit = off")
            for start in range(self.leads, self.leads + count, LEADS_A_STATEMENT):
                given = {
                    "first": start,
                    "last": min(start + LEADS_A_STATEMENT, self.leads + count) - 1,
                    "lanes": lanes,
                    "count": len(lanes),
                    "workspace": self.workspace_id,
                    "step": step,
                    "now": NOW,
                    "due": due,
                    "invited": invited,
                }
                connection.execute(_LEADS.encode(), given)
        self.leads += count

    def rest(self) -> float:
        """As after a quiet night; the seconds it took."""
        began = time.monotonic()
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            connection.execute("VACUUM (ANALYZE)")
            connection.execute("CHECKPOINT")
        return time.monotonic() - began
