"""What a sender has with a person: told in any order, late and twice, under any key."""

import asyncio
import random
from itertools import permutations
from typing import Any

import pytest

from leadwright import ids
from leadwright.inbox import service
from leadwright.inbox.model import STRANGERS, ConnectionState, Note
from leadwright.people import service as people

NONE, INVITED, CONNECTED = ConnectionState


async def test_strangers_have_nothing(box: Any) -> None:
    assert await box.with_person("nobody") == STRANGERS


async def test_an_invitation_that_is_accepted(box: Any) -> None:
    lead = ids.new_id()
    await box.note("invited", "jane", at=box.at(0), lead_id=lead)
    invited = await box.with_person("jane")
    assert (invited.state, invited.invited_at, invited.last_lead_id) == (INVITED, box.at(0), lead)
    assert await box.note("connected", "jane", at=box.at(5)) == {(box.sender_id, box.person("jane"))}
    connected = await box.with_person("jane")
    assert (connected.state, connected.invited_at, connected.connected_at) == (CONNECTED, box.at(0), box.at(5))
    assert connected.last_lead_id == lead


async def test_the_second_telling_is_no_news(box: Any) -> None:
    await box.note("connected", "jane", "bob", at=box.at(1))
    assert await box.note("connected", "bob", "ann", at=box.at(2)) == {(box.sender_id, box.person("ann"))}
    assert (await box.with_person("bob")).connected_at == box.at(1)


async def test_an_invitation_told_late_does_not_undo_the_connection(box: Any) -> None:
    await box.note("connected", "jane", at=box.at(5))
    await box.note("invited", "jane", at=box.at(0))
    known = await box.with_person("jane")
    assert (known.state, known.connected_at, known.invited_at) == (CONNECTED, box.at(5), box.at(0))


async def test_a_withdrawn_invitation_is_open_no_more(box: Any) -> None:
    pair = (box.sender_id, box.person("jane"))
    await box.note("invited", "jane", at=box.at(0))
    assert await box.note("withdrawn", "jane", "stranger", at=box.at(9)) == {pair}
    assert await box.note("withdrawn", "jane", at=box.at(10)) == frozenset()
    assert (await box.with_person("jane")).state is NONE
    await box.note("invited", "jane", at=box.at(20))
    assert (await box.with_person("jane")).invited_at == box.at(20)


async def test_withdrawing_does_not_touch_a_later_invitation_or_a_connection(box: Any) -> None:
    await box.note("invited", "jane", at=box.at(20))
    await box.note("connected", "bob", at=box.at(0))
    assert await box.note("withdrawn", "jane", "bob", at=box.at(9)) == frozenset()
    assert (await box.with_person("jane")).state is INVITED
    assert (await box.with_person("bob")).state is CONNECTED


async def test_a_connection_that_was_none(box: Any) -> None:
    await box.note("connected", "jane", at=box.at(0))
    assert await box.note("not_connected", "jane", at=box.at(9)) == {(box.sender_id, box.person("jane"))}
    assert (await box.with_person("jane")).state is NONE


@pytest.mark.parametrize("order", [*permutations(range(3))])
async def test_an_accepted_invitation_is_connected_in_whatever_order_it_is_told(
    make_box: Any, order: tuple[int, ...]
) -> None:
    box = await make_box()
    tellings = [("invited", 0), ("connected", 5), ("connected", 6)]
    for n in order:
        what, at = tellings[n]
        await box.note(what, "jane", at=box.at(at))
    assert (await box.with_person("jane")).state is CONNECTED


async def test_what_one_sender_has_is_not_anothers_nor_another_workspaces(box: Any, make_box: Any) -> None:
    await box.note("connected", "jane")
    stranger = (ids.new_id(), box.person("jane"))
    async with box.database.session() as connection:
        known = await service.relationships(connection, box.workspace_id, [stranger])
        elsewhere = await service.relationships(
            connection, (await make_box()).workspace_id, [(box.sender_id, box.person("jane"))]
        )
    assert {*known.values(), *elsewhere.values()} == {STRANGERS}


async def test_a_person_is_one_under_every_key_in_one_batch(box: Any) -> None:
    slug, token = box.person("jane"), box.person("ACoAAjane")
    async with box.database.transaction() as connection:
        await people.learn_alias(connection, box.workspace_id, slug, token, box.at(0))
    notes = [Note(box.sender_id, slug, box.at(1)), Note(box.sender_id, token, box.at(0))]
    async with box.database.transaction() as connection:
        await service.note_invited(connection, box.workspace_id, notes)
        news = await service.note_connected(connection, box.workspace_id, [notes[1]])
    assert news == {(box.sender_id, token)}
    assert await box.with_person("jane") == await box.with_person("ACoAAjane")
    assert (await box.with_person("jane")).state is CONNECTED


async def test_the_lead_contacted_last_goes_by_the_time_of_the_contact(box: Any) -> None:
    first, second, third = (ids.new_id() for _ in range(3))
    await box.note("invited", "jane", at=box.at(0), lead_id=first)
    await box.keep(box.message("jane", at=box.at(10), lead_id=second))
    await box.keep(box.message("jane", at=box.at(5), lead_id=third))
    assert (await box.with_person("jane")).last_lead_id == second
    await box.keep(box.message("jane", at=box.at(20), received=True, lead_id=first))
    assert (await box.with_person("jane")).last_lead_id == second


async def test_many_pairs_in_any_order_do_not_deadlock(box: Any) -> None:
    """Two batches over the same people wait for each other."""
    names = [f"person-{n}" for n in range(60)]
    dice = random.Random(3)

    async def one() -> None:
        mixed = dice.sample(names, len(names))
        await box.note("invited", *mixed)
        await box.keep(*[box.message(name) for name in mixed])
        await box.note("withdrawn", *dice.sample(names, len(names)))
        await box.note("connected", *dice.sample(names, len(names)))

    await asyncio.gather(*[one() for _ in range(6)])
    assert (await box.with_person("person-7")).state is CONNECTED
