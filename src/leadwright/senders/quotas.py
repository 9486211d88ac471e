"""How much a sender may still do, kept exactly: taken when a deed is planned, given back when it did not happen."""

from collections import Counter as Tally
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from leadwright.postgres.pool import Connection
from leadwright.senders import caps, quota_store
from leadwright.senders.limits import Period, QuotaKind
from leadwright.senders.model import Sender
from leadwright.senders.quota_store import Key

Taken = tuple[str, str, date]
"""Kind, period and the day on which the period starts: what one deed has taken, and gives back."""


@dataclass(frozen=True, slots=True)
class Room:
    """What one sender may do of one kind at a moment, while its rows are held.

    ``next_at``: when there will be more, for one that has less than was wanted.
    """

    sender: Sender
    kind: QuotaKind
    granted: int
    taken: tuple[Taken, ...]
    next_at: datetime | None


async def hold(
    connection: Connection, workspace_id: str, wanted: Iterable[tuple[Sender, QuotaKind, int]], now: datetime
) -> Mapping[tuple[str, QuotaKind], Room]:
    """How much of what is wanted there is room for; it stays so until the transaction ends. ``take`` uses it.

    Where nobody has a cap nothing is held before ``take``, so that planners for one sender hardly wait for each other.
    A sender with a gap between its deeds has room for one at most.
    """
    wishes = list(wanted)
    paced = [sender.id for sender, _, _ in wishes if sender.limits.min_gap > timedelta()]
    paces = await quota_store.hold_paces(connection, workspace_id, paced)
    found = [each for sender, kind, _ in wishes for each in _caps(sender, kind, now)]
    keys = [key for key, _ in found] if any(cap is not None for _, cap in found) else []
    used = await quota_store.hold(connection, workspace_id, keys)
    return {(sender.id, kind): _room(sender, kind, most, used, paces, now) for sender, kind, most in wishes}


def _keys(sender: Sender, kind: QuotaKind, now: datetime) -> list[Key]:
    return [(sender.id, kind.value, period.value, starts_on) for period, starts_on in caps.periods(sender, now)]


def _caps(sender: Sender, kind: QuotaKind, now: datetime) -> list[tuple[Key, int | None]]:
    """What a deed at this moment counts in, each with the most there may be in it; None: no cap."""
    day = caps_day(sender, now)
    return [(key, caps.cap(sender, kind, Period(key[2]), day)) for key in _keys(sender, kind, now)]


def _room(
    sender: Sender,
    kind: QuotaKind,
    wanted: int,
    used: Mapping[Key, int],
    paces: Mapping[str, quota_store.Pace],
    now: datetime,
) -> Room:
    found = _caps(sender, kind, now)
    granted, next_at = wanted, None
    pace = paces.get(sender.id)
    if pace is not None:
        granted = min(granted, 1)
        if pace.plan_at is not None and pace.plan_at > now:
            granted, next_at = 0, pace.plan_at
    for key, cap in found:
        if cap is not None and cap - used[key] < granted:
            granted = max(0, cap - used[key])
            next_at = _later(next_at, caps.ends(sender, Period(key[2]), key[3]))
    return Room(sender, kind, granted, tuple((key[1], key[2], key[3]) for key, _ in found), next_at)


def caps_day(sender: Sender, now: datetime) -> date:
    """The day that a deed at ``now`` counts in."""
    return next(starts_on for _, starts_on in caps.periods(sender, now))


def _later(one: datetime | None, other: datetime) -> datetime:
    return other if one is None else max(one, other)


async def take(
    connection: Connection, workspace_id: str, used: Sequence[tuple[Room, int]], now: datetime
) -> Mapping[str, datetime]:
    """Uses room that is held, and answers from when on senders with a gap may plan their next deed."""
    counts: Tally[Key] = Tally()
    for room, count in used:
        for kind, period, starts_on in room.taken:
            counts[room.sender.id, kind, period, starts_on] += count
    counts = +counts
    if counts:
        await quota_store.hold(connection, workspace_id, list(counts))
        await quota_store.add(connection, workspace_id, counts)
    next_at = {
        room.sender.id: caps.next_after(room.sender, now)
        for room, count in used
        if count and room.sender.limits.min_gap > timedelta()
    }
    if next_at:
        await quota_store.pace_plans(connection, workspace_id, next_at)
    return next_at


async def count(
    connection: Connection, workspace_id: str, sender: Sender, kind: QuotaKind, now: datetime
) -> tuple[Taken, ...]:
    """Counts a deed that happened though no room was left taken for it, whatever the caps say of it."""
    keys = _keys(sender, kind, now)
    await quota_store.hold(connection, workspace_id, keys)
    await quota_store.add(connection, workspace_id, dict.fromkeys(keys, 1))
    return tuple((key[1], key[2], key[3]) for key in keys)


@dataclass(frozen=True, slots=True)
class Reservation:
    """``granted`` deeds may be done, each of which has taken ``taken``; ``next_at``: when there is room for more."""

    granted: int
    taken: tuple[Taken, ...]
    next_at: datetime | None


async def reserve(
    connection: Connection, workspace_id: str, sender: Sender, kind: QuotaKind, wanted: int, now: datetime
) -> Reservation:
    """Takes room for as many of the wanted deeds as there is."""
    rooms = await hold(connection, workspace_id, [(sender, kind, wanted)], now)
    room = rooms[sender.id, kind]
    await take(connection, workspace_id, [(room, room.granted)], now)
    return Reservation(room.granted, room.taken, room.next_at)


async def give_back(
    connection: Connection, workspace_id: str, sender_id: str, quota: Sequence[Sequence[str | date]]
) -> None:
    """For one deed that took its quota and did not happen."""
    await give_back_many(connection, workspace_id, [(sender_id, quota)])


async def give_back_many(
    connection: Connection, workspace_id: str, deeds: Iterable[tuple[str, Sequence[Sequence[str | date]]]]
) -> None:
    """For deeds that took their quota and did not happen; each as its action keeps it.

    Leads that waited for it go on when ``returned`` was asked.
    """
    counts: Tally[Key] = Tally()
    for sender_id, quota in deeds:
        for kind, period, starts_on in quota:
            day = starts_on if isinstance(starts_on, date) else date.fromisoformat(starts_on)
            counts[sender_id, str(kind), str(period), day] += 1
    if counts:
        await quota_store.hold(connection, workspace_id, list(counts))
        await quota_store.add(connection, workspace_id, {key: -count for key, count in counts.items()})
        await quota_store.note_returned(connection, workspace_id, {key[0] for key in counts})


async def returned(connection: Connection) -> Mapping[str, frozenset[str]]:
    """Senders that got quota back since this was asked last, by workspace: there may be room where there was none."""
    return await quota_store.take_returned(connection)


async def hold_begin_times(
    connection: Connection, workspace_id: str, sender_ids: Iterable[str]
) -> Mapping[str, datetime | None]:
    """From when on the next deed of senders with a gap may begin (None: at once); held until the transaction ends."""
    paces = await quota_store.hold_paces(connection, workspace_id, list(sender_ids))
    return {sender_id: pace.begin_at for sender_id, pace in paces.items()}


async def pace_deeds(connection: Connection, workspace_id: str, begin_at: Mapping[str, datetime]) -> None:
    """Says from when on the next deeds may begin, of senders that are held."""
    await quota_store.pace_deeds(connection, workspace_id, begin_at)


def is_current(sender: Sender, quota: Sequence[Sequence[str | date]], now: datetime) -> bool:
    """Whether a deed that took this quota would still count in the same day and week."""
    present = {(period.value, starts_on.isoformat()) for period, starts_on in caps.periods(sender, now)}
    return all((str(period), str(starts_on)) in present for _, period, starts_on in quota)


@dataclass(frozen=True, slots=True)
class Standing:
    """What a sender has used of a kind today, and may still do; ``limit`` None: no cap.

    ``remaining`` also heeds the week, and ``resets_at`` is when it grows again.
    """

    limit: int | None
    used: int
    remaining: int | None
    resets_at: datetime
    week_limit: int | None
    week_used: int


async def standing(
    connection: Connection, workspace_id: str, senders: Sequence[Sender], now: datetime
) -> Mapping[str, Mapping[QuotaKind, Standing]]:
    """Per sender and kind; nothing is held, so it may have changed when it is read."""
    keys = [key for sender in senders for kind in QuotaKind for key in _keys(sender, kind, now)]
    used = await quota_store.used(connection, workspace_id, keys)
    return {sender.id: {kind: _standing(sender, kind, used, now) for kind in QuotaKind} for sender in senders}


def _standing(sender: Sender, kind: QuotaKind, used: Mapping[Key, int], now: datetime) -> Standing:
    (_, _, _, day), (_, _, _, week) = keys = _keys(sender, kind, now)
    by_day, by_week = (used.get(key, 0) for key in keys)
    day_cap = caps.cap(sender, kind, Period.DAY, day)
    week_cap = caps.cap(sender, kind, Period.WEEK, day)
    resets_at = caps.ends(sender, Period.DAY, day)
    remaining = None if day_cap is None else max(0, day_cap - by_day)
    if week_cap is not None and (remaining is None or week_cap - by_week < remaining):
        remaining, resets_at = max(0, week_cap - by_week), caps.ends(sender, Period.WEEK, week)
    return Standing(day_cap, by_day, remaining, resets_at, week_cap, by_week)
