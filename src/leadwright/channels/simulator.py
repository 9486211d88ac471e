"""The simulator: a network of people who accept and reply by seeded dice. Nothing that it does leaves this database."""

from datetime import datetime, timedelta

from msgspec.structs import replace

from leadwright.channels import simulator_store
from leadwright.channels.channel import Deed, Outcome, RateLimited, SenderDown, Temporary, Unknown
from leadwright.channels.simulated_network import SimulatorConfig, happening, read_config
from leadwright.channels.simulator_store import next_due
from leadwright.channels.simulator_store import take_due as due_facts
from leadwright.engine.sequence import StepType
from leadwright.postgres.pool import Connection, Database

__all__ = ["Simulator", "SimulatorConfig", "due_facts", "forget_old", "next_due"]

DEED_DAYS = 30
"""For so long the network remembers a deed: longer than one is asked about, or tried again under its old name."""
FORGOTTEN_AT_ONCE = 5_000
_DAY = timedelta(hours=24)


class Simulator:
    """Performs a deed by writing down what will come of it."""

    performs = frozenset(StepType) - {StepType.CONDITION, StepType.END, StepType.EMAIL, StepType.WEBHOOK}

    def __init__(self, database: Database) -> None:
        self._database = database

    async def perform(self, deed: Deed) -> Outcome:
        config = read_config(deed.sender.config)
        what = happening(config, deed)
        async with self._database.session() as connection:
            restricted = await _restriction(connection, config, deed)
            if restricted is not None:
                return restricted
            if what.happened:
                await simulator_store.keep(connection, deed, what.facts)
        return Unknown("the simulated network lost the answer") if what.answer_lost else what.outcome

    async def reconcile(self, deed: Deed) -> Outcome:
        async with self._database.session() as connection:
            if await simulator_store.is_kept(connection, deed):
                return happening(read_config(deed.sender.config), replace(deed, attempt=deed.attempt + 1)).outcome
        return Temporary("not_done", "the simulated network knows nothing of it")


async def _restriction(connection: Connection, config: SimulatorConfig, deed: Deed) -> Outcome | None:
    """What the network says of an account that has done too much; of a deed that it has seen, nothing."""
    if config.rate_limited_after is None and config.disconnected_after is None:
        return None
    if await simulator_store.is_kept(connection, deed):
        return None
    most = config.disconnected_after
    if most is not None and await simulator_store.in_all(connection, deed, most) >= most:
        return SenderDown("the simulated network has disconnected the account")
    return await _rest_of_the_day(connection, config.rate_limited_after, deed)


async def _rest_of_the_day(connection: Connection, most: int | None, deed: Deed) -> Outcome | None:
    if most is None:
        return None
    load = await simulator_store.load(connection, deed, most)
    if load.deeds < most:
        return None
    return RateLimited("the simulated network limits the account", (load.eldest or deed.at) + _DAY - deed.at)


async def forget_old(connection: Connection, now: datetime) -> int:
    """Forgets deeds that nobody will ask about any more, some at a time; answers how many."""
    return await simulator_store.forget_before(connection, now - timedelta(days=DEED_DAYS), FORGOTTEN_AT_ONCE)
