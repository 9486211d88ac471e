"""A task that nobody has done gives its quota back whatever takes its lead away."""

from datetime import timedelta

from tests.engine.conftest import World, step, url

from leadwright.channels.channel import Later
from leadwright.leads import service as leads
from leadwright.senders.limits import Limits, QuotaKind

CAPPED = Limits({QuotaKind.CONNECTIONS: 5}, {}, timedelta())


async def used(world: World) -> int:
    rows = await world.rows("SELECT coalesce(sum(used), 0)::int FROM sender_quota WHERE period = 'day'")
    return rows[0][0]


async def with_an_open_task(world: World) -> tuple[str, str]:
    campaign = await world.campaign([step("connect")], senders=[await world.sender(limits=CAPPED)])
    (lead,) = await world.add(campaign, "ada")
    world.recorder.answers[url("ada")] = [Later("person")]
    await world.run()
    assert await used(world) == 1
    return campaign, lead


async def test_a_lead_that_is_purged_while_a_person_has_its_task(world: World) -> None:
    _, lead = await with_an_open_task(world)
    async with world.database.transaction() as connection:
        await leads.remove(connection, world.workspace_id, lead, purge=True, now=world.now)
    assert (await used(world), await world.rows("SELECT 1 FROM action")) == (0, [])


async def test_a_campaign_that_is_deleted_while_a_person_has_a_task(world: World) -> None:
    campaign, _ = await with_an_open_task(world)
    await world.delete(campaign)
    assert (await used(world), await world.rows("SELECT 1 FROM action")) == (0, [])
