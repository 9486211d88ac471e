"""A workspace of its own for each test of the inbox, and short ways to keep things in it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from aiohttp import web

from leadwright import ids
from leadwright.accounts import service as accounts
from leadwright.channels.registry import Channels
from leadwright.crypto import SecretBox
from leadwright.engine.worker import Engine
from leadwright.identity import Identity, linkedin_identity
from leadwright.inbox import service
from leadwright.inbox.model import Direction, Kept, NewMessage, Note, Relationship
from leadwright.outbound.allowed import AllowedHosts
from leadwright.outbound.client import OutboundClient
from leadwright.postgres.pool import Database
from leadwright.settings import Settings

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Box:
    """The inbox of one workspace, with one sender."""

    database: Database
    workspace_id: str
    sender_id: str

    @staticmethod
    def person(name: str) -> Identity:
        found = linkedin_identity(f"in/{name}")
        assert isinstance(found, Identity)
        return found

    @staticmethod
    def at(minutes: float) -> datetime:
        return NOW + timedelta(minutes=minutes)

    async def add_sender(self, name: str = "Alex Doe") -> str:
        """Another account of the workspace, whose channel does nothing here."""
        sender_id = ids.new_id()
        async with self.database.session() as connection:
            await connection.execute(
                """
                INSERT INTO sender (workspace_id, id, name, linkedin_url, identity_kind, identity_key, channel, config,
                    limits, created_at, updated_at)
                VALUES (%s, %s, %s, %s, 'slug', %s, 'manual', '', '{}', %s, %s)
                """,
                (self.workspace_id, sender_id, name, f"in/{sender_id}", sender_id, NOW, NOW),
            )
        return sender_id

    async def note(self, what: str, *names: str, at: datetime = NOW, lead_id: str | None = None) -> object:
        """``what``: invited, connected, withdrawn or not_connected."""
        noting = getattr(service, f"note_{what}")
        async with self.database.transaction() as connection:
            return await noting(
                connection, self.workspace_id, [Note(self.sender_id, self.person(name), at, lead_id) for name in names]
            )

    def message(
        self,
        name: str,
        text: str = "Hello",
        *,
        at: datetime = NOW,
        received: bool = False,
        lead_id: str | None = None,
        shown: str | None = None,
        sender_id: str | None = None,
    ) -> NewMessage:
        direction = Direction.RECEIVED if received else Direction.SENT
        url = f"https://www.linkedin.com/in/{name}"
        sender = sender_id or self.sender_id
        return NewMessage(sender, self.person(name), url, shown, direction, text, at, lead_id=lead_id)

    async def keep(self, *messages: NewMessage) -> list[Kept]:
        async with self.database.transaction() as connection:
            return await service.keep_messages(connection, self.workspace_id, messages)

    async def with_person(self, name: str) -> Relationship:
        pair = (self.sender_id, self.person(name))
        async with self.database.session() as connection:
            return (await service.relationships(connection, self.workspace_id, [pair]))[pair]


MakeBox = Callable[[], Awaitable[Box]]


@pytest.fixture
def make_box(database: Database) -> MakeBox:
    async def make() -> Box:
        async with database.transaction() as connection:
            workspace = await accounts.create_workspace(connection, "Inbox", NOW)
        box = Box(database, workspace.id, "")
        return replace(box, sender_id=await box.add_sender())

    return make


@pytest.fixture
async def box(make_box: MakeBox) -> Box:
    return await make_box()


@pytest.fixture(scope="module")
def settings() -> Settings:
    return Settings(
        rate_limit=100_000,
        webhook_allow_hosts="127.0.0.1",  # type: ignore[arg-type] # read like the variable
        webhook_timeout=5,
    )


Answer = dict[str, Any] | int | None
"""A body, a status without one, or None: the connection is cut with no answer."""


@dataclass
class Operator:
    """An operator's own sender behind the ``http`` channel: it does each deed once, and counts what it does.

    ``answers`` are what it says to deeds, one after the other and then the last for ever. Asked for an outcome, it says
    whether it did the deed.
    """

    url: str = ""
    answers: list[Answer] = field(default_factory=lambda: [{"status": "done"}])
    done: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    asked: int = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        deed = await request.json()
        known = any(each["id"] == deed["id"] for each in self.done)
        if deed["want"] == "outcome":
            self.asked += 1
            return web.json_response({"status": "done" if known else "not_done"})
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer is None or (isinstance(answer, dict) and answer["status"] in ("done", "already_connected")):
            self.done.append(deed)
        if answer is None:
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        return web.Response(status=answer) if isinstance(answer, int) else web.json_response(answer)


@pytest.fixture
async def operator() -> AsyncIterator[Operator]:
    made = Operator()
    app = web.Application()
    app.router.add_post("/deeds", made.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.01)  # 0 is for ever
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/deeds"
    yield made
    await runner.cleanup()


@dataclass(frozen=True)
class Desk:
    """A workspace over HTTP, with a key for everything; ``box`` looks into its inbox."""

    client: httpx.AsyncClient
    box: Box

    async def sender(self, **fields: Any) -> str:
        """The wire id of another sender, on the simulator where nobody answers unless said otherwise."""
        person = f"sender-{ids.new_id()}"
        body = {"name": "Alex Doe", "linkedinUrl": f"in/{person}", "channel": "simulator", **fields}
        if body["channel"] == "simulator":
            body.setdefault("config", {"acceptRate": 0, "replyRate": 0})
        answer = await self.client.post("/v1/senders", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    async def operated_by(self, operator: Operator, **limits: Any) -> str:
        """A sender on the operator's channel, without a gap."""
        return await self.sender(
            channel="http", config={"url": operator.url}, limits={"minGap": {"seconds": 0}, **limits}
        )

    async def connect(self, sender: str, *names: str) -> None:
        await replace(self.box, sender_id=sender.partition("_")[2]).note("connected", *names)

    async def leads(self, *rows: dict[str, Any]) -> tuple[str, list[str]]:
        """A campaign with these leads: the wire ids."""
        campaign = (await self.client.post("/v1/campaigns", json={"name": "A campaign"})).json()["id"]
        path = "/v1/leads?report=full"
        added = (await self.client.post(path, json={"campaignId": campaign, "leads": list(rows)})).json()
        return campaign, [result["leadId"] for result in added["results"]]

    async def send(self, sender: str | None, name: str | None, *, key: str | None = None, **more: Any) -> Any:
        body = {"senderId": sender, "recipientLinkedinUrl": name and f"in/{name}", "message": "Hello", **more}
        return await self.post("send", {k: v for k, v in body.items() if v is not None}, key)

    async def post(self, route: str, body: dict[str, Any], key: str | None = None) -> httpx.Response:
        headers = {"Idempotency-Key": key} if key else {}
        return await self.client.post(f"/v1/inbox/{route}", json=body, headers=headers)

    async def messages(self, conversation: str, sender: str) -> list[dict[str, Any]]:
        path = f"/v1/inbox/conversations/{conversation}/messages"
        return (await self.client.get(path, params={"accountId": sender})).json()["messages"]

    async def events(self, *types: str) -> list[dict[str, Any]]:
        """Those of the types, as stored: whether they are published yet or not."""
        async with self.box.database.session() as connection:
            cursor = await connection.execute(
                "SELECT type, data, stream FROM event WHERE workspace_id = %s AND type = ANY(%s::event_type[])"
                " ORDER BY seq",
                (self.box.workspace_id, list(types)),
            )
            return [{"type": row[0], "data": row[1], "stream": row[2]} for row in await cursor.fetchall()]

    async def used(self, sender: str, kind: str) -> int:
        """How much of its quota of the kind the sender has used today."""
        async with self.box.database.session() as connection:
            cursor = await connection.execute(
                "SELECT coalesce(sum(used), 0) FROM sender_quota WHERE workspace_id = %s AND sender_id = %s"
                " AND kind = %s AND period = 'day'",
                (self.box.workspace_id, sender.partition("_")[2], kind),
            )
            row = await cursor.fetchone()
        assert row is not None
        return int(row[0])

    async def reconcile(self, at: datetime | None = None) -> None:
        """Asks the channels about uncertain deeds, as the background does."""
        secrets, allowed = SecretBox("a key for tests only"), AllowedHosts.parse(["127.0.0.1"])
        async with OutboundClient(allowed, total=5) as outbound:
            engine = Engine(self.box.database, secrets, Channels(self.box.database, outbound))
            await engine.reconcile(at or datetime.now(UTC))


@pytest.fixture
async def desk(box: Box, make_key: Any, base_url: str) -> AsyncIterator[Desk]:
    key = await make_key(workspace_id=box.workspace_id)
    async with httpx.AsyncClient(base_url=base_url, headers=key, timeout=60, trust_env=False) as client:
        yield Desk(client, box)
