"""One process of ``bench.engine``: works until nothing is due, as the engine does or as a bare loop does.

Says ``ready``, waits for a line, works, and prints what it did as one JSON object.
"""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any, LiteralString

import psycopg
import uvloop

from bench.engine_fill import NOW, SECRETS
from bench.engine_rows import side_by_side
from leadwright.channels.channel import Channel, Deed, Done, Outcome
from leadwright.cli.process import calm_collector
from leadwright.engine.sequence import StepType
from leadwright.engine.worker import BATCH, Engine
from leadwright.postgres.pool import Database
from leadwright.senders.model import Sender

_CLAIM_LANE: LiteralString = """
    SELECT l.id, l.workspace_id FROM lane l
    JOIN campaign c ON c.workspace_id = l.workspace_id AND c.id = l.campaign_id
    WHERE l.open_at <= %(now)s AND c.status = 'started'
      AND (SELECT e.due_at FROM enrolment e WHERE e.lane_id = l.id AND e.state = 'due'
           ORDER BY e.due_at LIMIT 1) <= %(now)s
    ORDER BY l.open_at, l.id LIMIT 1 FOR UPDATE OF l SKIP LOCKED
"""
_CLAIM = """
    SELECT e.lead_id::text, e.token FROM enrolment e
    WHERE e.lane_id = %(lane)s AND e.state = 'due' AND e.due_at <= %(now)s
    ORDER BY e.due_at LIMIT %(batch)s FOR UPDATE SKIP LOCKED
"""
_ADVANCE = """
    UPDATE enrolment e SET step_id = 'bump', due_at = %(now)s::timestamptz + interval '1 day', token = r.token + 1,
        status = 'CONNECTION_SENT', updated_at = %(now)s
    FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(id uuid, token bigint)
    WHERE e.workspace_id = %(workspace)s AND e.lead_id = r.id AND e.token = r.token
"""


class NoOp:
    """A channel that has done everything before it is asked."""

    name = "no-op"
    performs = frozenset(StepType)

    def __init__(self) -> None:
        self.deeds = 0

    def of(self, sender: Sender) -> Channel:
        del sender
        return self

    async def perform(self, deed: Deed) -> Outcome:
        del deed
        self.deeds += 1
        return Done()

    async def reconcile(self, deed: Deed) -> Outcome:
        del deed
        return Done()


Run = Callable[[], Awaitable[int]]


SIDE_BY_SIDE = 2
"""As a server's: what has come back is written down while the next deeds are planned."""


async def engine(conninfo: str, report: Callable[[Run], Awaitable[None]]) -> None:
    """Plans, renders, performs with a channel that does nothing, records: leads a second are those through with it."""
    database = Database(conninfo, size=4)
    await database.open()
    channel = NoOp()
    worker = Engine(database, SECRETS, channel)

    async def advance() -> None:
        while await worker.advance(NOW):
            pass

    async def run() -> int:
        before = channel.deeds
        await asyncio.gather(*(advance() for _ in range(SIDE_BY_SIDE)))
        return channel.deeds - before

    await report(run)
    await database.close()


async def rows(conninfo: str, report: Callable[[Run], Awaitable[None]]) -> None:
    """Writes what the engine writes, and does nothing else, on as many connections."""
    await report(lambda: side_by_side(conninfo, _CLAIM_LANE, NOW, BATCH, SIDE_BY_SIDE))


async def bare(conninfo: str, report: Callable[[Run], Awaitable[None]]) -> None:
    """Claims a lane and as many of its leads, moves them on, commits: holds them by their locks alone meanwhile."""
    connection = await psycopg.AsyncConnection.connect(conninfo, autocommit=False, prepare_threshold=0)

    async def step() -> int | None:
        given: dict[str, Any] = {"now": NOW, "batch": BATCH}
        lane = await (await connection.execute(_CLAIM_LANE.encode(), given)).fetchone()
        if lane is None:
            await connection.commit()
            return None
        claimed = await (await connection.execute(_CLAIM.encode(), given | {"lane": lane[0]})).fetchall()
        rows = json.dumps([{"id": lead, "token": token} for lead, token in claimed])
        await connection.execute(_ADVANCE.encode(), {"rows": rows, "now": NOW, "workspace": lane[1]})
        await connection.commit()
        return len(claimed)

    async def run() -> int:
        moved = 0
        while (count := await step()) is not None:
            moved += count
        return moved

    await report(run)
    await connection.close()


async def poll(conninfo: str, report: Callable[[Run], Awaitable[None]]) -> None:
    """Looks a thousand times where nothing is due."""
    database = Database(conninfo, size=2)
    await database.open()
    worker = Engine(database, SECRETS, NoOp())

    async def run() -> int:
        for _ in range(1000):
            assert not await worker.advance(NOW)
            assert not await worker.perform(NOW)
        return 1000

    await report(run)
    await database.close()


async def _report(run: Run) -> None:
    """A pass for each line that is read, the first of which warms up."""
    print("ready", flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        began = time.perf_counter()
        done = await run()
        print(json.dumps({"done": done, "seconds": time.perf_counter() - began}), flush=True)


def main() -> None:
    what, conninfo = sys.argv[1:3]
    works = {"engine": engine, "rows": rows, "bare": bare, "poll": poll}
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        calm_collector()  # for all, as in the server, and on its loop
        runner.run(works[what](conninfo, _report))


if __name__ == "__main__":
    main()
