"""The do-not-contact list has grown: leads that it names now are let go of, and judged at once."""

from collections.abc import Sequence
from datetime import datetime

from leadwright.engine import skipping_store
from leadwright.engine.stopping import withdraw
from leadwright.identity import Identity
from leadwright.postgres.pool import Connection

PERSONS_A_STATEMENT = 1_000


async def walk_through(connection: Connection, workspace_id: str) -> None:
    """After addresses, domains or companies were listed, by which no index finds leads: behind the request all leads of
    the workspace are walked through. To be called before ``persons_listed``, in the order in which locks are taken.
    """
    await skipping_store.begin_walk(connection, workspace_id)


async def persons_listed(connection: Connection, workspace_id: str, persons: Sequence[Identity], now: datetime) -> None:
    """After persons were listed, by their canonical keys."""
    found: list[str] = []
    for start in range(0, len(persons), PERSONS_A_STATEMENT):
        some = persons[start : start + PERSONS_A_STATEMENT]
        found += await skipping_store.leads_of_persons(connection, workspace_id, some)
    await let_go(connection, workspace_id, found, now)


async def let_go(connection: Connection, workspace_id: str, lead_ids: Sequence[str], now: datetime) -> None:
    """Plans and open tasks are taken back. What a channel is performing at this moment ends first."""
    if lead_ids:
        leased = await skipping_store.lock(connection, workspace_id, lead_ids)
        await withdraw(connection, workspace_id, leased, "suppressed", now)
        await skipping_store.judge(connection, workspace_id, lead_ids, now)
