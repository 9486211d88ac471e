"""The simulator: a network of people who accept and reply by seeded dice. Nothing that it does leaves this database."""

from dataclasses import replace
from datetime import timedelta

from leadwright.channels import simulator_store
from leadwright.channels.channel import Deed, Outcome, RateLimited, SenderDown, Temporary, Unknown
from leadwright.channels.simulated_network import SimulatorConfig, happening, read_config
from leadwright.channels.simulator_store import next_due
from leadwright.channels.simulator_store import take_due as due_facts
from leadwright.engine.sequence import StepType
from leadwright.postgres.pool import Connection, Database

__all__ = ["Simulator", "SimulatorConfig", "due_facts", "next_due"]

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
    load = await simulator_store.load(connection, deed)
    if config.disconnected_after is not None and load.in_all >= config.disconnected_after:
        return SenderDown("the simulated network has disconnected the account")
    if config.rate_limited_after is not None and load.last_24_hours >= config.rate_limited_after:
        eldest = load.eldest_of_24_hours or deed.at
        return RateLimited("the simulated network limits the account", eldest + _DAY - deed.at)
    return None
