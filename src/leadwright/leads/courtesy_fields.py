"""``skipIf`` of a request that adds leads, read by hand like all of its body."""

from collections.abc import Iterable
from typing import Any, cast

from leadwright.errors import Detail
from leadwright.leads.model import MOST_CONTACT_DAYS, SkipIf

_SWITCHES = ("inActiveCampaign", "sameCompanyReplied")
_DAYS = "contactedWithinDays"


def skip_faults(value: Any) -> list[Detail]:
    """What is wrong with it. A misspelled rule would let people through, so it is refused."""
    if value is None:
        return []
    if not isinstance(value, dict):
        return [Detail("skipIf", f"expected an object with {_DAYS}, {' or '.join(_SWITCHES)}")]
    return list(_faults(cast(dict[str, Any], value)))


def _faults(rules: dict[str, Any]) -> Iterable[Detail]:
    for name, value in rules.items():
        if name == _DAYS:
            if value is not None and not _is_days(value):
                yield Detail("skipIf", f"{_DAYS}: expected a whole number of days from 1 to {MOST_CONTACT_DAYS}")
        elif name not in _SWITCHES:
            yield Detail("skipIf", f"{name[:100]} is none of its rules: {_DAYS}, {', '.join(_SWITCHES)}")
        elif value is not None and type(value) is not bool:
            yield Detail("skipIf", f"{name}: expected true or false")


def _is_days(value: Any) -> bool:
    """JSON knows one kind of number: ``7.0`` is whole."""
    return type(value) in (int, float) and 1 <= value <= MOST_CONTACT_DAYS and value == int(value)


def read_skip_if(value: Any) -> SkipIf | None:
    """The rules of a value without faults; None when nothing is asked for, which then costs nothing."""
    rules = cast(dict[str, Any], value or {})
    days = rules.get(_DAYS)
    asked = SkipIf(None if days is None else int(days), bool(rules.get(_SWITCHES[0])), bool(rules.get(_SWITCHES[1])))
    return None if asked == SkipIf() else asked
