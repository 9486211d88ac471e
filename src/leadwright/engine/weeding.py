"""Walks through the leads of a workspace whose do-not-contact list has grown, some at a time."""

from datetime import datetime

from leadwright.engine import skipping, skipping_store
from leadwright.engine.skipping_store import Passed
from leadwright.engine.store import KINDS
from leadwright.identity import Identity
from leadwright.postgres.pool import Database
from leadwright.suppression import service as suppression
from leadwright.suppression.service import Approached

LEADS_AT_ONCE = 2_000


async def weed(database: Database, now: datetime, *, leads: int = LEADS_AT_ONCE) -> bool:
    """Looks at some leads on their way, and lets go of those that the list names; whether there were any to look at."""
    async with database.transaction() as connection:
        walk = await skipping_store.take_walk(connection)
        if walk is None:
            return False
        found = await skipping_store.next_of(connection, walk, leads)
        listed = await suppression.suppressed(connection, walk.workspace_id, [_approached(each) for each in found])
        await skipping.let_go(connection, walk.workspace_id, sorted(listed), now)
        if len(found) < leads:
            await skipping_store.end(connection, walk)
        else:
            await skipping_store.go_on(connection, walk, found[-1].lead_id)
        return True


def _approached(lead: Passed) -> Approached:
    identity = Identity(KINDS[lead.identity_kind], lead.identity_key)
    return Approached(lead.lead_id, identity.text, lead.email, lead.company)
