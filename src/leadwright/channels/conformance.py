"""What every channel must do, whatever it is: checks for the tests of an adapter, here or elsewhere.

``for check in CHECKS: await check(stage)``, each on a stage of its own; one that fails raises AssertionError.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from leadwright import ids
from leadwright.channels.channel import (
    Channel,
    Deed,
    Done,
    Later,
    Permanent,
    RateLimited,
    SenderDown,
    Temporary,
    Unknown,
)
from leadwright.engine.sequence import StepType
from leadwright.identity import Identity, IdentityKind
from leadwright.senders.limits import Limits
from leadwright.senders.model import ChannelName, Sender, SenderStatus

_OUTCOMES = (Done, Later, Permanent, Temporary, RateLimited, SenderDown, Unknown)
_HAPPENED = (Done, Later)
_AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
_TEXTS = ("", "\u202eabc", "x" * 8_000, '{"a": "\\"}', "\ud7ff 🙂 \n\t")


@dataclass(frozen=True, slots=True)
class Stage:
    """An adapter with a sender of its own, in a world that can be looked at and disturbed.

    ``times_done``: how often the world has seen a deed; None where the world is a person. ``lose_next_answer``: the
    next deed is done, but nobody hears of it. ``lose_next_request``: it never arrives. None where nothing can be lost.
    ``content`` is what every deed has, for example the address that a ``webhook`` step needs.
    """

    channel: Channel
    sender: Sender
    times_done: Callable[[Deed], Awaitable[int]] | None = None
    lose_next_answer: Callable[[], object] | None = None
    lose_next_request: Callable[[], object] | None = None
    content: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def deed(self, slug: str, kind: StepType = StepType.CONNECT, text: str = "Hi Jane") -> Deed:
        """A new deed with a person."""
        return Deed(
            id=ids.new_id(),
            workspace_id=ids.new_id(),
            sender=self.sender,
            kind=kind,
            identity=Identity(IdentityKind.SLUG, slug),
            linkedin_url=f"https://www.linkedin.com/in/{slug}",
            content={"text": text, **self.content},
            attempt=1,
            at=_AT,
        )

    async def expect(self, deed: Deed, times: int) -> None:
        if self.times_done is not None:
            found = await self.times_done(deed)
            assert found == times, f"a {deed.kind} happened {found} times instead of {times}"


async def says_what_it_does_and_does_it(stage: Stage) -> None:
    assert stage.channel.performs, "it does nothing"
    assert {StepType.CONDITION, StepType.END}.isdisjoint(stage.channel.performs), "nobody performs these"
    for kind in sorted(stage.channel.performs):
        outcome = await stage.channel.perform(stage.deed(f"does-{kind.replace('_', '-')}", kind))
        assert isinstance(outcome, _HAPPENED), f"{kind}: {outcome}"


async def answers_every_deed_with_an_outcome(stage: Stage) -> None:
    for kind in StepType:
        outcome = await stage.channel.perform(replace(stage.deed("any", kind), content={}))
        assert isinstance(outcome, _OUTCOMES), f"{kind}: {outcome!r}"


async def does_the_same_deed_once(stage: Stage) -> None:
    deed = stage.deed("twice", StepType.MESSAGE)
    first = await stage.channel.perform(deed)
    second = await stage.channel.perform(replace(deed, attempt=2))
    await stage.expect(deed, 1)
    assert second == first, f"{second!r} after {first!r}"


async def does_the_same_deed_once_even_at_once(stage: Stage) -> None:
    deed = stage.deed("at-once")
    outcomes = await asyncio.gather(*(stage.channel.perform(deed) for _ in range(5)))
    await stage.expect(deed, 1)
    assert all(isinstance(outcome, _HAPPENED) for outcome in outcomes), outcomes


async def does_two_deeds_with_one_person(stage: Stage) -> None:
    first, second = (stage.deed("two-deeds", StepType.MESSAGE) for _ in range(2))
    await stage.channel.perform(first)
    await stage.channel.perform(second)
    await stage.expect(first, 1)
    await stage.expect(second, 1)


async def says_again_what_happened_when_asked(stage: Stage) -> None:
    deed = stage.deed("asked")
    told = await stage.channel.perform(deed)
    found = await stage.channel.reconcile(deed)
    assert found == told, f"{found!r} after {told!r}"
    await stage.expect(deed, 1)


async def does_not_call_done_what_never_began(stage: Stage) -> None:
    deed = stage.deed("never-began")
    outcome = await stage.channel.reconcile(deed)
    assert not isinstance(outcome, Done), repr(outcome)
    await stage.expect(deed, 0)


async def knows_what_happened_when_its_answer_was_lost(stage: Stage) -> None:
    if stage.lose_next_answer is None:
        return
    deed = stage.deed("lost-answer")
    stage.lose_next_answer()
    outcome = await stage.channel.perform(deed)
    assert isinstance(outcome, Unknown), f"a lost answer is not {outcome!r}"
    found = await stage.channel.reconcile(deed)
    assert isinstance(found, Done), repr(found)
    await stage.expect(deed, 1)


async def knows_that_nothing_happened_when_the_request_was_lost(stage: Stage) -> None:
    if stage.lose_next_request is None:
        return
    deed = stage.deed("lost-request")
    stage.lose_next_request()
    outcome = await stage.channel.perform(deed)
    assert isinstance(outcome, Unknown), f"a lost request is not {outcome!r}"
    found = await stage.channel.reconcile(deed)
    assert isinstance(found, Temporary), repr(found)
    await stage.expect(deed, 0)
    again = await stage.channel.perform(replace(deed, attempt=2))
    assert isinstance(again, _HAPPENED), repr(again)
    await stage.expect(deed, 1)


async def takes_any_text(stage: Stage) -> None:
    for text in _TEXTS:
        outcome = await stage.channel.perform(stage.deed("odd", StepType.MESSAGE, text))
        assert isinstance(outcome, _HAPPENED), f"{text[:20]!r}: {outcome!r}"


def sample_sender(channel: ChannelName, config: Mapping[str, Any]) -> Sender:
    """A sender to be checked with, that is stored nowhere; ``config`` as it would be stored."""
    return Sender(
        id=ids.new_id(),
        name="Ada Lovelace",
        first_name=None,
        last_name=None,
        linkedin_url="https://www.linkedin.com/in/ada-lovelace",
        identity=Identity(IdentityKind.SLUG, "ada-lovelace"),
        channel=channel,
        config=config,
        limits=Limits({}, {}, timedelta()),
        ramp_up=None,
        schedule=None,
        status=SenderStatus.ACTIVE,
        status_reason=None,
        status_until=None,
        failures=0,
        removed_at=None,
        created_at=_AT,
        updated_at=_AT,
    )


Check = Callable[[Stage], Awaitable[None]]
CHECKS: tuple[Check, ...] = (
    says_what_it_does_and_does_it,
    answers_every_deed_with_an_outcome,
    does_the_same_deed_once,
    does_the_same_deed_once_even_at_once,
    does_two_deeds_with_one_person,
    says_again_what_happened_when_asked,
    does_not_call_done_what_never_began,
    knows_what_happened_when_its_answer_was_lost,
    knows_that_nothing_happened_when_the_request_was_lost,
    takes_any_text,
)
