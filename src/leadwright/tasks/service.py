"""Showing what waits for a person, and taking down what came of it."""

from collections.abc import Sequence
from datetime import datetime

from leadwright.campaigns import service as campaigns
from leadwright.channels.channel import Done, Outcome
from leadwright.engine import service as engine
from leadwright.errors import Conflict, NotFound
from leadwright.postgres.counting import Total
from leadwright.postgres.pool import Connection
from leadwright.senders import service as senders
from leadwright.tasks import store
from leadwright.tasks.model import State, Task, Wanted


async def page(
    connection: Connection, workspace_id: str, wanted: Wanted, *, after: str | None, offset: int, limit: int
) -> tuple[Sequence[Task], Total]:
    """Tasks to be done, oldest first behind the bare id ``after``, and how many there are.

    Raises NotFound for a campaign or sender that the workspace does not have.
    """
    if wanted.campaign_id and not await campaigns.exists(connection, workspace_id, wanted.campaign_id):
        raise campaigns.not_found()
    if wanted.sender_id and not await senders.was_there(connection, workspace_id, wanted.sender_id):
        raise senders.not_found()
    found = await store.page(connection, workspace_id, wanted, after=after, offset=offset, limit=limit)
    return found, await store.count(connection, workspace_id, wanted)


async def read(connection: Connection, workspace_id: str, task_id: str | None) -> Task:
    """Also one that is over. Raises NotFound."""
    found = await store.task(connection, workspace_id, task_id) if task_id else None
    if found is None:
        raise NotFound("Task not found", code="task_not_found")
    return found


async def resolve(
    connection: Connection, workspace_id: str, task_id: str | None, outcome: Outcome, now: datetime
) -> Task:
    """Takes down what came of a task, and its lead goes on.

    That it was done is believed also of one that was taken off the list meanwhile, as of any deed. Raises NotFound, and
    Conflict for one that somebody has answered.
    """
    found = await read(connection, workspace_id, task_id)
    if found.state is State.OPEN and await engine.resolve(connection, workspace_id, found.id, outcome, now):
        return found
    over = await read(connection, workspace_id, found.id)  # perhaps somebody was faster
    if over.state is State.CANCELLED and isinstance(outcome, Done):
        await engine.report(connection, workspace_id, over.id, outcome, now)
        return over
    raise Conflict(f"The task is over already: it is {over.state}", code="task_over")
