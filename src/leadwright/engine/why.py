"""What happens next to a lead, when, and every rule that holds it; pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec

from leadwright.campaigns.model import Status as CampaignStatus
from leadwright.engine import calendar
from leadwright.engine.forecast_run import Course
from leadwright.engine.model import Act, Enrolment, Facts, Finish, Hold, Rule, Status, Wait
from leadwright.engine.plan import rendered, walk
from leadwright.engine.sequence import Sequence as Steps
from leadwright.engine.sequence import Step, StepType
from leadwright.senders import caps
from leadwright.senders.limits import Period, QuotaKind, kind_of
from leadwright.senders.model import Sender, SenderStatus
from leadwright.templates import Missing, RenderError

STOPPED = frozenset(
    {
        "STOPPED",
        "REPLY_RECEIVED",
        "UNSUBSCRIBED",
        "OPPORTUNITY",
        "MEETING_BOOKED",
        "NOT_INTERESTED",
        "IRRELEVANT",
        "WRONG_PERSON",
    }
)
"""A lead that is through with one of these was stopped before its sequence ended."""
Used = Mapping[tuple[QuotaKind, Period], int]


@dataclass(frozen=True, slots=True)
class Held:
    """A rule of the contract; ``until`` None: no clock ends it."""

    rule: str
    message: str
    until: datetime | None = None


_INVITED_ELSEWHERE = Held(Rule.OTHER_CONVERSATION, "the sender is inviting the person for another lead just now")
_SUPPRESSED = Held(Rule.SUPPRESSED, "the person is on the do-not-contact list")


@dataclass(frozen=True, slots=True)
class Crew:
    """A sender that may act for the lead; ``used`` in the present day and week, ``paced_until`` by its gap."""

    sender: Sender
    used: Used
    paced_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Postponed:
    """A deed that met a passing fault, told as ``code``, and is tried again."""

    until: datetime
    code: str


@dataclass(frozen=True, slots=True)
class View:
    """All that bears on one lead at ``now``. ``crew``: its own sender, or before it has one all of the campaign's.

    ``step`` None: through, or the sequence is empty. ``action``: what is open for it, as (state, awaiting).
    ``pause_reason``: of a campaign that paused by itself.
    """

    status: str
    is_through: bool
    has_begun: bool
    campaign: CampaignStatus
    pause_reason: str | None
    course: Course
    steps: Steps
    step: Step | None
    enrolment: Enrolment
    facts: Facts
    crew: Sequence[Crew]
    action: tuple[str, str | None] | None
    postponed: Postponed | None
    now: datetime


@dataclass(frozen=True, slots=True)
class Why:
    step: Step | None
    due_at: datetime | None
    held_by: Sequence[Held]


def why(view: View) -> Why:
    """Without rules and with a due time that is past, the lead is next in line."""
    if view.is_through:
        return Why(None, None, list(_ended(view)))
    open_facts = msgspec.structs.replace(
        view.facts, suppressed=False, other_conversation=False, opens_at=None, inviting=False
    )
    decision, _, _ = walk(view.steps, view.step, view.enrolment, open_facts, view.now)
    if isinstance(decision, Finish):
        return Why(None, view.now, [*_by_campaign(view), *_by_person(view)])
    step, due_at = decision.step, _due_at(decision, view)
    held = [*_by_campaign(view), *_by_person(view), *_by_itself(decision, view), *_by_action(view)]
    if view.facts.inviting and isinstance(decision, Act) and decision.kind is StepType.CONNECT:
        held.append(_INVITED_ELSEWHERE)
    if isinstance(decision, Act) and view.action is None:
        held += _by_turn(step, view)
    elif not view.crew or view.has_begun:
        held += _by_senders(view)
    return Why(step, due_at, held)


def _ended(view: View) -> Iterator[Held]:
    if view.status in STOPPED:
        yield Held("stopped", f"the lead was stopped: {view.status}")
        return
    yield Held("finished", f"the sequence is over for the lead: {view.status}")
    if view.status == Status.SKIPPED and view.facts.suppressed:
        yield _SUPPRESSED


def _due_at(decision: Act | Wait | Hold, view: View) -> datetime | None:
    if view.action is not None and view.action[0] != "planned":
        return None
    if view.postponed is not None:
        return view.postponed.until
    return view.enrolment.step_since + decision.step.after if isinstance(decision, Act) else decision.until


def _by_campaign(view: View) -> Iterator[Held]:
    match view.campaign:
        case CampaignStatus.DRAFT:
            yield Held("campaign_not_started", "the campaign is a draft; start it")
        case CampaignStatus.PAUSED:
            by_itself = f" by itself: {view.pause_reason}" if view.pause_reason else ""
            yield Held("paused", f"the campaign is paused{by_itself}; resume it")
        case CampaignStatus.FINISHED:
            yield Held("finished", "the campaign was finished")
        case _:
            pass
    if view.steps.is_empty:
        yield Held("finished", "the campaign's sequence has no steps")


def _by_person(view: View) -> Iterator[Held]:
    if view.facts.suppressed:
        yield _SUPPRESSED
    if view.facts.other_conversation:
        yield Held(Rule.OTHER_CONVERSATION, "the person is in conversation in another campaign")


def _by_itself(decision: Act | Wait | Hold, view: View) -> Iterator[Held]:
    """What the lead waits for at its step. A field that will be missing is told before the delay is over."""
    step = decision.step
    match decision:
        case Wait(rule=Rule.WAITING_FOR_DELAY, until=until):
            yield Held(Rule.WAITING_FOR_DELAY, f'step "{step.id}" is not due yet', until)
        case Hold(rule=Rule.WAITING_FOR_ACCEPTANCE, until=until):
            yield Held(Rule.WAITING_FOR_ACCEPTANCE, f'step "{step.id}" waits for the connection', until)
        case _:
            pass
    if not step.type.is_performed or view.facts.policy.skips_missing:
        return
    try:
        lacking = rendered(step, view.enrolment.lead_id, view.facts)
    except RenderError as error:
        yield Held(Rule.MISSING_FIELD, f'step "{step.id}" cannot be rendered: {error}')
        return
    if isinstance(lacking, Missing) and (view.facts.sender or not all(map(_is_of_sender, lacking.fields))):
        names = [name for name in lacking.fields if view.facts.sender or not _is_of_sender(name)]
        yield Held(Rule.MISSING_FIELD, f'step "{step.id}" needs {", ".join(names)}')


def _is_of_sender(name: str) -> bool:
    return name.startswith("sender.")


def _by_action(view: View) -> Iterator[Held]:
    match view.action:
        case ("uncertain", _):
            yield Held(Rule.UNCERTAIN_ACTION, "nobody knows yet whether its last deed happened")
        case ("performing", "person"):
            yield Held(Rule.WAITING_FOR_TASK, "a person has its task")
        case _:
            pass


def _by_turn(step: Step, view: View) -> list[Held]:
    """What the hours, caps and gaps say of a deed whose own time has come.

    One rule of one sender holds a lead that may get any of several only when every one of them is held.
    """
    held = [*_by_fault(step, view), *_by_new_leads(view)]
    each = [_of_sender(step, crew, view) for crew in view.crew]
    if not each:
        return [*held, *_by_senders(view)]
    if any(not rules for rules in each):
        return held
    for rule in dict.fromkeys(rule.rule for rules in each for rule in rules):
        found = [found for rules in each for found in rules if found.rule == rule]
        ends = [one.until for one in found if one.until is not None]
        held.append(replace(found[0], until=min(ends, default=None)))
    return held


def _by_fault(step: Step, view: View) -> Iterator[Held]:
    if view.postponed is not None:
        message = f'step "{step.id}" is tried again after a passing fault: {view.postponed.code}'
        yield Held(Rule.WAITING_FOR_DELAY, message, view.postponed.until)


def _by_new_leads(view: View) -> Iterator[Held]:
    most = view.course.max_new_leads_per_day
    if not view.has_begun and most is not None and view.course.begun_today >= most:
        until = calendar.day_ends(view.course.zone, view.now)
        yield Held("new_leads_per_day", f"{most} new leads have begun today, as many as may", until)


def _by_senders(view: View) -> list[Held]:
    if not view.crew:
        return [Held(Rule.SENDER_UNAVAILABLE, "the campaign has no sender")]
    away = [found for crew in view.crew if (found := _away(crew.sender, view.now))]
    if len(away) < len(view.crew):
        return []
    ends = [each.until for each in away if each.until is not None]
    return [replace(away[0], until=min(ends, default=None))]


def _away(sender: Sender, now: datetime) -> Held | None:
    if sender.removed_at is not None:
        return Held(Rule.SENDER_UNAVAILABLE, f'the sender "{sender.name}" was removed')
    if sender.status is SenderStatus.ACTIVE or (sender.status_until is not None and sender.status_until <= now):
        return None
    return Held(Rule.SENDER_UNAVAILABLE, f'the sender "{sender.name}" is {sender.status}', sender.status_until)


def _of_sender(step: Step, crew: Crew, view: View) -> list[Held]:
    sender, kind = crew.sender, kind_of(step.type)
    found = [away] if (away := _away(sender, view.now)) else []
    zone = calendar.own_zone(view.facts.fields) if view.course.schedule else None
    windows = [(view.course.schedule, zone), (sender.schedule, None)]
    opens = calendar.next_open_of_all(windows, view.now)
    if opens != view.now:
        whose = "in the lead's time zone" if zone else "of the campaign and its sender"
        found.append(Held(Rule.OUTSIDE_WINDOW, f"outside the working hours {whose}", opens))
    if kind is not None:
        found += _capped(sender, kind, crew.used, view.now)
    if caps.is_paced(step.type) and crew.paced_until is not None and crew.paced_until > view.now:
        found.append(Held("min_gap", "the sender keeps its gap between two deeds", crew.paced_until))
    return found


def _capped(sender: Sender, kind: QuotaKind, used: Used, now: datetime) -> Iterator[Held]:
    names = {Period.DAY: ("daily_cap", "today"), Period.WEEK: ("weekly_cap", "this week")}
    day = calendar.local_day(sender.zone, now)
    for period, starts_on in caps.periods(sender, now):
        cap = caps.cap(sender, kind, period, day)
        rule, when = names[period]
        if cap == 0:
            yield Held(rule, f'the sender "{sender.name}" may do no {kind}: its cap is 0')
        elif cap is not None and used.get((kind, period), 0) >= cap:
            message = f'the sender "{sender.name}" has done its {cap} {kind} {when}'
            yield Held(rule, message, caps.ends(sender, period, starts_on))
