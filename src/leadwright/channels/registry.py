"""Which channels there are: the shape of each one's configuration, and who performs a sender's deeds."""

from collections.abc import Mapping
from dataclasses import dataclass

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


_Adapter = type[Simulator | Manual | Http | StepWebhook]


@dataclass(frozen=True, slots=True)
class _Route:
    """A channel's own adapter, beside those that do some kinds of deed for every sender."""

    own: _Adapter
    others: Mapping[StepType, _Adapter]

    @property
    def performs(self) -> frozenset[StepType]:
        return self.own.performs | frozenset(self.others)


_ROUTES: Mapping[ChannelName, _Route] = {
    ChannelName.SIMULATOR: _Route(Simulator, {StepType.WEBHOOK: StepWebhook}),
    ChannelName.MANUAL: _Route(Manual, {StepType.WEBHOOK: StepWebhook}),
    ChannelName.HTTP: _Route(Http, {StepType.WEBHOOK: StepWebhook, StepType.MANUAL_TASK: Manual}),
}


def performs(channel: ChannelName) -> frozenset[StepType]:
    """The deeds that a sender of the channel can do; none for a channel without an adapter."""
    route = _ROUTES.get(channel)
    return frozenset() if route is None else route.performs


class Channels:
    """The adapters of one process."""

    def __init__(self, database: Database, outbound: OutboundClient) -> None:
        adapters: Mapping[_Adapter, Channel] = {
            Simulator: Simulator(database),
            Manual: Manual(),
            Http: Http(outbound),
            StepWebhook: StepWebhook(outbound),
        }
        self._channels: Mapping[ChannelName, Channel] = {
            name: _Routed(route, adapters) for name, route in _ROUTES.items()
        }

    def of(self, sender: Sender) -> Channel:
        """Who performs the sender's deeds. Raises KeyError for a channel that has no adapter: none is stored."""
        return self._channels[sender.channel]


class _Routed:
    """A route with its adapters at work."""

    def __init__(self, route: _Route, adapters: Mapping[_Adapter, Channel]) -> None:
        self._own = adapters[route.own]
        self._others = {kind: adapters[other] for kind, other in route.others.items()}
        self.performs = route.performs

    def _by(self, deed: Deed) -> Channel:
        return self._others.get(deed.kind, self._own)

    async def perform(self, deed: Deed) -> Outcome:
        if deed.kind not in self.performs:
            return Permanent("not_supported", f"the channel {deed.sender.channel} cannot do {deed.kind}")
        return await self._by(deed).perform(deed)

    async def reconcile(self, deed: Deed) -> Outcome:
        return await self._by(deed).reconcile(deed)
