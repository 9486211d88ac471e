"""How many leads each sender gets: always the one with the most room the next; pure."""

from collections.abc import Sequence


def shares(room: Sequence[int | None], wanted: int) -> list[int]:
    """What ``wanted`` leads come to when each goes to the sender that then has the most room; None is any amount.

    The same as handing them out one by one, without doing so.
    """
    unlimited = [at for at, left in enumerate(room) if left is None]
    if unlimited:
        base, rest = divmod(wanted, len(unlimited))
        extra = set(unlimited[:rest])
        return [0 if left is not None else base + (at in extra) for at, left in enumerate(room)]
    known = [left or 0 for left in room]
    level = _level(known, wanted)
    given = [max(0, left - level) for left in known]
    rest = wanted - sum(given)
    for at in sorted(range(len(known)), key=lambda at: -known[at]):
        if rest > 0 and known[at] >= level > 0:
            given[at] += 1
            rest -= 1
    return given


def _level(room: Sequence[int], wanted: int) -> int:
    """The least room that all can be brought down to with no more than ``wanted``."""
    low, high = 0, max(room, default=0)
    while low < high:
        middle = (low + high) // 2
        if sum(max(0, left - middle) for left in room) <= wanted:
            high = middle
        else:
            low = middle + 1
    return low
