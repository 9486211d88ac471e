"""A workspace and a campaign of a test's own."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime

import httpx
import pytest
from tests.starting import SLEEPING

from leadwright.accounts import service as accounts
from leadwright.accounts.model import Workspace
from leadwright.campaigns import service
from leadwright.campaigns.model import Action, Settings
from leadwright.postgres.pool import Database

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)


@pytest.fixture
async def own(
    base_url: str, database: Database, make_key: Callable[..., Awaitable[dict[str, str]]]
) -> AsyncIterator[httpx.AsyncClient]:
    """A client with a key for everything in a workspace that holds nothing yet."""
    async with database.transaction() as connection:
        workspace = await accounts.create_workspace(connection, "Own", NOW)
    key = await make_key(workspace_id=workspace.id)
    async with httpx.AsyncClient(base_url=base_url, headers=key, timeout=60, trust_env=False) as client:
        yield client


@pytest.fixture
def make_campaign(
    database: Database, workspace: Workspace, make_sender: Callable[..., Awaitable[str]]
) -> Callable[..., Awaitable[str]]:
    """Makes a campaign that has gone through the actions given; answers its bare id.

    Without settings it has a sender and steps, so that it can be started.
    """

    async def make(*actions: Action, settings: Settings | None = None) -> str:
        settings = settings or Settings("Campaign", sender_ids=(await make_sender(),), sequence=SLEEPING)
        async with database.transaction() as connection:
            made = await service.create(connection, workspace.id, settings, NOW)
            for action in actions:
                await service.act(connection, workspace.id, made.id, action, NOW)
        return made.id

    return make


@pytest.fixture
def until_blocked(database: Database) -> Callable[[int], Awaitable[None]]:
    """Returns when the database process waits for a lock that another holds."""

    async def wait(pid: int) -> None:
        async with database.session() as connection:
            while True:
                cursor = await connection.execute("SELECT cardinality(pg_blocking_pids(%s)) > 0", (pid,))
                row = await cursor.fetchone()
                if row is not None and row[0]:
                    return

    return wait
