"""What happens next to a lead, when, and every rule that holds it; pure."""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from leadwright import ids
from leadwright.campaigns.model import Status as CampaignStatus
from leadwright.engine.model import Act, Finish, Hold, Rule, Status, Wait
from leadwright.engine.plan import ready_at, rendered, walk
from leadwright.engine.sequence import StepType
from leadwright.engine.why_turn import by_senders, by_turn
from leadwright.engine.why_view import Held, OpenDeed, Stop, View, Why
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

_INVITED_ELSEWHERE = Held(Rule.OTHER_CONVERSATION, "the sender is inviting the person for another lead just now")
_SUPPRESSED = Held(Rule.SUPPRESSED, "the person is on the do-not-contact list")


def why(view: View) -> Why:
    """Without rules and with a due time that is past, the lead is next in line."""
    if view.is_through:
        return Why(None, None, list(_ended(view)), view.deed)
    open_facts = msgspec.structs.replace(
        view.facts, suppressed=False, other_conversation=False, opens_at=None, inviting=False
    )
    decision, place, _ = walk(view.steps, view.step, view.enrolment, open_facts, view.now)
    if isinstance(decision, Finish):
        held = [*_by_campaign(view), *_by_person(view), *_by_deed(view)]
        return Why(None, _told_due_at(view.now, view), held, view.deed)
    due_at = ready_at(decision.step, place, open_facts) if isinstance(decision, Act) else decision.until
    held = [*_by_campaign(view), *_by_person(view), *_by_itself(decision, view), *_by_deed(view)]
    if _is_invited_elsewhere(decision, view):
        held.append(_INVITED_ELSEWHERE)
    held += _by_others(decision, view)
    return Why(decision.step, _told_due_at(due_at, view), held, view.deed)


def _told_due_at(due_at: datetime | None, view: View) -> datetime | None:
    """Of a deed under way, when its worker must be done; None: a person or a channel tells."""
    if view.deed is not None and view.deed.state != "planned":
        return view.deed.until if view.deed.state == "performing" else None
    return due_at if view.postponed is None else view.postponed.until


def _by_others(decision: Act | Wait | Hold, view: View) -> list[Held]:
    """What senders, hours and caps say of the step, at the moment when its time comes."""
    if decision.step.type.is_performed and view.deed is None:
        return by_turn(decision.step, max(_comes_at(decision, view), view.now), view)
    return by_senders(view.now, view) if view.has_begun or not view.crew else []


def _comes_at(decision: Act | Wait | Hold, view: View) -> datetime:
    """When it could be done, were it not for senders and hours: of an acceptance, if it came now."""
    match decision:
        case Wait(until=until):
            return until
        case Hold(rule=Rule.WAITING_FOR_ACCEPTANCE):
            return view.now + decision.step.after
        case _:
            return view.now if view.postponed is None else view.postponed.until


def _is_invited_elsewhere(decision: Act | Wait | Hold, view: View) -> bool:
    return view.facts.inviting and decision.step.type is StepType.CONNECT and not isinstance(decision, Wait)


def _ended(view: View) -> Iterator[Held]:
    if view.status in STOPPED:
        yield Held("stopped", f"the lead was stopped: {view.status}{'' if view.stop is None else _because(view.stop)}")
        return
    yield Held("finished", f"the sequence is over for the lead: {view.status}")
    if view.status == Status.SKIPPED and view.facts.suppressed:
        yield _SUPPRESSED


def _because(stop: Stop) -> str:
    other = "another lead" if stop.lead_id is None else ids.public(ids.Prefix.LEAD, stop.lead_id)
    where = "another campaign" if stop.campaign is None else f'the campaign "{stop.campaign}"'
    match stop.reason:
        case "replied_elsewhere":
            return f", the person replied in {where} ({other})"
        case "duplicate":
            return f", it is the same person as {other}"
        case reason:
            return f", {reason}"


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
        case _ if view.postponed is not None:
            message = f'step "{step.id}" is tried again after a passing fault: {view.postponed.code}'
            yield Held(Rule.WAITING_FOR_DELAY, message, view.postponed.until)
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


def _by_deed(view: View) -> Iterator[Held]:
    match view.deed:
        case OpenDeed(state="uncertain") as deed:
            resolver = "its channel is asked" if deed.awaiting == "channel" else "a person must resolve it"
            message = f"nobody knows yet whether its last deed happened ({deed.public_id}); {resolver}"
            yield Held(Rule.UNCERTAIN_ACTION, message, deed.until)
        case OpenDeed(state="performing", awaiting="person"):
            yield Held(Rule.WAITING_FOR_TASK, "a person has its task")
        case _:
            pass
