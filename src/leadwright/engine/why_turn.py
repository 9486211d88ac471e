"""What senders, hours, caps and gaps say of a deed at the moment when its own time comes; pure.

Of a lead that still waits that moment lies ahead: a cap of today does not hold what is due tomorrow, a sender that is
gone does.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from leadwright.engine import calendar
from leadwright.engine.model import Rule
from leadwright.engine.sequence import Step
from leadwright.engine.why_view import Crew, Held, View
from leadwright.senders import caps
from leadwright.senders.limits import Period, QuotaKind, kind_of
from leadwright.senders.model import Sender, SenderStatus

_CAPS = {Period.DAY: ("daily_cap", "today"), Period.WEEK: ("weekly_cap", "this week")}


def by_turn(step: Step, at: datetime, view: View) -> list[Held]:
    """What holds a deed that is due ``at``.

    One rule of one sender holds a lead that may get any of several only when every one of them is held.
    """
    held = list(_by_new_leads(view))
    each = [_of_sender(step, crew, at, view) for crew in view.crew]
    if not each:
        return [*held, *by_senders(at, view)]
    if any(not rules for rules in each):
        return held
    for rule in dict.fromkeys(rule.rule for rules in each for rule in rules):
        found = [found for rules in each for found in rules if found.rule == rule]
        held.append(_soonest(found))
    return held


def by_senders(at: datetime, view: View) -> list[Held]:
    """Whether any sender is there, whatever is to be done."""
    if not view.crew:
        return [Held(Rule.SENDER_UNAVAILABLE, "the campaign has no sender")]
    away = [found for crew in view.crew if (found := _away(crew.sender, at))]
    return [] if len(away) < len(view.crew) else [_soonest(away)]


def _soonest(found: list[Held]) -> Held:
    return replace(found[0], until=min((each.until for each in found if each.until is not None), default=None))


def _by_new_leads(view: View) -> Iterator[Held]:
    most = view.course.max_new_leads_per_day
    if not view.has_begun and most is not None and view.course.begun_today >= most:
        until = calendar.day_ends(view.course.zone, view.now)
        yield Held("new_leads_per_day", f"{most} new leads have begun today, as many as may", until)


def _away(sender: Sender, at: datetime) -> Held | None:
    if sender.removed_at is not None:
        return Held(Rule.SENDER_UNAVAILABLE, f'the sender "{sender.name}" was removed')
    if sender.status is SenderStatus.ACTIVE or (sender.status_until is not None and sender.status_until <= at):
        return None
    return Held(Rule.SENDER_UNAVAILABLE, f'the sender "{sender.name}" is {sender.status}', sender.status_until)


def _of_sender(step: Step, crew: Crew, at: datetime, view: View) -> list[Held]:
    sender, kind = crew.sender, kind_of(step.type)
    found = [away] if (away := _away(sender, at)) else []
    found += _by_hours(sender, at, view)
    if kind is not None:
        found += _capped(crew, kind, at, view.now)
    if caps.is_paced(step.type) and crew.paced_until is not None and crew.paced_until > at:
        found.append(Held("min_gap", "the sender keeps its gap between two deeds", crew.paced_until))
    return found


def _by_hours(sender: Sender, at: datetime, view: View) -> Iterator[Held]:
    campaign = view.course.schedule
    zone = calendar.own_zone(view.facts.fields) if campaign else None
    opens = calendar.next_open_of_all([(campaign, zone), (sender.schedule, None)], at)
    if opens is None:
        yield Held(Rule.OUTSIDE_WINDOW, f'the hours of the campaign and of the sender "{sender.name}" never meet')
    elif opens != at:
        closed = [f"of the campaign, on the lead's clock ({zone})" if zone else "of the campaign"]
        if calendar.is_open(campaign, at, zone):
            closed = []
        if not calendar.is_open(sender.schedule, at):
            closed.append(f'of the sender "{sender.name}"')
        yield Held(Rule.OUTSIDE_WINDOW, f"outside the working hours {' and '.join(closed)}", opens)


def _capped(crew: Crew, kind: QuotaKind, at: datetime, now: datetime) -> Iterator[Held]:
    """A cap that is used up holds what is due before its period is over; a cap of 0 holds always."""
    sender, day = crew.sender, calendar.local_day(crew.sender.zone, at)
    current = dict(caps.periods(sender, now))
    for period, starts_on in caps.periods(sender, at):
        cap = caps.cap(sender, kind, period, day)
        rule, when = _CAPS[period]
        if cap == 0:
            yield Held(rule, f'the sender "{sender.name}" may do no {kind}: its cap is 0')
        elif cap is not None and current[period] == starts_on and crew.used.get((kind, period), 0) >= cap:
            message = f'the sender "{sender.name}" has done its {cap} {kind} {when}'
            yield Held(rule, message, caps.ends(sender, period, starts_on))
