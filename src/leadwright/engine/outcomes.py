"""What deeds came to: written down, told, counted, and the leads sent on to the step that follows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import msgspec

from leadwright import ids
from leadwright.campaigns.model import Counter
from leadwright.channels.channel import Done, Later, Permanent, RateLimited, SenderDown, Temporary, Unknown
from leadwright.engine import action_store, store
from leadwright.engine.action_store import Action, Settlement
from leadwright.engine.courses import Route, Sequences
from leadwright.engine.ledger import Ledger
from leadwright.engine.model import Rule, Status
from leadwright.engine.movement import Movement, Standing
from leadwright.engine.sequence import StepType
from leadwright.engine.settlement import Settled, has_failed, is_exhausted, retry_at, settlement
from leadwright.engine.store import Row
from leadwright.engine.telling import (
    counters_of_deed,
    fact_of_deed,
    is_first_contact,
    status_of_deed,
    status_of_fault,
)
from leadwright.identity import Identity, linkedin_identity
from leadwright.inbox import service as inbox
from leadwright.inbox.model import Direction, Kept, NewMessage, Note, Pair
from leadwright.leads import progress
from leadwright.people import service as people
from leadwright.postgres.pool import Connection
from leadwright.senders import health, quotas


@dataclass(frozen=True, slots=True)
class Settling:
    """``news``: the outcomes that were written; others came too late. ``failing``: senders that fail too often.

    ``messages``: where the messages among them are kept, by action.
    """

    news: Sequence[Settled]
    failing: frozenset[str]
    messages: Mapping[str, Kept]


async def settle(
    connection: Connection, sequences: Sequences, workspace_id: str, settled: Sequence[Settled], now: datetime
) -> Settling:
    """Records outcomes of one workspace's actions, each lead at most once, in one transaction that holds nothing yet.

    An outcome whose token has passed on is dropped: somebody else has decided what became of that action.
    """
    await people.hold(connection, workspace_id)
    rows = await store.lock(connection, workspace_id, [each.action.lead_id for each in settled if each.action.lead_id])
    written = [settlement(each, now) for each in settled]
    accepted = await action_store.settle(connection, workspace_id, written)
    pairs = [(s, w) for s, w in zip(settled, written, strict=True) if s.action.id in accepted]
    news = [each for each, _ in pairs]
    await _give_back(connection, workspace_id, pairs)
    reports = [(each.action.sender_id, each.outcome) for each in news if each.tells_of_sender]
    failing = await health.report_many(connection, workspace_id, reports, now)
    told = await _tell_inbox(connection, workspace_id, news, rows, now)
    routes = await routes_of(connection, sequences, workspace_id, rows.values())
    await progress.learn(connection, workspace_id, _learned(news), now)
    telling = _Telling(Ledger(workspace_id), told.messages)
    movement = Movement(workspace_id, now, telling.ledger, routes, told.invited)
    for each in news:
        telling.add(each, movement, _row_of(each.action, rows, routes), now)
    await movement.write(connection)
    return Settling(news, failing, told.messages)


async def _give_back(connection: Connection, workspace_id: str, pairs: Sequence[tuple[Settled, Settlement]]) -> None:
    await quotas.give_back_many(
        connection,
        workspace_id,
        [(s.action.sender_id, s.action.quota) for s, w in pairs if not w.keeps_quota and s.action.quota],
    )


async def routes_of(
    connection: Connection, sequences: Sequences, workspace_id: str, rows: Iterable[Row]
) -> Mapping[str, Route]:
    of_campaign: dict[str, list[Row]] = {}
    for row in rows:
        of_campaign.setdefault(row.campaign_id, []).append(row)
    courses = await store.courses(connection, workspace_id, list(of_campaign)) if of_campaign else {}
    return {
        campaign_id: await sequences.route(connection, workspace_id, course, of_campaign[campaign_id])
        for campaign_id, course in courses.items()
    }


def _row_of(action: Action, rows: Mapping[str, Row], routes: Mapping[str, Route]) -> Row | None:
    """The action's lead, None for a one-off and for one whose lead or campaign was deleted meanwhile."""
    row = rows.get(action.lead_id or "")
    return row if row is not None and row.campaign_id in routes else None


def identity_of(action: Action) -> Identity:
    return Identity(store.KINDS[action.identity_kind], action.identity_key)


def _learned(news: Iterable[Settled]) -> Mapping[str, Mapping[str, object]]:
    """What channels found out about leads, by lead."""
    return {
        each.action.lead_id: each.outcome.profile
        for each in news
        if each.action.lead_id is not None and isinstance(each.outcome, Done) and each.outcome.profile
    }


def known_as(settled: Settled) -> list[Identity]:
    """The other keys that a channel learned for a person; addresses that name nobody are left out."""
    outcome = settled.outcome
    read = [linkedin_identity(url) for url in outcome.known_as] if isinstance(outcome, Done) else []
    return [found for found in read if isinstance(found, Identity) and found != identity_of(settled.action)]


class _Told(NamedTuple):
    """Where messages are kept, by action, and pairs that have an open invitation now."""

    messages: Mapping[str, Kept]
    invited: frozenset[Pair]


async def _tell_inbox(
    connection: Connection, workspace_id: str, news: Sequence[Settled], rows: Mapping[str, Row], now: datetime
) -> _Told:
    """What the deeds made of relationships, and the messages that went out."""
    invited: list[Note] = []
    connected: list[Note] = []
    withdrawn: list[Note] = []
    not_connected: list[Note] = []
    sent: list[NewMessage] = []
    for each in news:
        action, outcome = each.action, each.outcome
        note = Note(action.sender_id, identity_of(action), now, action.lead_id)
        if isinstance(outcome, Permanent) and outcome.code == "not_connected":
            not_connected.append(note)
        if not isinstance(outcome, Done):
            continue
        if action.kind == StepType.CONNECT:
            (connected if outcome.found == "already_connected" else invited).append(note)
        elif action.kind == StepType.WITHDRAW_CONNECTION:
            withdrawn.append(note)
        elif action.kind == StepType.MESSAGE:
            sent.append(_message(each, rows.get(action.lead_id or ""), outcome, now))
    open_invitations = await inbox.note_invited(connection, workspace_id, invited)
    await inbox.note_connected(connection, workspace_id, connected)
    await inbox.note_withdrawn(connection, workspace_id, withdrawn)
    await inbox.note_not_connected(connection, workspace_id, not_connected)
    kept = await inbox.keep_messages(connection, workspace_id, sent)
    messages = {message.action_id or "": where for message, where in zip(sent, kept, strict=True)}
    return _Told(messages, open_invitations)


def _message(each: Settled, row: Row | None, done: Done, now: datetime) -> NewMessage:
    action = each.action
    return NewMessage(
        sender_id=action.sender_id,
        identity=identity_of(action),
        linkedin_url=action.linkedin_url,
        name=row.name if row is not None else None,
        direction=Direction.SENT,
        text=action.text or "",
        at=now,
        action_id=action.id,
        lead_id=action.lead_id,
        external_id=done.external_id,
        id=action.content.get("messageId"),
    )


class _Telling:
    """Turns outcomes into what the ledger tells of them and where their leads go."""

    def __init__(self, ledger: Ledger, messages: Mapping[str, Kept]) -> None:
        self.ledger = ledger
        self._messages = messages

    def add(self, each: Settled, movement: Movement, row: Row | None, now: datetime) -> None:
        done = each.outcome if isinstance(each.outcome, Done) else None
        if done is not None:
            self._tell_deed(each, done, row)
        if has_failed(each):
            self._count(each.action, Counter.DEEDS_FAILED)
        if row is None:
            return
        lead = Standing(row, row.campaign_id, each.action.sender_id, row.status, each.simulated)
        if done is not None:
            lead = self._after_deed(each.action, done, lead, movement, now)
        if not each.is_as_before:
            self._note(each, lead)
        if not _is_waited_for(each, row):
            movement.keep(lead)
        else:
            _move(each, lead, movement, now)

    def _tell_deed(self, each: Settled, done: Done, row: Row | None) -> None:
        action = each.action
        kept = self._messages.get(action.id)
        fact = fact_of_deed(action, done, kept.conversation_id if kept is not None else None, simulated=each.simulated)
        if fact is not None:
            self.ledger.tell(fact)
        for counter in counters_of_deed(action, done, row):
            self._count(action, counter)

    def _count(self, action: Action, counter: Counter) -> None:
        if action.campaign_id is not None:
            self.ledger.count(
                action.campaign_id,
                counter,
                step_id=action.step_id,
                variant=action.variant,
                sender_id=action.sender_id,
            )

    def _after_deed(self, action: Action, done: Done, lead: Standing, movement: Movement, now: datetime) -> Standing:
        """The lead with what the deed made of it. After its end nothing but a reply or a person changes a status."""
        row = lead.row
        if lead.row.state != "done":
            lead = movement.change(lead, status_of_deed(action, done, row), action.step_id)
        contacted_at = now if is_first_contact(action, done, row) else row.contacted_at
        messages = row.messages_sent + (action.kind in (StepType.MESSAGE, StepType.EMAIL))
        row = msgspec.structs.replace(row, contacted_at=contacted_at, messages_sent=messages)
        return Standing(row, lead.campaign_id, lead.sender_id, lead.status, lead.simulated)

    def _note(self, each: Settled, lead: Standing) -> None:
        kind, detail = _entry(each)
        self.ledger.note(lead.row.lead_id, kind, each.action.step_id, detail)


def _is_waited_for(each: Settled, row: Row) -> bool:
    """Whether its lead still stands at the deed's step; before another try only when there was no need of one."""
    if each.action.step_id is None or row.step_id != each.action.step_id:
        return False
    return row.state == "leased" or (row.state == "due" and isinstance(each.outcome, Done))


def _entry(each: Settled) -> tuple[str, dict[str, object]]:
    """The outcome as the lead's history keeps it."""
    action, outcome = each.action, each.outcome
    detail: dict[str, object] = {
        "kind": action.kind,
        "actionId": ids.public(ids.Prefix.ACTION, action.id),
        "attempt": action.attempt,
    }
    if each.simulated:
        detail["simulated"] = True
    match outcome:
        case Done():
            found = {"found": outcome.found} if outcome.found else {}
            variant = {} if action.variant is None else {"variant": action.variant}
            words = {"note": outcome.note} if outcome.note else {}
            return "performed", {**detail, **found, **variant, **words}
        case Later():
            return "awaiting_outcome", {**detail, "awaiting": outcome.awaiting}
        case Permanent():
            return "not_performed", {**detail, "code": outcome.code, "message": outcome.message}
        case Temporary():
            word = "not_performed" if is_exhausted(action, outcome) else "postponed"
            return word, {**detail, "code": outcome.code, "message": outcome.message}
        case RateLimited():
            return "postponed", {**detail, "code": "rate_limited", "message": outcome.message}
        case SenderDown():
            return "postponed", {**detail, "code": "sender_unavailable", "message": outcome.message}
        case Unknown():
            return "uncertain", {**detail, "message": outcome.message}


def _move(each: Settled, lead: Standing, movement: Movement, now: datetime) -> None:
    action, outcome = each.action, each.outcome
    assert action.step_id is not None
    match outcome:
        case Done():
            movement.follow(lead, action.step_id)
        case Later():
            movement.stay(lead, Rule.WAITING_FOR_TASK if outcome.awaiting == "person" else None)
        case Permanent():
            if outcome.code == "skipped":
                movement.follow(lead, action.step_id)
            else:
                movement.finish(lead, status_of_fault(outcome.code), outcome.code)
        case Temporary():
            if is_exhausted(action, outcome):
                movement.finish(lead, Status.FAILED, outcome.code)
            else:
                movement.retry(lead, retry_at(action, outcome, now))
        case RateLimited() | SenderDown():
            movement.retry(lead, now)
        case Unknown():
            movement.stay(lead, Rule.UNCERTAIN_ACTION)
