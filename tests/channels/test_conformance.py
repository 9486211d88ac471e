"""Each adapter in the conformance suite, the ``http`` one against a real endpoint."""

from collections.abc import Callable
from typing import Any

import pytest

from leadwright.channels.channel import Channel, Deed, Done, Outcome, Permanent, Unknown
from leadwright.channels.conformance import CHECKS, Check, Stage
from leadwright.channels.registry import CONFIGS, Channels
from leadwright.engine.sequence import StepType
from leadwright.outbound.client import OutboundClient
from leadwright.postgres.pool import Database
from leadwright.senders.model import ChannelName


@pytest.fixture
def stages(
    database: Database, outbound: OutboundClient, endpoint: Any, make_sender: Any
) -> dict[ChannelName, Callable[[], Stage]]:
    channels = Channels(database, outbound)
    content = {"url": endpoint.url}

    async def posted(deed: Deed) -> int:
        return sum(each == f"act_{deed.id}" for each in endpoint.performed)

    async def written(deed: Deed) -> int:
        async with database.session() as connection:
            cursor = await connection.execute("SELECT count(*) FROM simulated_deed WHERE id = %s", (deed.id,))
            row = await cursor.fetchone()
        assert row is not None
        return row[0]

    def simulator() -> Stage:
        sender = make_sender(ChannelName.SIMULATOR, acceptRate=1, replyRate=1)
        return Stage(channels.of(sender), sender, written, content=content)

    def manual() -> Stage:
        sender = make_sender(ChannelName.MANUAL)
        return Stage(channels.of(sender), sender, content=content)

    def http() -> Stage:
        sender = make_sender(ChannelName.HTTP, url=endpoint.url)
        return Stage(
            channels.of(sender),
            sender,
            posted,
            lose_next_answer=lambda: endpoint.answers.append("lost"),
            lose_next_request=lambda: endpoint.answers.append("refused"),
            content=content,
        )

    return {ChannelName.SIMULATOR: simulator, ChannelName.MANUAL: manual, ChannelName.HTTP: http}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", CONFIGS)
async def test_conformance(name: ChannelName, check: Check, stages: Any) -> None:
    await check(stages[name]())


class Careless:
    """An adapter as it must not be, so that the suite is seen to fail; each flag is one fault."""

    def __init__(self, fault: str) -> None:
        self.fault = fault
        self.performs = frozenset() if fault == "nothing" else frozenset({StepType.CONNECT, StepType.MESSAGE})
        self.seen: list[str] = []

    async def perform(self, deed: Deed) -> Outcome:
        if deed.kind not in self.performs:
            return Permanent("not_supported")
        if self.fault == "raises" and not deed.text:
            raise ValueError("no text")
        if deed.id not in self.seen or self.fault == "twice":
            self.seen.append(deed.id)
        return Unknown() if self.fault == "vague" else Done(deed.id if self.fault != "fickle" else str(len(self.seen)))

    async def reconcile(self, deed: Deed) -> Outcome:
        if deed.id in self.seen or self.fault == "boasts":
            return Done(deed.id)
        return Unknown()


@pytest.mark.parametrize("fault", ["nothing", "raises", "twice", "vague", "boasts", "fickle"], ids=lambda fault: fault)
async def test_the_suite_finds_faults(fault: str, make_sender: Any) -> None:
    channel: Channel = Careless(fault)
    sender = make_sender(ChannelName.MANUAL)

    async def times_done(deed: Deed) -> int:
        return channel.seen.count(deed.id)  # type: ignore[attr-defined]

    failed = []
    for check in CHECKS:
        try:
            await check(Stage(channel, sender, times_done))
        except Exception:  # noqa: BLE001 -- whichever way a check fails
            failed.append(check.__name__)
    assert failed


async def test_a_faultless_adapter_passes(make_sender: Any) -> None:
    channel = Careless("")

    async def times_done(deed: Deed) -> int:
        return channel.seen.count(deed.id)

    for check in CHECKS:
        await check(Stage(channel, make_sender(ChannelName.MANUAL), times_done))
