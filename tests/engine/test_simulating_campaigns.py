"""What a simulation and a forecast take of the senders that a campaign has, and when there is nothing to play."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.engine.conftest import FREE, World, step

from leadwright.campaigns.schedule import Schedule, Weekday
from leadwright.crypto import SecretBox
from leadwright.engine.forecast_service import Assumed, Prospect, foresee, prospect
from leadwright.engine.simulate import Timeline, simulate
from leadwright.engine.simulate_service import NotPlayable, of_campaign, of_sequence
from leadwright.senders.model import ChannelName

STEPS = [step("connect"), step("message")]
SUNDAYS = Schedule("UTC", (Weekday.SUNDAY,), 9 * 60, 10 * 60)
MONDAYS = Schedule("UTC", (Weekday.MONDAY,), 9 * 60, 10 * 60)


async def simulated(world: World, **config: Any) -> str:
    return await world.sender(channel=ChannelName.SIMULATOR, config=config, limits=FREE)


async def played(world: World, campaign: str, *, leads: int = 10, seed: int | None = None) -> Timeline:
    async with world.database.session() as connection:
        play = await of_campaign(
            connection, lambda: world.secrets, world.workspace_id, campaign, leads, seed, world.now
        )
    return simulate(play)


async def foreseen(world: World, campaign: str, assumed: Assumed | None = None) -> Prospect:
    async with world.database.session() as connection:
        return await prospect(
            connection, lambda: world.secrets, world.workspace_id, campaign, 30, assumed or Assumed(), world.now
        )


async def test_people_behave_as_the_config_of_their_sender_says(world: World) -> None:
    sender = await simulated(world, acceptRate=1, acceptAfter={"seconds": 5}, replyRate=1, replyText="Gladly")
    found = await played(world, await world.campaign(STEPS, senders=[sender], start=False), leads=20)
    assert (found.counts["connect"], found.counts["accepted"], found.counts["replied"]) == (20, 20, 20)
    accepted = next(line.at for line in found.lines if line.what == "accepted")
    assert accepted - world.now == timedelta(seconds=5)
    assert {line.text for line in found.lines if line.what == "replied"} == {"Gladly"}


async def test_a_seed_that_is_given_wins_over_that_of_the_sender(world: World) -> None:
    by_seed = {seed: await simulated(world, acceptRate=0.5, seed=seed) for seed in (1, 2)}
    campaigns = {seed: await world.campaign(STEPS, senders=[each], start=False) for seed, each in by_seed.items()}
    for campaign in campaigns.values():
        await world.add(campaign, *(f"person-{n}" for n in range(30)))

    async def accepting(campaign: str, seed: int | None) -> list[str]:
        found = await played(world, campaign, leads=30, seed=seed)
        return sorted(line.lead for line in found.lines if line.what == "accepted")

    assert await accepting(campaigns[1], None) != await accepting(campaigns[2], None)
    assert await accepting(campaigns[1], 7) == await accepting(campaigns[2], 7)


async def test_who_is_connected_already_is_not_invited(world: World) -> None:
    sender = await simulated(world, alreadyConnectedRate=1, acceptRate=0, replyRate=0)
    campaign = await world.campaign(STEPS, senders=[sender], start=False)
    found = await played(world, campaign)
    assert (found.counts["connect"], found.counts["already_connected"], found.counts["message"]) == (0, 10, 10)
    await world.add(campaign, "ada", "bob")
    outlook = await foreseen(world, campaign)
    assert foresee(outlook).found.touches["messages"] == 2


async def test_a_forecast_assumes_what_the_networks_of_its_senders_do(world: World) -> None:
    sender = await simulated(world, acceptRate=1, acceptAfter={"hours": 2}, replyRate=0.5, replyAfter={"hours": 1})
    campaign = await world.campaign(STEPS, senders=[sender], start=False)
    found = await foreseen(world, campaign)
    assumed = found.outlook.assumptions
    assert (assumed.accept_rate, assumed.accept_after) == (1, timedelta(hours=2))
    assert (assumed.reply_rate, assumed.reply_after) == (0.5, timedelta(hours=1))
    assert (found.accepting_from, found.replying_from) == ("simulator", "simulator")
    told = await foreseen(world, campaign, Assumed(accept_rate=0.2, reply_rate=0))
    assert (told.outlook.assumptions.accept_rate, told.accepting_from, told.replying_from) == (0.2, "caller", "caller")


async def test_a_sender_without_a_network_has_usual_people(world: World) -> None:
    crew = [await simulated(world, acceptRate=1), await world.sender()]
    mixed = await foreseen(world, await world.campaign(STEPS, senders=crew, start=False))
    assert mixed.outlook.assumptions.accept_rate == pytest.approx((1 + 0.35) / 2)

    def never() -> SecretBox:
        raise AssertionError("no configuration need be opened")

    real = await world.campaign(STEPS, senders=crew[1:], start=False)
    async with world.database.session() as connection:
        found = await prospect(connection, never, world.workspace_id, real, 30, Assumed(), world.now)
    assert (found.outlook.assumptions.accept_rate, found.accepting_from) == (0.35, "default")


@pytest.mark.parametrize(
    ("steps", "senders", "reason"),
    [
        ([], 1, "the sequence has no steps"),
        (STEPS, 0, "the campaign has no sender"),
        ([{"id": "mail", "type": "email", "subject": "s", "text": "t"}], 1, "can do email"),
    ],
)
async def test_what_cannot_be_started_is_not_played(
    world: World, steps: list[dict[str, Any]], senders: int, reason: str
) -> None:
    campaign = await world.campaign(steps, senders=senders, start=False)
    with pytest.raises(NotPlayable, match=reason):
        await played(world, campaign)


def test_a_sequence_that_nobody_can_perform_is_not_played() -> None:
    for steps in ([], [{"id": "mail", "type": "email", "subject": "s", "text": "t"}]):
        with pytest.raises(NotPlayable):
            of_sequence({"steps": steps}, 3, None, datetime(2026, 3, 2))  # noqa: DTZ001 -- nothing is played


async def test_when_no_lead_begins_it_is_told_why(world: World) -> None:
    sender = await world.sender(channel=ChannelName.SIMULATOR, schedule=MONDAYS)
    apart = await world.campaign(STEPS, senders=[sender], schedule=SUNDAYS, start=False)
    assert (await played(world, apart)).why_nothing == "the hours of the campaign and of its senders never meet"
    await world.disconnect(sender)
    alone = await world.campaign(STEPS, senders=[sender], start=False)
    assert (await played(world, alone)).why_nothing == "no sender of the campaign is active"


def test_no_two_invented_people_share_a_name() -> None:
    people = of_sequence({"steps": STEPS}, 10_000, None, datetime(2026, 3, 2)).characters  # noqa: DTZ001 -- as above
    assert len({each.shown for each in people}) == len({each.identity for each in people}) == 10_000
    assert all(each.shown.replace(" ", "").isalpha() for each in people[:100])
