"""Several workers on one database, while people answer, pause, judge and edit: nothing breaks or happens twice."""

import asyncio
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from random import Random

from tests.engine.conftest import World, step, url

from leadwright.channels.channel import Temporary, Unknown
from leadwright.engine.worker import Engine
from leadwright.errors import InvalidRequest
from leadwright.leads import outcomes
from leadwright.leads.model import LeadStatus
from leadwright.leads.outcomes import Verdict
from leadwright.senders.limits import Limits, QuotaKind
from leadwright.suppression import service as suppression

NAMES = [f"p{n}" for n in range(60)]
CAP = 25


async def busy_day(world: World, dice: Random, campaigns: list[str], leads: list[str], senders: list[str]) -> None:
    """Whatever people do, in some order."""
    for _ in range(40):
        name = dice.choice(NAMES)
        match dice.randrange(6):
            case 0:
                await world.told(dice.choice(senders), name, "reply", text="Hello")
            case 1 | 2:
                await world.told(dice.choice(senders), name, "connection_accepted")
            case 3:
                async with world.database.transaction() as connection:
                    verdict = Verdict(LeadStatus.NOT_INTERESTED, None)
                    await outcomes.judge(connection, world.workspace_id, dice.choice(leads), verdict, world.now)
            case 4:
                async with world.database.transaction() as connection:
                    entries = [{"linkedinUrl": url(name)}]
                    await suppression.add(connection, world.workspace_id, entries, reason=None, now=world.now)
            case _:
                campaign = dice.choice(campaigns)
                with suppress(InvalidRequest):  # it has paused itself: too much failed
                    await world.act(campaign, "pause")
                await world.act(campaign, "resume")


async def work(world: World, engine: Engine, working: asyncio.Event) -> None:
    while not working.is_set():
        await engine.plan(world.now)
        await engine.perform(world.now)
        await engine.reconcile(world.now)
        await asyncio.sleep(0)


async def test_many_workers_on_a_busy_day(world: World) -> None:
    dice = Random(11)
    limits = Limits({QuotaKind.CONNECTIONS: CAP, QuotaKind.MESSAGES: CAP}, {}, timedelta())
    senders = [await world.sender(limits=limits) for _ in range(2)]
    steps = [step("visit_profile"), step("connect"), step("message"), step("follow")]
    campaigns = [await world.campaign(steps, senders=senders) for _ in range(2)]
    leads = [lead for campaign in campaigns for lead in await world.add(campaign, *NAMES)]
    for name in NAMES:
        faults = [Temporary("busy", retry_after=timedelta()), Unknown("lost")]
        world.recorder.answers[url(name)] = dice.sample(faults, dice.randrange(3))
    working = asyncio.Event()
    workers = [Engine(world.database, world.secrets, world.recorder, batch=7) for _ in range(4)]
    running = [asyncio.create_task(work(world, engine, working)) for engine in workers]
    for _ in range(3):
        await busy_day(world, dice, campaigns, leads, senders)
        world.now += timedelta(hours=6)
    working.set()
    await asyncio.gather(*running)
    assert_all_is_well(world)
    await assert_counts_agree(world, campaigns)


def assert_all_is_well(world: World) -> None:
    by_day = Counter((deed.sender.id, deed.kind, deed.at.date()) for deed in world.recorder.deeds)
    assert all(count <= CAP + retried(world) for (_, kind, _), count in by_day.items() if kind == "connect")


def retried(world: World) -> int:
    """Deeds that were tried more than once, and took their quota once."""
    return sum(deed.attempt > 1 for deed in world.recorder.deeds)


async def assert_counts_agree(world: World, campaigns: list[str]) -> None:
    over = await world.rows(
        "SELECT sender_id, kind, used FROM sender_quota WHERE period = 'day' AND used > %s AND kind <> 'visits'"
        " AND kind <> 'likes'",
        CAP,
    )
    assert over == []
    # What is taken is what was done or may have been: nothing is lost, nothing is given back twice.
    taken = await world.rows(
        "SELECT (SELECT coalesce(sum(used), 0) FROM sender_quota WHERE period = 'day')::int,"
        " (SELECT count(*) FROM action a CROSS JOIN jsonb_array_elements(a.quota) q WHERE q ->> 1 = 'day')::int"
    )
    assert taken[0][0] == taken[0][1]
    for campaign in campaigns:
        active = await world.rows(
            "SELECT count(*)::int FROM lead l LEFT JOIN enrolment e ON e.lead_id = l.id"
            " WHERE l.campaign_id = %s AND e.state IS DISTINCT FROM 'done'",
            campaign,
        )
        assert (await world.totals(campaign)).active == active[0][0]
    sent = await world.rows("SELECT count(*)::int FROM action WHERE kind = 'connect' AND state = 'done'")
    totals = [(await world.totals(campaign)).connections_sent for campaign in campaigns]
    assert sum(totals) == sent[0][0]
