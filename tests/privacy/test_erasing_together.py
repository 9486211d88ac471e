"""Erasing beside others that hold what it wants: nobody is kept waiting for ever, and no caller hears of it."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from tests.privacy.conftest import MARK, NOW, URL, Planted

from leadwright import ids
from leadwright.channels import simulator_store
from leadwright.engine import service as engine
from leadwright.people import service as people
from leadwright.postgres.pool import Connection, Database
from leadwright.suppression import store as suppression_store

ERASE = "/v1/privacy/erase"
LATER = datetime(2900, 1, 1, tzinfo=UTC)
"""So that the server's own duty leaves the fact to the test."""


async def add_fact(database: Database, planted: Planted) -> str:
    """The bare id of a simulated sender that the person will answer."""
    sender = await planted.client.post(
        "/v1/senders", json={"name": "S", "linkedinUrl": "in/sender-s", "channel": "simulator"}
    )
    sender_id = ids.bare(ids.Prefix.SENDER, sender.json()["id"]) or ""
    async with database.transaction() as connection:
        await connection.execute(
            """
            INSERT INTO simulated_fact (workspace_id, sender_id, external_id, type, linkedin_url, text, due_at)
            VALUES (%s, %s, %s, 'reply', %s, %s, %s)
            """,
            (planted.workspace_id, sender_id, MARK, URL, MARK, LATER),
        )
    return sender_id


async def test_whoever_tells_what_the_person_did_and_erasing_do_not_wait_for_each_other(
    planted: Planted, database: Database, search: Any
) -> None:
    """The teller holds the fact, and then wants what erasing holds: who is whom."""
    sender_id = await add_fact(database, planted)
    async with database.transaction() as connection:
        told = await simulator_store.take_due(connection, LATER, 1000)
        ((_, _, fact),) = [each for each in told if each[1] == sender_id]
        async with asyncio.timeout(20):
            answer = await planted.client.post(ERASE, json={"linkedinUrl": URL})
        assert answer.status_code == 200, answer.text
        assert await engine.receive(connection, planted.workspace_id, sender_id, fact, NOW) == engine.Received(
            False, None
        )
    assert await search() == set()


async def is_waited_for(connection: Connection) -> None:
    """Returns when somebody waits for a lock that this connection holds."""
    waiting = False
    while not waiting:
        cursor = await connection.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid)))"
        )
        waiting = await cursor.fetchone() == (True,)


async def test_a_request_that_the_database_undid_for_a_deadlock_is_run_again(
    planted: Planted, database: Database
) -> None:
    """Erasing waits first, so it is the one that the database undoes, a second later."""
    async with database.transaction() as connection:
        await suppression_store.hold_alone(connection, planted.workspace_id)
        erasing = asyncio.create_task(planted.client.post(ERASE, json={"linkedinUrl": URL}))
        await is_waited_for(connection)
        await people.hold_alone(connection, planted.workspace_id)
    answer = await erasing
    assert answer.status_code == 200, answer.text
    assert answer.json()["leadsErased"] == 3
