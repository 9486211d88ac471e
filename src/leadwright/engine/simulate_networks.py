"""How the people of the simulated network behave towards each sender whose channel it is."""

from collections.abc import Callable, Mapping, Sequence

from leadwright.channels.simulated_network import SimulatorConfig, read_config
from leadwright.crypto import SecretBox
from leadwright.postgres.pool import Connection
from leadwright.senders import service as senders
from leadwright.senders.model import ChannelName, Sender


async def networks(
    connection: Connection, open_secrets: Callable[[], SecretBox], workspace_id: str, crew: Sequence[Sender]
) -> Mapping[str, SimulatorConfig]:
    """By the sender's id. The key of secrets is asked for only where a sender of the simulator is among them."""
    simulated = [each.id for each in crew if each.channel is ChannelName.SIMULATOR and each.removed_at is None]
    if not simulated:
        return {}
    opened = await senders.load(connection, open_secrets(), workspace_id, simulated)
    return {sender.id: read_config(sender.config) for sender in opened.values()}
