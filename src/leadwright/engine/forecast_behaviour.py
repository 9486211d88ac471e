"""How people are assumed to behave who are approached by a crew some of which is simulated; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from leadwright.channels.simulated_network import SimulatorConfig
from leadwright.engine.forecast import Assumptions

USUAL = Assumptions()


@dataclass(frozen=True, slots=True)
class Behaviour:
    """``taken_from``: ``simulator`` where a sender's own network has a say, else ``default``."""

    assumptions: Assumptions
    taken_from: str


def behaviour_of(configs: Sequence[SimulatorConfig | None]) -> Behaviour:
    """The mean over the senders, each of which gets as many leads: None has no network, and usual people."""
    if not any(config is not None for config in configs):
        return Behaviour(USUAL, "default")
    each = [USUAL if config is None else _of(config) for config in configs]
    return Behaviour(
        Assumptions(
            accept_rate=_mean([one.accept_rate for one in each]),
            accept_after=_mean_time([one.accept_after for one in each]),
            reply_rate=_mean([one.reply_rate for one in each]),
            reply_after=_mean_time([one.reply_after for one in each]),
            connected_rate=_mean([one.connected_rate for one in each]),
        ),
        "simulator",
    )


def _of(config: SimulatorConfig) -> Assumptions:
    return Assumptions(
        config.accept_rate,
        config.accept_after,
        config.reply_rate,
        config.reply_after,
        config.already_connected_rate,
    )


def _mean(shares: Sequence[float]) -> float:
    """To a millionth: a mean of equal shares is that share."""
    return round(sum(shares) / len(shares), 6)


def _mean_time(times: Sequence[timedelta]) -> timedelta:
    return sum(times, timedelta()) / len(times)
