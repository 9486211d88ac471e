"""Campaigns with senders and leads on a real database, and an engine whose clock the test sets."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec
import pytest

from leadwright import ids
from leadwright.accounts import service as accounts
from leadwright.campaigns import service as campaigns
from leadwright.campaigns.model import Action as CampaignAction
from leadwright.campaigns.model import Settings as CampaignSettings
from leadwright.channels.channel import Channel, Deed, Done, InboundFact, Outcome, Temporary
from leadwright.channels.simulator import Simulator
from leadwright.crypto import SecretBox
from leadwright.engine import service, waking
from leadwright.engine.sequence import StepType
from leadwright.engine.service import Received
from leadwright.engine.worker import Engine
from leadwright.events.model import EventType
from leadwright.identity import Identity, linkedin_identity
from leadwright.leads import adding
from leadwright.leads import service as leads
from leadwright.leads.model import AddLeads, Lead, OnDuplicate
from leadwright.people import service as people
from leadwright.postgres.pool import Database
from leadwright.senders import store as senders_store
from leadwright.senders.limits import Limits
from leadwright.senders.model import ChannelName, Sender, Settings

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""A Monday."""
FREE = Limits({}, {}, timedelta())


@dataclass
class Recorder:
    """A channel that does what it is told to, and remembers every deed."""

    performs: frozenset[StepType] = frozenset(StepType)
    deeds: list[Deed] = field(default_factory=list[Deed])
    asked: list[Deed] = field(default_factory=list[Deed])
    answers: dict[str, list[Outcome]] = field(default_factory=dict[str, list[Outcome]])
    """Outcomes of the next deeds for a LinkedIn address, in order; after them, Done."""
    truth: Outcome = field(default_factory=lambda: Temporary("not_done"))
    """What it says when it is asked about a lost deed."""

    def of(self, sender: Sender) -> Channel:
        del sender
        return self

    async def perform(self, deed: Deed) -> Outcome:
        self.deeds.append(deed)
        planned = self.answers.get(deed.linkedin_url)
        return planned.pop(0) if planned else Done()

    async def reconcile(self, deed: Deed) -> Outcome:
        self.asked.append(deed)
        return self.truth

    def kinds(self, url: str | None = None) -> list[str]:
        return [deed.kind.value for deed in self.deeds if url is None or deed.linkedin_url == url]


@dataclass
class Simulated:
    """The simulated network for every sender."""

    network: Simulator

    def of(self, sender: Sender) -> Channel:
        del sender
        return self.network


def step(kind: str, **more: Any) -> dict[str, Any]:
    """A step whose id is its type, unless it says otherwise."""
    texts = {"message": {"text": "Hello {{firstName}}"}}
    return {"type": kind, "id": kind, **texts.get(kind, {}), **more}


def identity(name: str) -> Identity:
    found = linkedin_identity(url(name))
    assert isinstance(found, Identity)
    return found


def url(name: str) -> str:
    return f"https://www.linkedin.com/in/{name}"


@dataclass
class World:
    """One workspace with an engine on a clock of its own."""

    database: Database
    workspace_id: str
    secrets: SecretBox
    recorder: Recorder
    engine: Engine
    now: datetime = START

    def simulate(self) -> None:
        """From now on the simulated network performs."""
        self.engine = Engine(self.database, self.secrets, Simulated(Simulator(self.database)), batch=20)

    async def told(
        self, sender_id: str, name: str, kind: Literal["connection_accepted", "reply"], **more: Any
    ) -> Received:
        fact = InboundFact(kind, url(name), more.pop("occurred_at", self.now), **more)
        async with self.database.transaction() as connection:
            return await service.receive(connection, self.workspace_id, sender_id, fact, self.now)

    async def sender(self, *, channel: ChannelName = ChannelName.HTTP, limits: Limits = FREE, **more: Any) -> str:
        sender_id = ids.new_id()
        settings = Settings(
            name="Sue Sender",
            linkedin_url=url(sender_id),
            identity=identity(sender_id),
            channel=channel,
            limits=limits,
            **more,
        )
        async with self.database.transaction() as connection:
            sealed = self.secrets.seal(msgspec.json.encode(settings.config).decode())
            await senders_store.insert(connection, self.workspace_id, sender_id, settings, sealed, self.now)
        return sender_id

    async def limit(self, sender_id: str, limits: Limits) -> None:
        """Other limits for a sender, as an edit sets them."""
        async with self.database.transaction() as connection:
            (row,) = await senders_store.senders(connection, self.workspace_id, [sender_id])
            was = row.sender({}).settings
            sealed = self.secrets.seal("{}")
            await senders_store.update(
                connection, self.workspace_id, sender_id, replace(was, limits=limits), sealed, self.now
            )
            await waking.sender_changed(connection, self.workspace_id, [sender_id], self.now)

    async def disconnect(self, sender_id: str) -> None:
        async with self.database.transaction() as connection:
            await connection.execute("UPDATE sender SET status = 'disconnected' WHERE id = %s", (sender_id,))
            await waking.sender_changed(connection, self.workspace_id, [sender_id], self.now)

    async def remove_sender(self, sender_id: str) -> None:
        async with self.database.transaction() as connection:
            await senders_store.remove(connection, self.workspace_id, sender_id, self.secrets.seal("{}"), self.now)
            await waking.sender_changed(connection, self.workspace_id, [sender_id], self.now)

    async def delete(self, campaign_id: str) -> None:
        async with self.database.transaction() as connection:
            await campaigns.delete(connection, self.workspace_id, campaign_id)

    async def campaign(
        self, steps: Sequence[Mapping[str, Any]], *, senders: int | Sequence[str] = 1, start: bool = True, **more: Any
    ) -> str:
        sender_ids = [await self.sender() for _ in range(senders)] if isinstance(senders, int) else list(senders)
        settings = CampaignSettings(name="C", sender_ids=tuple(sender_ids), sequence={"steps": list(steps)}, **more)
        async with self.database.transaction() as connection:
            made = await campaigns.create(connection, self.workspace_id, settings, self.now)
            if start:
                await campaigns.act(connection, self.workspace_id, made.id, CampaignAction.START, self.now)
        return made.id

    async def act(self, campaign_id: str, action: str) -> None:
        async with self.database.transaction() as connection:
            await campaigns.act(connection, self.workspace_id, campaign_id, CampaignAction(action), self.now)

    async def edit(self, campaign_id: str, **changes: Any) -> None:
        async with self.database.transaction() as connection:
            await campaigns.edit(
                connection, self.workspace_id, campaign_id, lambda settings: replace(settings, **changes), self.now
            )

    async def add(self, campaign_id: str, *names: str, on_duplicate: str = "skip", **fields: Any) -> list[str]:
        """Leads with these slugs; their ids, of those that were there too."""
        rows = [{"linkedinUrl": url(name), "firstName": name.title(), **fields} for name in names]
        request = AddLeads(ids.public(ids.Prefix.CAMPAIGN, campaign_id), rows, OnDuplicate(on_duplicate))
        async with self.database.transaction() as connection:
            held = people.Held(aliases=True, suppressions=True)
            await people.hold(connection, self.workspace_id)
            report = await adding.add(
                connection,
                self.workspace_id,
                request,
                api_key_id=ids.new_id(),
                held=held,
                now=self.now,
                all_results=True,
            )
        return [result.lead_id or result.existing_lead_id or "" for result in report.results]

    async def plan(self) -> None:
        while await self.engine.plan(self.now):
            pass

    async def perform(self) -> None:
        while await self.engine.perform(self.now):
            pass

    async def run(self, **later: float) -> None:
        """Everything that is to happen at this moment, or at each until so much later."""
        until = self.now + timedelta(**later)
        while True:
            await self.settle_down()
            moment = await self.engine.next_due(self.now)
            if moment is None or moment > until:
                break
            self.now = max(moment, self.now + timedelta(milliseconds=1))
        self.now = until

    async def settle_down(self) -> None:
        for _ in range(1_000):
            busy = await self.engine.restore_senders(self.now)
            busy |= await self.engine.listen(self.now)
            busy |= await self.engine.weed(self.now)
            busy |= await self.engine.advance(self.now)
            busy |= await self.engine.perform(self.now)
            busy |= await self.engine.reconcile(self.now)
            if not busy:
                return
        raise AssertionError("the engine found no rest")

    async def lead(self, lead_id: str) -> Lead:
        async with self.database.session() as connection:
            return await leads.read(connection, self.workspace_id, lead_id)

    async def statuses(self, *lead_ids: str) -> list[str]:
        return [(await self.lead(lead_id)).status for lead_id in lead_ids]

    async def rows(self, sql: Any, *parameters: Any) -> list[tuple[Any, ...]]:
        async with self.database.session() as connection:
            return await (await connection.execute(sql, parameters)).fetchall()

    async def events(self, *types: EventType) -> list[tuple[str, dict[str, Any]]]:
        wanted = [kind.value for kind in types or tuple(EventType)]
        return await self.rows(
            "SELECT type::text, data::jsonb FROM event WHERE workspace_id = %s AND type::text = ANY(%s) ORDER BY seq",
            self.workspace_id,
            wanted,
        )  # type: ignore[return-value]

    async def totals(self, campaign_id: str) -> Any:
        async with self.database.session() as connection:
            return (await campaigns.read(connection, self.workspace_id, campaign_id)).totals


@pytest.fixture
async def world(make_database: Callable[..., str]) -> AsyncIterator[World]:
    """On a database of its own: an engine works for all workspaces that it finds."""
    database = Database(await asyncio.to_thread(make_database), size=12)
    await database.open()
    async with database.session() as connection:
        workspace = await accounts.default_workspace(connection)
    secrets, recorder = SecretBox("a key for tests only"), Recorder()
    yield World(database, workspace.id, secrets, recorder, Engine(database, secrets, recorder, batch=20))
    await database.close()
