"""Counters stay exact whatever writes, folds and reads at the same time."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest
from psycopg import Rollback

from leadwright import ids
from leadwright.accounts.model import Workspace
from leadwright.campaigns import counters, store
from leadwright.campaigns.model import Counter, Totals
from leadwright.postgres.pool import Connection, Database

MakeCampaign = Callable[..., Awaitable[str]]


async def leads(connection: Connection, workspace: Workspace, campaign_id: str) -> int:
    return (await counters.totals(connection, workspace.id, [campaign_id]))[campaign_id].leads


async def waiting(connection: Connection) -> int:
    cursor = await connection.execute("SELECT count(*) FROM campaign_counter_delta")
    row = await cursor.fetchone()
    assert row is not None
    return row[0]


async def fold_all(database: Database) -> None:
    folded = 1
    while folded:
        async with database.transaction() as connection:
            folded = await counters.fold(connection)


async def test_deltas_add_up_before_and_after_folding(database: Database, workspace: Workspace) -> None:
    one, two, none = ids.new_ids(3)
    async with database.session() as connection:
        await counters.add(connection, workspace.id, one, {"leads": 3, "active": 3, "replies_received": 0})
        await counters.add(connection, workspace.id, one, {"active": -1, Counter.MESSAGES_SENT: 2})
        await counters.add(connection, workspace.id, two, {"leads": 5})
        expected = {one: Totals(leads=3, active=2, messages_sent=2), two: Totals(leads=5), none: Totals()}
        assert await counters.totals(connection, workspace.id, [one, two, none]) == expected
        await fold_all(database)
        assert await waiting(connection) == 0
        assert await counters.totals(connection, workspace.id, [one, two, none]) == expected
        assert await counters.leads_of_workspace(connection, workspace.id) == 8


async def test_another_workspaces_counts_are_not_seen(
    database: Database, workspace: Workspace, other_workspace: Workspace
) -> None:
    campaign_id = ids.new_id()
    async with database.session() as connection:
        await counters.add(connection, workspace.id, campaign_id, {"leads": 3})
        assert await leads(connection, other_workspace, campaign_id) == 0


async def test_an_unknown_counter_is_refused(database: Database, workspace: Workspace) -> None:
    async with database.session() as connection:
        with pytest.raises(ValueError, match="'likes'"):
            await counters.add(connection, workspace.id, ids.new_id(), {"likes": 1})


async def test_a_fold_takes_as_many_as_it_may(database: Database, workspace: Workspace) -> None:
    campaign_id = ids.new_id()
    await fold_all(database)
    for _ in range(5):
        async with database.session() as connection:
            await counters.add(connection, workspace.id, campaign_id, {"leads": 1})
    folded: list[int] = []
    for _ in range(4):
        async with database.transaction() as connection:
            folded.append(await counters.fold(connection, 2))
            assert await leads(connection, workspace, campaign_id) == 5
    assert folded == [2, 2, 1, 0]


async def test_a_fold_that_is_undone_loses_nothing(database: Database, workspace: Workspace) -> None:
    campaign_id = ids.new_id()
    await fold_all(database)
    async with database.session() as connection:
        await counters.add(connection, workspace.id, campaign_id, {"leads": 7})
        async with connection.transaction():
            assert await counters.fold(connection) == 1
            raise Rollback
        assert await waiting(connection) == 1
        assert await leads(connection, workspace, campaign_id) == 7


async def test_one_folds_at_a_time_and_the_other_does_not_wait(database: Database, workspace: Workspace) -> None:
    campaign_id = ids.new_id()
    await fold_all(database)
    async with database.session() as connection:
        await counters.add(connection, workspace.id, campaign_id, {"leads": 1})
    async with database.transaction() as first, database.transaction() as second:
        assert await counters.fold(first) == 1
        async with database.session() as connection:
            await counters.add(connection, workspace.id, campaign_id, {"leads": 1})
        assert await counters.fold(second) == 0
        assert await leads(first, workspace, campaign_id) == 2
        assert await leads(second, workspace, campaign_id) == 2


@dataclass
class Ledger:
    """How many deltas of 1 were begun and how many have certainly been committed."""

    begun: int = 0
    committed: int = 0
    writers: int = 8

    @property
    def writing(self) -> bool:
        return self.writers > 0


async def test_readers_never_see_a_delta_twice_or_not_at_all(database: Database, workspace: Workspace) -> None:
    campaign_id = ids.new_id()
    ledger = Ledger()

    async def write() -> None:
        for _ in range(60):
            async with database.transaction() as connection:
                ledger.begun += 1
                await counters.add(connection, workspace.id, campaign_id, {"leads": 1, "active": 1})
            ledger.committed += 1
        ledger.writers -= 1

    async def fold() -> None:
        while ledger.writing:
            async with database.transaction() as connection:
                await counters.fold(connection, 25)

    async def read() -> int:
        readings = 0
        while ledger.writing:
            least = ledger.committed
            async with database.session() as connection:
                seen = (await counters.totals(connection, workspace.id, [campaign_id]))[campaign_id]
            assert least <= seen.leads <= ledger.begun
            assert seen.leads == seen.active
            readings += 1
        return readings

    async with asyncio.TaskGroup() as together:
        readings = together.create_task(read())
        for task in (read(), fold(), fold(), *(write() for _ in range(ledger.writers))):
            together.create_task(task)
    assert readings.result() > 10
    async with database.session() as connection:
        assert await leads(connection, workspace, campaign_id) == 480
    await fold_all(database)
    async with database.session() as connection:
        assert await waiting(connection) == 0
        assert await leads(connection, workspace, campaign_id) == 480


async def test_deleting_a_campaign_while_its_counts_are_folded_leaves_nothing(
    database: Database,
    workspace: Workspace,
    make_campaign: MakeCampaign,
    until_blocked: Callable[[int], Awaitable[None]],
) -> None:
    campaign_id = await make_campaign()
    async with database.session() as connection:
        await counters.add(connection, workspace.id, campaign_id, {"leads": 4})

    async def delete(connection: Connection) -> None:
        async with connection.transaction():
            await store.delete(connection, workspace.id, campaign_id)

    async with database.session() as deleting:
        async with database.transaction() as folding:
            assert await counters.fold(folding) > 0
            deletion = asyncio.create_task(delete(deleting))
            await until_blocked(deleting.info.backend_pid)
        await deletion
        assert await leads(deleting, workspace, campaign_id) == 0
