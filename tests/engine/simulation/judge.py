"""Says whether a run kept the promises of the design, from the channel's own book and the tables, by rules of its own.

Nothing of the engine's calendar, caps or decisions is used here.
"""

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString
from zoneinfo import ZoneInfo

from tests.engine.simulation.network import Happened
from tests.engine.simulation.play import Chronicle, Play

from leadwright.campaigns.schedule import Schedule
from leadwright.engine.sequence import StepType
from leadwright.postgres.pool import Database
from leadwright.senders.limits import Limits, QuotaKind

KIND = {
    StepType.CONNECT: QuotaKind.CONNECTIONS,
    StepType.MESSAGE: QuotaKind.MESSAGES,
    StepType.VISIT_PROFILE: QuotaKind.VISITS,
    StepType.FOLLOW: QuotaKind.LIKES,
}
UNSEEN = (StepType.MANUAL_TASK, StepType.WEBHOOK)

NEVER: dict[str, LiteralString] = {
    "a lead without an end (2)": """
        SELECT l.id, e.state, e.hold_rule, e.due_at FROM lead l LEFT JOIN enrolment e ON e.lead_id = l.id
        WHERE e.lead_id IS NULL OR e.state = 'leased'
           OR e.state = 'held' AND e.hold_rule IS DISTINCT FROM 'missing_field'""",
    "a lead that says other of its enrolment than is (2)": """
        SELECT l.id, e.lead_id FROM lead l FULL JOIN enrolment e ON e.lead_id = l.id
        WHERE l.id IS NULL OR l.enrolled <> (e.lead_id IS NOT NULL)""",
    "a lead in the hands of a deed that is over (2)": """
        SELECT e.lead_id, e.step_id FROM enrolment e WHERE e.state = 'leased' AND NOT EXISTS (
            SELECT FROM action a WHERE a.lead_id = e.lead_id AND a.step_id = e.step_id
              AND a.state IN ('planned', 'performing', 'uncertain'))""",
    "a deed that is neither done nor not done (3)": """
        SELECT id, state FROM action WHERE state IN ('planned', 'performing', 'uncertain')""",
    "a counter that says other than the leads (2)": """
        SELECT c.id FROM campaign c WHERE
            (SELECT count(*) FROM lead l LEFT JOIN enrolment e ON e.lead_id = l.id
             WHERE l.campaign_id = c.id AND e.state IS DISTINCT FROM 'done')
            <> (SELECT coalesce(sum(n), 0) FROM (
                SELECT campaign_id, value AS n FROM campaign_counter WHERE counter = 'active'
                UNION ALL SELECT campaign_id, delta FROM campaign_counter_delta
                          WHERE counter = 'active') AS k
                WHERE k.campaign_id = c.id)""",
    "a quota that says other than the deeds (4)": """
        WITH taken AS (
            SELECT a.sender_id, t ->> 0 AS kind, t ->> 1 AS period, (t ->> 2)::date AS starts_on, count(*) AS n
            FROM action a CROSS JOIN jsonb_array_elements(a.quota) AS t GROUP BY 1, 2, 3, 4)
        SELECT q.sender_id, q.kind, q.period, q.starts_on, q.used, t.n FROM sender_quota q
        FULL JOIN taken t USING (sender_id, kind, period, starts_on) WHERE coalesce(q.used, 0) <> coalesce(t.n, 0)""",
    "a message that was sent once and kept twice (3)": """
        SELECT action_id FROM message WHERE action_id IS NOT NULL GROUP BY 1 HAVING count(*) > 1""",
}

_WAITING: LiteralString = """
    SELECT e.lead_id, e.due_at, l.kind, l.open_at::text FROM enrolment e JOIN lane l ON l.id = e.lane_id
    WHERE e.state = 'due'
"""


async def judge(database: Database, play: Play) -> None:
    """Raises AssertionError with the invariant that was broken, and by what."""
    verdicts = [
        *[found async for found in _in_the_tables(database)],
        *_forgotten(play, await _rows(database, _WAITING)),
        *_lost(play, await _rows(database, "SELECT id FROM lead")),
        *_repeated(play.network.book, await _rows(database, "SELECT id, lead_id, step_id, state::text FROM action")),
        *_over_the_caps(play),
        *_too_close(play),
        *_too_many_new(play),
        *_out_of_hours(play),
        *_after_the_stop(play),
    ]
    assert verdicts == [], verdicts


async def _rows(database: Database, sql: LiteralString) -> list[tuple[Any, ...]]:
    async with database.session() as connection:
        return await (await connection.execute(sql)).fetchall()


async def _in_the_tables(database: Database) -> AsyncIterator[str]:
    for what, sql in NEVER.items():
        found = await _rows(database, sql)
        if found:
            yield f"{what}: {found}"


def _forgotten(play: Play, due: Sequence[tuple[Any, ...]]) -> Iterator[str]:
    """At the end of a run nobody is left whose time has come."""
    for lead_id, due_at, lane, open_at in due:
        if due_at <= play.now:
            yield f"due since {due_at} and nobody came (2): {lead_id} in lane {lane}, open at {open_at}"


def _lost(play: Play, leads: Sequence[tuple[Any, ...]]) -> Iterator[str]:
    missing = play.chronicle.added.keys() - {lead_id for (lead_id,) in leads}
    if missing:
        yield f"leads that are gone (2): {missing}"


def _repeated(book: Sequence[Happened], actions: Sequence[tuple[Any, ...]]) -> Iterator[str]:
    """Once each, and written down as what they were."""
    step = {action_id: (lead_id, step_id) for action_id, lead_id, step_id, _ in actions}
    times = Counter(step.get(deed.deed_id, (deed.lead_id, "unknown")) for deed in book)
    for place, count in times.items():
        if count > 1:
            yield f"performed {count} times (3): {place}"
    happened = {deed.deed_id for deed in book}
    for action_id, _, step_id, state in actions:
        if action_id in happened and state != "done":
            yield f"happened and is {state} (3): {step_id}"
    known = {action_id for action_id, *_ in actions}
    if not happened <= known:
        yield f"happened and nobody meant it (3): {happened - known}"


def _over_the_caps(play: Play) -> Iterator[str]:
    """A limit that was changed within a period counts there with its highest value."""
    counted: Counter[tuple[str, QuotaKind, str, object]] = Counter()
    for deed in play.network.book:
        kind = KIND.get(deed.kind)
        if kind is None:
            continue
        day = _local(play.chronicle.sender_hours[deed.sender_id], deed.at).date()
        for period, starts_on in (("day", day), ("week", day - timedelta(days=day.weekday()))):
            counted[deed.sender_id, kind, period, starts_on] += 1
            most = _most(play.chronicle, deed, kind, period)
            if most is not None and counted[deed.sender_id, kind, period, starts_on] > most:
                yield f"more than {most} {kind} a {period} (4): {deed}"


def _most(chronicle: Chronicle, deed: Happened, kind: QuotaKind, period: str) -> int | None:
    in_force = _limits_within(chronicle, deed.sender_id, deed.at - timedelta(days=1 if period == "day" else 7), deed.at)
    values = [(each.per_day if period == "day" else each.per_week).get(kind) for each in in_force]
    return None if None in values else max(value for value in values if value is not None)


def _limits_within(chronicle: Chronicle, sender_id: str, since: datetime, until: datetime) -> list[Limits]:
    history = chronicle.limits[sender_id]
    return [
        limits
        for n, (at, limits) in enumerate(history)
        if at <= until and (n + 1 == len(history) or history[n + 1][0] >= since)
    ]


def _too_close(play: Play) -> Iterator[str]:
    last: dict[str, datetime] = {}
    for deed in sorted(play.network.book, key=lambda each: each.at):
        if deed.kind in UNSEEN:
            continue
        before = last.get(deed.sender_id)
        last[deed.sender_id] = deed.at
        if before is None:
            continue
        gap = min(limits.min_gap for limits in _limits_within(play.chronicle, deed.sender_id, before, deed.at))
        if deed.at - before < gap:
            yield f"only {deed.at - before} after the deed before (4): {deed}"


def _too_many_new(play: Play) -> Iterator[str]:
    chronicle = play.chronicle
    for campaign_id, most in chronicle.most_new.items():
        if most is None or len(chronicle.hours[campaign_id]) > 1:  # days in another zone are other days
            continue
        schedule = chronicle.hours[campaign_id][0][1]
        entered = [at for campaign, at in chronicle.entered.values() if campaign == campaign_id]
        days = Counter(_local(schedule, at).date() for at in entered)
        if any(count > most for count in days.values()):
            yield f"more than {most} new leads a day (4): {days}"


def _out_of_hours(play: Play) -> Iterator[str]:
    moves = {(start.begun.deed.id, start.begun.deed.at): start.move for start in play.chronicle.starts}
    for deed in play.network.book:
        history = play.chronicle.hours[deed.campaign_id]
        move = moves[deed.deed_id, deed.at]
        schedule = next(schedule for since, schedule in reversed(history) if since <= move)
        zone = play.chronicle.zones.get(deed.lead_id)
        if not _within(schedule, deed.at, zone) or not _within(play.chronicle.sender_hours[deed.sender_id], deed.at):
            yield f"outside the hours (4): {deed}"


def _local(schedule: Schedule | None, at: datetime, zone: str | None = None) -> datetime:
    return at.astimezone(ZoneInfo(zone or schedule.time_zone) if schedule else UTC)


def _within(schedule: Schedule | None, at: datetime, zone: str | None = None) -> bool:
    if schedule is None:
        return True
    local = _local(schedule, at, zone)
    minute = local.hour * 60 + local.minute
    return f"{local:%a}".lower() in [day.value for day in schedule.days] and schedule.opens <= minute < schedule.closes


def _after_the_stop(play: Play) -> Iterator[str]:
    chronicle = play.chronicle
    for start in chronicle.starts:
        deed, move = start.begun.deed, start.move
        lead_stopped = chronicle.stopped_leads.get(deed.lead_id or "", move)
        person_stopped = chronicle.stopped_persons.get(deed.linkedin_url, move)
        if min(lead_stopped, person_stopped) < move:
            yield f"began after the stop (5): {deed.kind} of {deed.linkedin_url} in move {move}"
        for campaign_id, since, until in chronicle.closed:
            if campaign_id == deed.campaign_id and since < move and (until is None or move < until):
                yield f"began while its campaign was paused (5): {deed.kind} in move {move}"
