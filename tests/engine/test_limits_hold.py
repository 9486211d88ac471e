"""Caps, gaps, windows and the most new leads a day, with any number of workers."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from tests.engine.conftest import World, step

from leadwright.campaigns.schedule import Schedule, Weekday
from leadwright.engine.worker import Engine
from leadwright.senders.limits import Limits, QuotaKind

WORKDAYS = tuple(Weekday)[:5]
CAPPED = Limits({QuotaKind.CONNECTIONS: 5}, {QuotaKind.CONNECTIONS: 12}, timedelta())


def per_day(world: World) -> dict[str, int]:
    days: dict[str, int] = {}
    for deed in world.recorder.deeds:
        days[deed.at.date().isoformat()] = days.get(deed.at.date().isoformat(), 0) + 1
    return days


async def test_daily_and_weekly_caps(world: World) -> None:
    sender = await world.sender(limits=CAPPED)
    campaign = await world.campaign([step("connect")], senders=[sender])
    await world.add(campaign, *(f"p{n}" for n in range(20)))
    await world.run(days=9)
    assert per_day(world) == {
        "2026-03-02": 5,
        "2026-03-03": 5,
        "2026-03-04": 2,
        "2026-03-09": 5,
        "2026-03-10": 3,
    }


async def test_several_workers_keep_one_cap_together(world: World) -> None:
    sender = await world.sender(limits=CAPPED)
    first = await world.campaign([step("connect")], senders=[sender])
    second = await world.campaign([step("visit_profile"), step("connect")], senders=[sender])
    await world.add(first, *(f"a{n}" for n in range(15)))
    await world.add(second, *(f"b{n}" for n in range(15)))
    workers = [Engine(world.database, world.secrets, world.recorder, batch=4) for _ in range(4)]

    async def work(engine: Engine) -> None:
        idle = 0
        while idle < 3:
            busy = await engine.plan(world.now) | await engine.perform(world.now)
            idle = 0 if busy else idle + 1

    await asyncio.gather(*map(work, workers))
    assert world.recorder.kinds().count("connect") == 5
    assert len({deed.id for deed in world.recorder.deeds}) == len(world.recorder.deeds)


async def test_the_gap_lies_between_any_two_deeds(world: World) -> None:
    gap = timedelta(seconds=90)
    sender = await world.sender(limits=Limits({}, {}, gap))
    campaign = await world.campaign([step("visit_profile"), step("connect")], senders=[sender])
    await world.add(campaign, *(f"p{n}" for n in range(6)))
    await world.run(hours=1)
    times = [deed.at for deed in world.recorder.deeds]
    assert len(times) == 12
    assert all(gap <= later - sooner for sooner, later in pairwise(times))
    assert all(later - sooner <= 1.25 * gap + timedelta(seconds=1) for sooner, later in pairwise(times))


async def test_the_gap_is_kept_when_plans_have_piled_up(world: World) -> None:
    gap = timedelta(seconds=60)
    sender = await world.sender(limits=Limits({}, {}, gap))
    campaign = await world.campaign([step("connect")], senders=[sender])
    await world.add(campaign, *(f"p{n}" for n in range(3)))
    for _ in range(3):
        await world.plan()
        world.now += timedelta(seconds=80)
    await world.perform()
    assert len(world.recorder.deeds) == 1
    await world.run(minutes=10)
    times = [deed.at for deed in world.recorder.deeds]
    assert len(times) == 3
    assert all(gap <= later - sooner for sooner, later in pairwise(times))


async def test_nothing_happens_outside_the_window(world: World) -> None:
    schedule = Schedule("Europe/Berlin", WORKDAYS, 9 * 60, 12 * 60)
    sender = await world.sender(limits=Limits({QuotaKind.CONNECTIONS: 4}, {}, timedelta()))
    campaign = await world.campaign([step("connect")], senders=[sender], schedule=schedule)
    world.now = datetime(2026, 3, 6, 11, 30, tzinfo=UTC)  # a Friday; it is half past twelve in Berlin
    await world.add(campaign, *(f"p{n}" for n in range(6)))
    await world.run(days=5)
    times = [deed.at for deed in world.recorder.deeds]
    assert [time.isoformat() for time in (times[0], times[4])] == [
        "2026-03-09T08:00:00+00:00",
        "2026-03-10T08:00:00+00:00",
    ]
    assert len(times) == 6


async def test_a_plan_whose_window_has_closed_is_planned_anew(world: World) -> None:
    schedule = Schedule("UTC", WORKDAYS, 9 * 60, 12 * 60)
    campaign = await world.campaign([step("connect")], schedule=schedule)
    await world.add(campaign, "ada")
    await world.plan()
    world.now += timedelta(hours=4)
    await world.run(days=1)
    assert [deed.at.isoformat() for deed in world.recorder.deeds] == ["2026-03-03T09:00:00+00:00"]


async def test_leads_with_a_zone_of_their_own(world: World) -> None:
    schedule = Schedule("UTC", WORKDAYS, 9 * 60, 17 * 60)
    campaign = await world.campaign([step("visit_profile"), step("connect", after={"hours": 1})], schedule=schedule)
    await world.add(campaign, "ada", timeZone="America/New_York")
    await world.add(campaign, "bob")
    await world.run(days=1)
    times = {f"{deed.linkedin_url[-3:]} {deed.kind}": deed.at.hour for deed in world.recorder.deeds}
    assert times == {"ada visit_profile": 14, "ada connect": 15, "bob visit_profile": 9, "bob connect": 10}


async def test_most_new_leads_a_day(world: World) -> None:
    campaign = await world.campaign([step("visit_profile"), step("connect")], max_new_leads_per_day=3)
    await world.add(campaign, *(f"p{n}" for n in range(7)))
    await world.run(days=3)
    visits = [deed for deed in world.recorder.deeds if deed.kind == "visit_profile"]
    days = [deed.at.day for deed in visits]
    assert sorted((day, days.count(day)) for day in set(days)) == [(2, 3), (3, 3), (4, 1)]


async def test_leads_are_spread_by_free_quota_and_keep_their_sender(world: World) -> None:
    limits = [Limits({QuotaKind.CONNECTIONS: most}, {}, timedelta()) for most in (2, 6)]
    senders = [await world.sender(limits=limit) for limit in limits]
    campaign = await world.campaign([step("connect"), step("withdraw_connection")], senders=senders)
    await world.add(campaign, *(f"p{n}" for n in range(8)))
    await world.run()
    connects = [deed.sender.id for deed in world.recorder.deeds if deed.kind == "connect"]
    assert [connects.count(sender) for sender in senders] == [2, 6]
    by_lead = {deed.lead_id: deed.sender.id for deed in world.recorder.deeds if deed.kind == "connect"}
    assert all(by_lead[deed.lead_id] == deed.sender.id for deed in world.recorder.deeds)


async def test_a_raised_cap_works_at_once(world: World) -> None:
    sender = await world.sender(limits=Limits({QuotaKind.CONNECTIONS: 1}, {}, timedelta()))
    campaign = await world.campaign([step("connect")], senders=[sender])
    await world.add(campaign, "ada", "bob", "eve")
    await world.run()
    assert len(world.recorder.deeds) == 1
    await world.limit(sender, Limits({QuotaKind.CONNECTIONS: 2}, {}, timedelta()))
    await world.run()
    assert len(world.recorder.deeds) == 2
