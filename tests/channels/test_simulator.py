"""The simulated network: seeded, deterministic, and exactly what its rates say."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from leadwright import ids
from leadwright.channels import simulator_store
from leadwright.channels.channel import Deed, Done, InboundFact, Permanent, RateLimited, SenderDown, Temporary, Unknown
from leadwright.channels.simulated_network import SimulatorConfig, accepts, chance, happening, replies
from leadwright.channels.simulator import DEED_DAYS, Simulator, due_facts, forget_old
from leadwright.engine.sequence import StepType
from leadwright.identity import Identity, IdentityKind
from leadwright.postgres.pool import Database
from leadwright.senders.model import ChannelName, Sender

PEOPLE = [Identity(IdentityKind.SLUG, f"person-{number}") for number in range(2_000)]
PERSONS = st.text(min_size=1, max_size=20).map(lambda key: Identity(IdentityKind.SLUG, key))


def config(**fields: Any) -> SimulatorConfig:
    return SimulatorConfig.model_validate(fields)


@given(PERSONS, st.integers(0, 2**53))
def test_a_rate_of_one_is_everyone_exactly_that_long_after_and_of_nought_nobody(person: Identity, seed: int) -> None:
    all_ = config(seed=seed, acceptRate=1, acceptAfter={"hours": 5}, replyRate=1, replyAfter={"minutes": 3})
    assert accepts(all_, person) == timedelta(hours=5)
    assert replies(all_, person) == timedelta(minutes=3)
    none = config(seed=seed, acceptRate=0, replyRate=0)
    assert (accepts(none, person), replies(none, person)) == (None, None)


@given(PERSONS, st.integers(0, 2**53), st.text(max_size=5))
def test_dice_are_fixed_and_never_one(person: Identity, seed: int, question: str) -> None:
    first = chance(config(seed=seed), person, question)
    assert 0 <= first < 1
    assert chance(config(seed=seed), person, question) == first


@pytest.mark.parametrize("rate", [0.1, 0.35, 0.8])
def test_a_rate_is_a_share_of_people_and_another_seed_other_people(rate: float) -> None:
    one = {person for person in PEOPLE if accepts(config(acceptRate=rate), person)}
    other = {person for person in PEOPLE if accepts(config(acceptRate=rate, seed=2), person)}
    assert len(one) / len(PEOPLE) == pytest.approx(rate, abs=0.04)
    assert len(one & other) / len(PEOPLE) == pytest.approx(rate * rate, abs=0.04)


def test_whoever_accepts_at_a_rate_accepts_at_a_higher_one() -> None:
    few = {person for person in PEOPLE if accepts(config(acceptRate=0.2), person)}
    more = {person for person in PEOPLE if accepts(config(acceptRate=0.4), person)}
    assert few < more


def test_lags_differ_within_the_spread() -> None:
    lags = {accepts(config(acceptRate=1, acceptAfter={"hours": 10}, lagSpread=0.5), person) for person in PEOPLE}
    assert len(lags) > 1_000
    assert all(lag and timedelta(hours=5) <= lag <= timedelta(hours=15) for lag in lags)


Made = Callable[..., Any]


@pytest.fixture
def simulator(database: Database) -> Simulator:
    return Simulator(database)


async def facts_of(database: Database, sender: Sender, until: datetime) -> list[InboundFact]:
    async with database.transaction() as connection:
        return [fact for _, of, fact in await due_facts(connection, until, 1_000) if of == sender.id]


async def test_an_invitation_is_accepted_and_a_message_answered_once_when_it_is_time(
    simulator: Simulator, database: Database, make_sender: Made, make_deed: Made
) -> None:
    sender = make_sender(
        ChannelName.SIMULATOR,
        acceptRate=1,
        acceptAfter={"hours": 2},
        replyRate=1,
        replyAfter={"hours": 1},
        replyText="Tell me more",
    )
    invitation = make_deed(sender)
    message = make_deed(sender, StepType.MESSAGE)
    assert await simulator.perform(invitation) == Done(invitation.id)
    assert await simulator.perform(message) == Done(message.id)
    await simulator.perform(make_deed(sender, StepType.VISIT_PROFILE))
    url, at = invitation.linkedin_url, invitation.at
    assert await facts_of(database, sender, at + timedelta(minutes=59)) == []
    [reply] = await facts_of(database, sender, at + timedelta(hours=1))
    assert reply == InboundFact("reply", url, at + timedelta(hours=1), "Tell me more", f"{message.id}-reply")
    [accepted] = await facts_of(database, sender, at + timedelta(days=9))
    assert accepted == InboundFact(
        "connection_accepted", url, at + timedelta(hours=2), None, f"{invitation.id}-connection_accepted"
    )
    assert await facts_of(database, sender, at + timedelta(days=9)) == []


async def test_a_fact_whose_telling_failed_is_told_again(
    simulator: Simulator, database: Database, make_sender: Made, make_deed: Made
) -> None:
    sender = make_sender(ChannelName.SIMULATOR, acceptRate=1)
    deed = make_deed(sender)
    await simulator.perform(deed)
    later = deed.at + timedelta(days=1)
    with pytest.raises(RuntimeError):
        await _take_and_fail(database, later)
    assert len(await facts_of(database, sender, later)) == 1


async def _take_and_fail(database: Database, at: datetime) -> None:
    async with database.transaction() as connection:
        assert await due_facts(connection, at, 1_000)
        raise RuntimeError


async def test_nobody_accepts_an_invitation_that_was_withdrawn(
    simulator: Simulator, database: Database, make_sender: Made, make_deed: Made
) -> None:
    sender = make_sender(ChannelName.SIMULATOR, acceptRate=1)
    deed: Deed = make_deed(sender)
    await simulator.perform(deed)
    an_hour_later = deed.at + timedelta(hours=1)
    withdrawal = make_deed(sender, StepType.WITHDRAW_CONNECTION, workspace_id=deed.workspace_id, at=an_hour_later)
    await simulator.perform(withdrawal)
    assert await facts_of(database, sender, deed.at + timedelta(days=9)) == []


async def test_the_next_fact_is_known_to_clocks_that_jump(
    simulator: Simulator, database: Database, make_sender: Made, make_deed: Made
) -> None:
    sender = make_sender(ChannelName.SIMULATOR, acceptRate=1, acceptAfter={"seconds": 5})
    deed = make_deed(sender, at=datetime(2020, 1, 1, tzinfo=UTC))
    await simulator.perform(deed)
    async with database.session() as connection:
        assert await simulator_store.next_due(connection) == deed.at + timedelta(seconds=5)
    await facts_of(database, sender, deed.at + timedelta(seconds=5))


async def test_with_a_failure_rate_of_one_nothing_can_be_done_and_nothing_follows(
    simulator: Simulator, database: Database, make_sender: Made, make_deed: Made
) -> None:
    sender = make_sender(ChannelName.SIMULATOR, failureRate=1, acceptRate=1)
    outcomes = [await simulator.perform(make_deed(sender, slug=f"fails-{n}")) for n in range(20)]
    assert all(isinstance(outcome, Permanent) for outcome in outcomes)
    assert len({outcome.code for outcome in outcomes if isinstance(outcome, Permanent)}) > 1
    assert await facts_of(database, sender, make_deed(sender).at + timedelta(days=9)) == []


async def test_a_passing_fault_passes(simulator: Simulator, make_sender: Made, make_deed: Made) -> None:
    deed: Deed = make_deed(make_sender(ChannelName.SIMULATOR, temporaryRate=1))
    assert isinstance(await simulator.perform(deed), Temporary)
    assert await simulator.perform(replace(deed, attempt=2)) == Done(deed.id)


async def test_a_lost_answer_is_found_by_asking(
    simulator: Simulator, database: Database, make_sender: Made, make_deed: Made
) -> None:
    sender = make_sender(ChannelName.SIMULATOR, lostAnswerRate=1, acceptRate=1)
    deed = make_deed(sender)
    assert isinstance(await simulator.reconcile(deed), Temporary)
    assert isinstance(await simulator.perform(deed), Unknown)
    assert await simulator.reconcile(deed) == Done(deed.id)
    assert len(await facts_of(database, sender, deed.at + timedelta(days=9))) == 1


async def test_people_who_are_connected_already_do_not_accept(
    simulator: Simulator, database: Database, make_sender: Made, make_deed: Made
) -> None:
    sender = make_sender(ChannelName.SIMULATOR, alreadyConnectedRate=1, acceptRate=1)
    outcome = await simulator.perform(make_deed(sender))
    assert isinstance(outcome, Done)
    assert outcome.found == "already_connected"
    assert await facts_of(database, sender, make_deed(sender).at + timedelta(days=9)) == []


async def test_member_tokens_are_told_and_are_the_persons_own(
    simulator: Simulator, make_sender: Made, make_deed: Made
) -> None:
    sender = make_sender(ChannelName.SIMULATOR, memberTokens=True)
    told = []
    for slug in ("one", "two", "one"):
        outcome = await simulator.perform(make_deed(sender, StepType.VISIT_PROFILE, slug=slug))
        assert isinstance(outcome, Done)
        told += outcome.known_as
    assert told[0] == told[2] != told[1]
    assert all(url.startswith("https://www.linkedin.com/in/ACoAA") for url in told)


async def test_an_account_that_does_too_much_is_limited_until_a_day_later(
    simulator: Simulator, make_sender: Made, make_deed: Made
) -> None:
    workspace = ids.new_id()
    sender = make_sender(ChannelName.SIMULATOR, rateLimitedAfter=2)
    first: Deed = make_deed(sender, workspace_id=workspace, slug="limited-1")
    assert isinstance(await simulator.perform(first), Done)
    second = make_deed(sender, workspace_id=workspace, slug="limited-2", at=first.at + timedelta(hours=1))
    assert isinstance(await simulator.perform(second), Done)
    third = make_deed(sender, workspace_id=workspace, slug="limited-3", at=first.at + timedelta(hours=2))
    limited = await simulator.perform(third)
    assert isinstance(limited, RateLimited)
    assert limited.retry_after == timedelta(hours=22)
    assert await simulator.perform(second) == Done(second.id)  # what was done is no new deed
    tomorrow = replace(third, at=first.at + timedelta(hours=24))
    assert isinstance(await simulator.perform(tomorrow), Done)


async def test_an_account_is_disconnected_for_good(simulator: Simulator, make_sender: Made, make_deed: Made) -> None:
    workspace = ids.new_id()
    sender = make_sender(ChannelName.SIMULATOR, disconnectedAfter=1)
    await simulator.perform(make_deed(sender, workspace_id=workspace))
    down = await simulator.perform(make_deed(sender, workspace_id=workspace, at=make_deed(sender).at + timedelta(30)))
    assert isinstance(down, SenderDown)
    assert down.retry_after is None


async def test_old_deeds_are_forgotten_but_not_how_many_they_were(
    simulator: Simulator, database: Database, make_sender: Made, make_deed: Made
) -> None:
    workspace = ids.new_id()
    sender = make_sender(ChannelName.SIMULATOR, disconnectedAfter=3)
    first: Deed = make_deed(sender, workspace_id=workspace, slug="old-1")
    later = first.at + timedelta(days=DEED_DAYS)
    await simulator.perform(first)
    await simulator.perform(make_deed(sender, workspace_id=workspace, slug="old-2", at=later))
    for _ in range(2):
        async with database.transaction() as connection:
            await forget_old(connection, later + timedelta(seconds=1))
    async with database.session() as connection:
        kept = "SELECT performed_at FROM simulated_deed WHERE workspace_id = %s"
        assert await (await connection.execute(kept, (workspace,))).fetchall() == [(later,)]
    assert isinstance(await simulator.perform(replace(first, id=ids.new_id(), at=later)), Done)
    down = await simulator.perform(replace(first, id=ids.new_id(), at=later + timedelta(days=90)))
    assert isinstance(down, SenderDown)


RATES = ("acceptRate", "replyRate", "failureRate", "temporaryRate", "lostAnswerRate", "alreadyConnectedRate")


def test_what_happens_depends_on_nothing_else(make_sender: Made, make_deed: Made) -> None:
    senders = [make_sender(ChannelName.SIMULATOR) for _ in range(2)]

    @given(st.integers(0, 100), st.floats(0, 1), st.integers(1, 3), st.sampled_from(list(StepType)))
    def check(seed: int, rate: float, attempt: int, kind: StepType) -> None:
        how = config(seed=seed, **dict.fromkeys(RATES, rate))
        one, other = (make_deed(sender, kind, attempt=attempt, id="a") for sender in senders)
        assert happening(how, one) == happening(how, other)

    check()
