"""When a delivery that failed is tried again; pure."""

from collections.abc import Sequence

MOST_JITTER = 0.1
LONGEST_RETRY_AFTER = 3_600
"""A receiver may ask for more time than the schedule gives it, up to this."""


def delay(schedule: Sequence[float], retries_used: int, jitter: float, retry_after: float | None) -> float | None:
    """Seconds until the next attempt, None when the retries have run out.

    ``jitter`` from 0 to 1 adds up to a tenth, so that what failed together is not tried together.
    """
    if retries_used >= len(schedule):
        return None
    planned = schedule[retries_used] * (1 + MOST_JITTER * jitter)
    return max(planned, _asked_for(retry_after))


def probe_delay(schedule: Sequence[float], retry_after: float | None) -> float:
    """Seconds between the probes of a paused endpoint: the longest time between retries, or what it asks for."""
    return max(schedule[-1], _asked_for(retry_after))


def _asked_for(retry_after: float | None) -> float:
    return min(retry_after or 0.0, LONGEST_RETRY_AFTER)
