"""Durations as the API writes them: ``{"days": 2, "hours": 12}``."""

from collections.abc import Mapping
from datetime import timedelta
from difflib import get_close_matches
from typing import cast

MAX_DURATION = timedelta(days=3652)
"""Ten years."""

_SECONDS = {"days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}
_EXPECTED = 'an object of "days", "hours", "minutes" and "seconds"'


class DurationError(ValueError):
    """Not a duration. ``path`` names the faulty value, ``message`` says what was expected."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}")
        self.path = path
        self.message = message


def parse_duration(value: object, path: str = "duration") -> timedelta:
    """Any subset of days, hours, minutes and seconds, numbers of at least 0; ``{}`` is no time at all.

    Fractions are rounded to the microsecond. Raises DurationError, also for more than ten years in all.
    """
    if not isinstance(value, Mapping):
        raise DurationError(path, f"must be {_EXPECTED}, not {name_of_type(value)}")
    parts = cast(Mapping[object, object], value)
    total = sum((_part(unit, amount, path) for unit, amount in parts.items()), timedelta())
    if total > MAX_DURATION:
        raise DurationError(path, "must be at most ten years")
    return total


def duration_to_json(duration: timedelta) -> dict[str, int | float]:
    """The same duration in its largest units, without the empty ones: ``{"days": 1, "hours": 12}``."""
    rest, seconds = divmod(duration, timedelta(minutes=1))
    hours, minutes = divmod(rest, 60)
    days, hours = divmod(hours, 24)
    exact = seconds.total_seconds()
    parts = {
        "days": days,
        "hours": hours,
        "minutes": minutes,
        "seconds": int(exact) if exact.is_integer() else exact,
    }
    return {unit: amount for unit, amount in parts.items() if amount} or {"seconds": 0}


def name_of_type(value: object) -> str:
    """What a JSON value is, in words for an error message: ``a number``, ``null``."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int | float):
        return "a number"
    return "a string" if isinstance(value, str) else "an array" if isinstance(value, list) else "an object"


def _part(unit: object, amount: object, path: str) -> timedelta:
    if unit not in _SECONDS:
        near = get_close_matches(str(unit), _SECONDS, n=1)
        raise DurationError(
            path,
            f"must be {_EXPECTED}, found {str(unit)[:30]!r}" + (f": did you mean {near[0]!r}?" if near else ""),
        )
    if isinstance(amount, bool) or not isinstance(amount, int | float):
        raise DurationError(f"{path}.{unit}", f"must be a number of at least 0, not {name_of_type(amount)}")
    size = _SECONDS[cast(str, unit)]
    if not amount >= 0:  # Also true of NaN.
        raise DurationError(f"{path}.{unit}", "must be a number of at least 0")
    if amount > MAX_DURATION.total_seconds() / size:
        raise DurationError(path, "must be at most ten years")
    return timedelta(seconds=size) * amount
