"""Deeds that somebody asks for one by one, beside any sequence: a message to a connection, an invitation.

They obey what every deed does: the do-not-contact list, the sender's caps and its gap. Working hours do not bind them,
since whoever asks has chosen the moment. An action without a step is one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from leadwright import ids
from leadwright.campaigns import service as campaigns
from leadwright.channels.channel import Outcome
from leadwright.clock import Clock
from leadwright.crypto import SecretBox
from leadwright.engine import invitation_store, one_off_store, performing
from leadwright.engine import one_off_faults as faults
from leadwright.engine.action_store import Action
from leadwright.engine.courses import Sequences
from leadwright.engine.one_off_store import PROMISED, Told
from leadwright.engine.performing import LEASE, Adapters, Begun, deed_of
from leadwright.engine.sequence import StepType
from leadwright.engine.settler import Settler
from leadwright.engine.store import Row
from leadwright.errors import Detail, InvalidRequest
from leadwright.identity import Identity
from leadwright.inbox import service as inbox
from leadwright.inbox.model import Note, Relationship
from leadwright.leads import service as leads
from leadwright.people import service as people
from leadwright.postgres.pool import Connection, Database
from leadwright.senders import caps, quotas
from leadwright.senders import service as senders
from leadwright.senders.health import is_usable
from leadwright.senders.limits import QuotaKind
from leadwright.senders.model import Sender
from leadwright.suppression import service as suppression
from leadwright.suppression.service import Approached
from leadwright.templates import Missing, RenderError, TemplateError, compile_template, seed_of

LONGEST_MESSAGE = 8_000
_QUOTA = {StepType.MESSAGE: QuotaKind.MESSAGES, StepType.CONNECT: QuotaKind.CONNECTIONS}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A message or an invitation that somebody asks for; ids are bare.

    ``recipient`` None: the lead's person. ``sender_id`` None: the lead's own, else one that is connected to the person.
    ``text`` is rendered from the lead when it ``is_template``.
    """

    kind: StepType
    text: str | None
    sender_id: str | None
    recipient: Identity | None = None
    linkedin_url: str | None = None
    lead_id: str | None = None
    campaign_id: str | None = None
    is_template: bool = False


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a deed is for, under the canonical key."""

    identity: Identity
    linkedin_url: str
    lead: Row | None


@dataclass(frozen=True, slots=True)
class _Ground:
    """What decides whether a deed may be done; it stays so until the commit, but for the sender."""

    recipient: Recipient
    sender: Sender
    relationship: Relationship
    under_way: Told | None
    """An invitation of the same person by the same sender that is open: another caller's, or a lead's step."""


async def begin(
    connection: Connection,
    secrets: SecretBox,
    workspace_id: str,
    wanted: Wanted,
    now: datetime,
    *,
    again: Told | None = None,
) -> Begun | Relationship | Told:
    """Writes the intent down, as being performed; or says why there is nothing to do: somebody who is connected, has
    an open invitation, or is being invited just now, is not invited.

    ``again`` is an earlier attempt that certainly did not happen: it begins anew, under the same ids. Raises
    NotFound, InvalidRequest, and at the very last, when all else fits, RateLimited.
    """
    await people.hold(connection, workspace_id)
    await suppression.hold(connection, workspace_id)
    ground = await _ground(connection, secrets, workspace_id, wanted)
    await _check_suppressed(connection, workspace_id, ground.recipient)
    if ground.under_way is not None:
        return ground.under_way
    if wanted.kind is StepType.CONNECT and ground.relationship.needs_no_invitation:
        return ground.relationship
    if wanted.kind is StepType.MESSAGE and not ground.relationship.is_connected:
        raise faults.not_connected()
    text = _text(wanted, ground)
    if not is_usable(ground.sender, now):
        raise faults.unusable(ground.sender, now)
    if ground.recipient.lead is not None:
        await leads.enrol(connection, workspace_id, ground.recipient.lead.lead_id)
    taken = await _reserve(connection, workspace_id, ground.sender, _QUOTA[wanted.kind], now)
    action = _action(wanted.kind, text, ground, taken, again, now)
    begun = await one_off_store.begin(connection, workspace_id, action, now + LEASE, now)
    if wanted.kind is StepType.MESSAGE:
        note = Note(action.sender_id, ground.recipient.identity, now)
        await inbox.open_conversation(connection, workspace_id, note, action.linkedin_url)
    return Begun(begun, begun.token, _deed(workspace_id, begun, ground, now))


async def _ground(connection: Connection, secrets: SecretBox, workspace_id: str, wanted: Wanted) -> _Ground:
    lead = await _named_lead(connection, workspace_id, wanted)
    identity, url = await _person(connection, workspace_id, wanted, lead)
    sender = await _sender(connection, secrets, workspace_id, wanted.sender_id, lead, identity)
    under_way = await _under_way(connection, workspace_id, wanted, sender, identity)
    pair = (sender.id, identity)
    known = (await inbox.relationships(connection, workspace_id, [pair]))[pair]
    if lead is None:
        lead = await one_off_store.lead_of(connection, workspace_id, identity, wanted.campaign_id, known.last_lead_id)
    return _Ground(Recipient(identity, url, lead), sender, known, under_way)


async def _under_way(
    connection: Connection, workspace_id: str, wanted: Wanted, sender: Sender, identity: Identity
) -> Told | None:
    """Asked before the relationship is read: what ends in between has left its mark there."""
    if wanted.kind is not StepType.CONNECT:
        return None
    await invitation_store.hold(connection, [sender.id])
    found = await invitation_store.opened(connection, workspace_id, [(sender.id, identity)])
    invitations = found.get((sender.id, identity))
    return None if not invitations else await one_off_store.told(connection, workspace_id, invitations[0].id)


async def _named_lead(connection: Connection, workspace_id: str, wanted: Wanted) -> Row | None:
    """Raises NotFound for an unknown campaign or lead, InvalidRequest for a lead of another campaign."""
    campaign_id = wanted.campaign_id
    if campaign_id is not None and not await one_off_store.has_campaign(connection, workspace_id, campaign_id):
        raise campaigns.not_found()
    if wanted.lead_id is None:
        return None
    lead = await one_off_store.lead(connection, workspace_id, wanted.lead_id)
    if lead is None:
        raise leads.not_found()
    if campaign_id is not None and lead.campaign_id != campaign_id:
        raise InvalidRequest.of([Detail("leadId", "is a lead of another campaign than campaignId")])
    return lead


async def _person(connection: Connection, workspace_id: str, wanted: Wanted, lead: Row | None) -> tuple[Identity, str]:
    """The canonical key and the address. Raises InvalidRequest when address and lead are two persons."""
    given = wanted.recipient or (lead.identity if lead is not None else None)
    assert given is not None, "the caller has seen to it that one is there"
    wished = [given] if lead is None else [given, lead.identity]
    known = await people.canonical(connection, workspace_id, wished)
    if lead is not None and known[given] != known[lead.identity]:
        raise InvalidRequest.of([Detail("leadId", "is another person than recipientLinkedinUrl")])
    url = wanted.linkedin_url or (lead.linkedin_url if lead is not None else "")
    return known[given], url


async def _sender(
    connection: Connection,
    secrets: SecretBox,
    workspace_id: str,
    sender_id: str | None,
    lead: Row | None,
    identity: Identity,
) -> Sender:
    chosen = sender_id or (lead.sender_id if lead is not None else None)
    if chosen is None:
        chosen = await one_off_store.connected_sender(connection, workspace_id, identity)
        if chosen is None:
            raise faults.no_sender()
    found = (await senders.load(connection, secrets, workspace_id, [chosen])).get(chosen)
    if found is None or found.removed_at is not None:
        raise faults.sender_not_found()
    return found


async def _check_suppressed(connection: Connection, workspace_id: str, recipient: Recipient) -> None:
    lead = recipient.lead
    email, company = (None, None) if lead is None else (lead.email, lead.company)
    approached = Approached("recipient", recipient.identity.text, email, company)
    if await suppression.suppressed(connection, workspace_id, [approached]):
        raise faults.recipient_suppressed()


def _text(wanted: Wanted, ground: _Ground) -> str | None:
    if not wanted.is_template or wanted.text is None:
        return wanted.text
    lead, sender = ground.recipient.lead, ground.sender
    assert lead is not None, "a template is rendered from a lead"
    try:
        template = compile_template(wanted.text)
        rendered = template.render(lead.fields, sender.fields, seed_of(lead.lead_id, wanted.text))
    except (TemplateError, RenderError) as error:
        raise faults.not_rendered(str(error)) from error
    if isinstance(rendered, Missing):
        raise faults.missing_fields(rendered.fields)
    if not rendered.text.strip() or len(rendered.text) > LONGEST_MESSAGE:
        raise faults.not_rendered(f"expected 1 to {LONGEST_MESSAGE} characters once it is rendered")
    return rendered.text


async def _reserve(
    connection: Connection, workspace_id: str, sender: Sender, kind: QuotaKind, now: datetime
) -> Sequence[quotas.Taken]:
    """Takes the sender's room for one deed that begins now. Raises RateLimited."""
    reserved = await quotas.reserve(connection, workspace_id, sender, kind, 1, now)
    if not reserved.granted:
        standing = (await quotas.standing(connection, workspace_id, [sender], now))[sender.id][kind]
        raise faults.no_room(kind, standing, reserved.next_at, now)
    if sender.limits.min_gap > timedelta():
        begin_at = (await quotas.hold_begin_times(connection, workspace_id, [sender.id])).get(sender.id)
        if begin_at is not None and begin_at > now:
            raise faults.too_soon(begin_at, now)
        await quotas.pace_deeds(connection, workspace_id, {sender.id: caps.next_after(sender, now)})
    return reserved.taken


def _action(
    kind: StepType, text: str | None, ground: _Ground, taken: Sequence[quotas.Taken], again: Told | None, now: datetime
) -> Action:
    promised = ids.new_id() if again is None else again.promised_id
    recipient, lead = ground.recipient, ground.recipient.lead
    words = {} if text is None else {"text": text}
    return Action(
        id=ids.new_id() if again is None else again.id,
        lead_id=lead.lead_id if lead is not None else None,
        campaign_id=lead.campaign_id if lead is not None else None,
        sender_id=ground.sender.id,
        identity_kind=recipient.identity.kind,
        identity_key=recipient.identity.key,
        linkedin_url=recipient.linkedin_url,
        step_id=None,
        step_number=None,
        sequence_version=None,
        variant=None,
        kind=kind,
        content={**words, PROMISED[kind]: promised},
        state="performing",
        attempt=1,
        token=1,
        quota=[[kind_of, period, starts_on.isoformat()] for kind_of, period, starts_on in taken],
        planned_at=now,
        performing_at=now,
        external_id=None,
    )


def _deed(workspace_id: str, action: Action, ground: _Ground, now: datetime) -> performing.Deed:
    lead = ground.recipient.lead
    return deed_of(
        workspace_id,
        action,
        ground.sender,
        now,
        attempt=action.attempt,
        first_name=lead.first_name if lead is not None else None,
        last_name=lead.last_name if lead is not None else None,
    )


async def perform(database: Database, channels: Adapters, begun: Begun, clock: Clock) -> Outcome:
    """Does the deed, outside any transaction, and writes down what came of it."""
    settled = await performing.perform(channels, begun)
    await Settler(database, Sequences()).settle([settled], clock())
    return settled.outcome


async def told(connection: Connection, workspace_id: str, action_id: str) -> Told | None:
    """What has become of a one-off deed; None when the workspace has none of this id."""
    return await one_off_store.told(connection, workspace_id, action_id)
