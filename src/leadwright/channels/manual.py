"""The manual channel: a person does the deeds, from the list of tasks; this one only says so."""

from leadwright.channels.channel import Deed, Later, Outcome
from leadwright.channels.config import ChannelConfig
from leadwright.engine.sequence import StepType


class ManualConfig(ChannelConfig):
    """Nothing to set: tasks are read and answered over the API."""


class Manual:
    """Every deed becomes a task as soon as its outcome, ``Later``, is written down: the action itself is the task."""

    performs = frozenset(StepType) - {StepType.CONDITION, StepType.END, StepType.EMAIL, StepType.WEBHOOK}

    async def perform(self, deed: Deed) -> Outcome:
        del deed
        return Later("person")

    async def reconcile(self, deed: Deed) -> Outcome:
        """A worker that died before the task was listed leaves it to be listed: nobody can have done it."""
        return await self.perform(deed)
