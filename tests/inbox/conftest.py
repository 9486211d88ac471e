"""A workspace of its own for each test of the inbox, and short ways to keep things in it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from leadwright import ids
from leadwright.accounts import service as accounts
from leadwright.identity import Identity, linkedin_identity
from leadwright.inbox import service
from leadwright.inbox.model import Direction, Kept, NewMessage, Note, Relationship
from leadwright.postgres.pool import Database

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
