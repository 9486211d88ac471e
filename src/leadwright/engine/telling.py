"""How a deed that was done is told: its public event, what it counts as, and the status it gives its lead."""

from collections.abc import Mapping, Set

from leadwright import ids
from leadwright.campaigns.model import Counter
from leadwright.channels.channel import Done
from leadwright.engine.action_store import Action
from leadwright.engine.model import Status
from leadwright.engine.sequence import StepType
from leadwright.engine.store import Row
from leadwright.events.model import JSON, EventType
from leadwright.events.service import Fact

CONTACTS: Set[str] = frozenset({StepType.CONNECT, StepType.MESSAGE, StepType.EMAIL})
"""Deeds by which a lead is contacted."""
_STATUS_OF_DEED: Mapping[str, Status] = {
    StepType.VISIT_PROFILE: Status.PROFILE_VIEWED,
    StepType.LIKE_POST: Status.LIKED_POST,
    StepType.CONNECT: Status.CONNECTION_SENT,
    StepType.WITHDRAW_CONNECTION: Status.CONNECTION_WITHDRAWN,
}
_STATUS_OF_FINDING = {
    "already_connected": Status.CONNECTED,
    "already_invited": Status.CONNECTION_ALREADY_SENT,
}
_STATUS_OF_FAULT = {
    "profile_unreachable": Status.PROFILE_UNREACHABLE,
    "blocked": Status.BLOCKED,
    "not_connected": Status.NOT_CONNECTED,
}


def status_of_deed(action: Action, done: Done, row: Row) -> str:
    """The lead's status after the deed; the one it has, for a deed that makes none.

    Of an invitation that is told after its acceptance, the acceptance is what happened last.
    """
    if done.found is not None:
        return _STATUS_OF_FINDING[done.found]
    if action.kind == StepType.CONNECT and row.status == Status.CONNECTION_ACCEPTED:
        return row.status
    if action.kind in (StepType.MESSAGE, StepType.EMAIL):
        return Status.FOLLOWUP_SENT if row.messages_sent else Status.MESSAGE_SENT
    return _STATUS_OF_DEED.get(action.kind, row.status)


def status_of_fault(code: str) -> Status:
    return _STATUS_OF_FAULT.get(code, Status.FAILED)


def fact_of_deed(action: Action, done: Done, conversation_id: str | None, *, simulated: bool) -> Fact | None:
    """The public event of a deed, None where the contract has none."""
    if done.found is not None:
        return None
    data: dict[str, JSON] = {
        "leadId": None if action.lead_id is None else ids.public(ids.Prefix.LEAD, action.lead_id),
        "campaignId": None if action.campaign_id is None else ids.public(ids.Prefix.CAMPAIGN, action.campaign_id),
        "linkedinUrl": action.linkedin_url,
        "senderId": ids.public(ids.Prefix.SENDER, action.sender_id),
    }
    if action.kind == StepType.CONNECT:
        kind, more = EventType.CONNECTION_REQUEST_SENT, {"note": action.text}
    elif action.kind == StepType.MESSAGE:
        kind, more = EventType.MESSAGE_SENT, {"message": action.text or "", "sequenceStep": action.step_number}
    else:
        return None
    return Fact(kind, {**data, **more}, action.campaign_id, action.lead_id, conversation_id, simulated)


def counters_of_deed(action: Action, done: Done, row: Row | None) -> tuple[Counter, ...]:
    """What the deed counts as for its campaign."""
    counted = [Counter.DEEDS_DONE]
    if done.found is None and action.kind == StepType.CONNECT:
        counted.append(Counter.CONNECTIONS_SENT)
    if action.kind == StepType.MESSAGE:
        counted.append(Counter.MESSAGES_SENT)
    if is_first_contact(action, done, row):
        counted.append(Counter.LEADS_CONTACTED)
    return tuple(counted)


def is_first_contact(action: Action, done: Done, row: Row | None) -> bool:
    return row is not None and row.contacted_at is None and done.found is None and action.kind in CONTACTS
