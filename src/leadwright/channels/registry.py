"""Which channels there are: the shape of each one's configuration, and who performs a sender's deeds."""

from collections.abc import Mapping

from leadwright.channels.channel import Channel, Deed, Outcome, Permanent
from leadwright.channels.config import ChannelConfig
from leadwright.channels.http import Http, HttpConfig
from leadwright.channels.manual import Manual, ManualConfig
from leadwright.channels.simulator import Simulator, SimulatorConfig
from leadwright.channels.step_webhook import StepWebhook
from leadwright.engine.sequence import StepType
from leadwright.outbound.client import OutboundClient
from leadwright.postgres.pool import Database
from leadwright.senders.model import ChannelName, Sender

CONFIGS: Mapping[ChannelName, type[ChannelConfig]] = {
    ChannelName.SIMULATOR: SimulatorConfig,
    ChannelName.MANUAL: ManualConfig,
    ChannelName.HTTP: HttpConfig,
}
"""The channels that a sender can have: a name without a shape has no adapter yet."""


_OWN: Mapping[ChannelName, type[Simulator | Manual | Http]] = {
    ChannelName.SIMULATOR: Simulator,
    ChannelName.MANUAL: Manual,
    ChannelName.HTTP: Http,
}
_BY_OTHERS: Mapping[ChannelName, frozenset[StepType]] = {
    ChannelName.SIMULATOR: frozenset({StepType.WEBHOOK}),
    ChannelName.MANUAL: frozenset({StepType.WEBHOOK}),
    ChannelName.HTTP: frozenset({StepType.WEBHOOK, StepType.MANUAL_TASK}),
}


def performs(channel: ChannelName) -> frozenset[StepType]:
    """The deeds that a sender of the channel can do; none for a channel without an adapter."""
    own = _OWN.get(channel)
    return frozenset() if own is None else own.performs | _BY_OTHERS[channel]


class Channels:
    """The adapters of one process."""

    def __init__(self, database: Database, outbound: OutboundClient) -> None:
        manual, webhook = Manual(), StepWebhook(outbound)
        simulator = Simulator(database)
        self._channels: Mapping[ChannelName, Channel] = {
            ChannelName.SIMULATOR: _Routed(simulator, {StepType.WEBHOOK: webhook}),
            ChannelName.MANUAL: _Routed(manual, {StepType.WEBHOOK: webhook}),
            ChannelName.HTTP: _Routed(Http(outbound), {StepType.MANUAL_TASK: manual, StepType.WEBHOOK: webhook}),
        }

    def of(self, sender: Sender) -> Channel:
        """Who performs the sender's deeds. Raises KeyError for a channel that has no adapter: none is stored."""
        return self._channels[sender.channel]

    def performs(self, sender: Sender) -> frozenset[StepType]:
        return self.of(sender).performs


class _Routed:
    """A sender's own adapter, beside those that do some kinds of deed for every sender."""

    def __init__(self, own: Channel, others: Mapping[StepType, Channel]) -> None:
        self._own = own
        self._others = others
        self.performs = own.performs | frozenset(others)

    def _by(self, deed: Deed) -> Channel:
        return self._others.get(deed.kind, self._own)

    async def perform(self, deed: Deed) -> Outcome:
        if deed.kind not in self.performs:
            return Permanent("not_supported", f"the channel {deed.sender.channel} cannot do {deed.kind}")
        return await self._by(deed).perform(deed)

    async def reconcile(self, deed: Deed) -> Outcome:
        return await self._by(deed).reconcile(deed)
