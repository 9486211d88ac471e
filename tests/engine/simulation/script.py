"""Random runs, as hypothesis draws and shrinks them: where a run starts, and what happens in it, one move a line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from tests.engine.simulation.network import BEHAVIOURS

from leadwright.campaigns.schedule import Schedule, Weekday
from leadwright.senders.limits import Limits, QuotaKind

PERSONS = 5
ENGINES = 2
Move = tuple[Any, ...]
"""The name of a method of Play and what it is given."""

_DELAYS = st.sampled_from([None, None, {"minutes": 5}, {"hours": 20}, {"days": 2}])
_NOTES = st.sampled_from([None, None, "Hi {{firstName}}", "{{icebreaker}}"])


@dataclass(frozen=True, slots=True)
class Script:
    """A whole run. Sequences, limits and hours are named by their place in these lists, modulo their number."""

    limits: Sequence[Limits]
    hours: Sequence[Schedule | None]
    sequences: Sequence[Sequence[Mapping[str, Any]]]
    most_new: Sequence[int | None]
    skips_missing: bool
    despite_conversation: bool
    moves: Sequence[Move]
    tempers: Sequence[str]
    """How the channel behaves at the end, deed by deed, before it is good for ever."""


def _step(kind: str, number: int, after: Mapping[str, int] | None, note: str | None) -> dict[str, Any]:
    step: dict[str, Any] = {"type": kind, "id": f"{kind}-{number}"}
    if after:
        step["after"] = after
    if kind == "message":
        step["text"] = note or "{Hi|Hello} {{firstName | default: 'there'}}"
    if kind == "connect" and note:
        step["note"] = note
    if kind == "manual_task":
        step["title"] = "Look"
    return step


@st.composite
def sequences(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Up to five steps, some of them below a condition. An id always means the same kind of step."""
    kinds = ["visit_profile", "connect", "connect", "message", "follow", "withdraw_connection", "manual_task"]
    drawn = draw(st.lists(st.tuples(st.sampled_from(kinds), _DELAYS, _NOTES), min_size=2, max_size=5))
    counted: dict[str, int] = {}
    steps: list[dict[str, Any]] = []
    for place, (kind, after, note) in enumerate(drawn):
        counted[kind] = counted.get(kind, 0) + 1
        steps.append(_step(kind, counted[kind], after if place else None, note))
    if len(steps) > 2 and draw(st.booleans()):
        asked = {"type": "condition", "id": "asked", "when": "connected", "within": {"days": 1}}
        return [*steps[:-2], {**asked, "then": steps[-2:-1], "else": steps[-1:]}]
    return steps


def _caps(smallest: int) -> st.SearchStrategy[dict[QuotaKind, int]]:
    kinds = st.sampled_from([QuotaKind.CONNECTIONS, QuotaKind.MESSAGES, QuotaKind.VISITS])
    return st.dictionaries(kinds, st.integers(smallest, smallest + 2), max_size=2)


limits = st.builds(
    Limits,
    _caps(1),
    _caps(3),
    st.sampled_from([timedelta(), timedelta(), timedelta(seconds=90), timedelta(minutes=20)]),
)
_days = st.sampled_from([tuple(Weekday), tuple(Weekday)[:5], (Weekday.MONDAY, Weekday.WEDNESDAY)])
hours = (
    st.none()
    | st.none()
    | st.builds(
        Schedule,
        st.sampled_from(["UTC", "America/New_York", "Pacific/Auckland"]),
        _days,
        st.sampled_from([0, 9 * 60]),
        st.sampled_from([12 * 60, 24 * 60]),
    )
)

_engine = st.integers(0, ENGINES - 1)
_person = st.integers(0, PERSONS - 1)
_index = st.integers(0, 3)
_behaviours = st.lists(st.sampled_from(BEHAVIOURS), min_size=1, max_size=3)
_wait = st.sampled_from([1, 95, 400, 3_700, 7 * 3_600, 26 * 3_600, 4 * 86_400])

_round: st.SearchStrategy[Move] = st.tuples(st.just("round"), _engine, _behaviours)
_half: st.SearchStrategy[Move] = st.tuples(st.just("half_round"), _engine, _behaviours, st.booleans())
_advance: st.SearchStrategy[Move] = st.tuples(st.just("advance"), _wait)
_work: st.SearchStrategy[Move] = st.one_of(
    st.tuples(st.just("plan"), _engine),
    st.tuples(st.just("plan_and_begin"), _engine),
    st.tuples(st.just("begin"), _engine),
    st.tuples(st.just("perform"), _engine, _behaviours),
    st.tuples(st.just("settle"), _engine),
)
_trouble: st.SearchStrategy[Move] = st.one_of(
    st.tuples(st.just("crash"), _engine),
    st.tuples(
        st.just("crash_within"),
        _engine,
        st.sampled_from(["plan", "begin", "settle", "reconcile"]),
        st.integers(1, 25),
    ),
    st.tuples(st.just("reconcile"), _engine, st.booleans()),
    st.tuples(st.just("conclude"), _index, st.booleans()),
    st.tuples(st.just("restore"), _engine),
)
_stop: st.SearchStrategy[Move] = st.one_of(
    st.tuples(st.just("replied"), _person, _index, st.integers(0, 2)),
    st.tuples(st.just("opted_out"), _person),
    st.tuples(st.just("suppressed"), _person, st.sampled_from(["linkedinUrl", "company", "emailDomain"])),
    st.tuples(st.just("pause"), _index),
)
_world: st.SearchStrategy[Move] = st.one_of(
    st.tuples(st.just("add"), _index, _person, st.booleans()),
    st.tuples(st.just("accepted"), _person, _index, st.integers(0, 2)),
    st.tuples(st.just("all_accepted"), _index),
    st.tuples(st.just("resume"), _index),
    st.tuples(st.just("edit"), _index, _index),
    st.tuples(st.just("reschedule"), _index, _index),
    st.tuples(st.just("limit"), _index, _index),
    st.tuples(st.just("finish")),
)
_overtaken: st.SearchStrategy[Move] = st.tuples(st.just("overtaken"), _engine, _stop | _advance | _world)
_race: st.SearchStrategy[Move] = st.tuples(
    st.just("race"),
    st.lists(st.sampled_from(["work", "replied", "suppressed", "pause"]), min_size=2, max_size=4),
    _person,
)


def _itself(strategy: st.SearchStrategy[Move]) -> st.SearchStrategy[Move]:
    return strategy


@st.composite
def scripts(draw: st.DrawFn, *, races: bool, most: int) -> Script:
    """Kinds of moves come as often as they stand in the list."""
    often = [_round, _round, _half, _half, _advance, _advance]
    kinds: list[st.SearchStrategy[Move]] = [*often, _work, _trouble, _trouble, _world, _stop, _overtaken, _overtaken]
    move = st.sampled_from([*kinds, _race] if races else kinds).flatmap(_itself)
    return Script(
        tempers=draw(st.lists(st.sampled_from(BEHAVIOURS), min_size=8, max_size=16)),
        limits=draw(st.lists(limits, min_size=1, max_size=3)),
        hours=draw(st.lists(hours, min_size=1, max_size=3)),
        sequences=draw(st.lists(sequences(), min_size=2, max_size=3)),
        most_new=draw(st.lists(st.none() | st.integers(1, 2), min_size=1, max_size=2)),
        skips_missing=draw(st.booleans()),
        despite_conversation=draw(st.booleans()),
        moves=draw(st.lists(move, min_size=most // 2, max_size=most)),
    )
