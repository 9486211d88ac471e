"""What people do comes in: acceptances and replies, in whatever order and however often they are told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from leadwright import ids
from leadwright.campaigns.model import Counter
from leadwright.channels.channel import InboundFact
from leadwright.clock import iso
from leadwright.engine import fact_store, store
from leadwright.engine.courses import Sequences
from leadwright.engine.ledger import Ledger
from leadwright.engine.model import Rule, Status
from leadwright.engine.movement import Movement, Standing
from leadwright.engine.outcomes import routes_of
from leadwright.engine.stopping import withdraw
from leadwright.engine.store import Row
from leadwright.events.model import EventType
from leadwright.events.service import Fact
from leadwright.identity import Identity
from leadwright.inbox import service as inbox
from leadwright.inbox.model import Direction, NewMessage, Note
from leadwright.postgres.pool import Connection
from leadwright.senders.model import ChannelName

_INVITED = (Status.CONNECTION_SENT, Status.CONNECTION_ALREADY_SENT)


@dataclass(frozen=True, slots=True)
class Told:
    """A fact with whom it is about; ``person`` is the canonical key, and stays so."""

    workspace_id: str
    sender_id: str
    channel: str
    person: Identity
    fact: InboundFact
    at: datetime
    now: datetime

    @property
    def simulated(self) -> bool:
        return self.channel == ChannelName.SIMULATOR


class Receipt:
    """One fact in one transaction, whose leads are held."""

    def __init__(self, connection: Connection, told: Told, sequences: Sequences) -> None:
        self._connection = connection
        self._told = told
        self._sequences = sequences
        self._ledger = Ledger(told.workspace_id)

    async def accept(self) -> tuple[bool, str | None]:
        """Whether the acceptance was news, and the lead that it was about."""
        told = self._told
        rows = await self._held()
        lead = await self._contacted_last(rows)
        note = Note(told.sender_id, told.person, told.at, lead.lead_id if lead else None)
        if not await inbox.note_connected(self._connection, told.workspace_id, [note]):
            return False, lead.lead_id if lead else None
        self._tell(EventType.CONNECTION_REQUEST_ACCEPTED, lead, {"acceptedAt": iso(told.at)}, None)
        movement = await self._movement(rows)
        if lead is not None:
            await self._count(lead, Counter.CONNECTIONS_ACCEPTED, ["connect"])
            self._ledger.note(lead.lead_id, "connection_accepted", lead.step_id, {"acceptedAt": iso(told.at)})
        own = [row for row in rows if row.sender_id == told.sender_id and row.state != "done"]
        spared = await self._spare([row.lead_id for row in own if row.state == "leased"])
        for row in own:
            waits = row.state == "due" and row.hold_rule == Rule.WAITING_FOR_ACCEPTANCE
            standing = self._standing(row)
            if row is lead or row.status in _INVITED:
                standing = movement.change(standing, Status.CONNECTION_ACCEPTED, row.step_id)
            if waits or row.lead_id in spared:
                movement.retry(standing, told.now)
            else:
                movement.keep(standing)  # what is under way stays where it is
        await movement.write(self._connection)
        return True, lead.lead_id if lead else None

    async def _spare(self, leased: list[str]) -> frozenset[str]:
        """Takes back plans to withdraw the invitation that was just accepted; answers the leads that had one."""
        if not leased:
            return frozenset()
        spared = await fact_store.withdrawing(self._connection, self._told.workspace_id, leased)
        await withdraw(self._connection, self._told.workspace_id, sorted(spared), "accepted", self._told.now)
        return spared

    async def reply(self) -> str | None:
        """The lead that replied. All leads of the person stop, also those that nobody has begun with."""
        told = self._told
        await fact_store.enrol_person(self._connection, told.workspace_id, told.person)
        rows = await self._held()
        lead = await self._contacted_last(rows)
        message = NewMessage(
            sender_id=told.sender_id,
            identity=told.person,
            linkedin_url=told.fact.linkedin_url,
            name=lead.name if lead else None,
            direction=Direction.RECEIVED,
            text=told.fact.text or "",
            at=told.at,
            lead_id=lead.lead_id if lead else None,
            external_id=told.fact.external_id,
        )
        (kept,) = await inbox.keep_messages(self._connection, told.workspace_id, [message])
        self._tell(EventType.REPLY_RECEIVED, lead, {"reply": told.fact.text or ""}, kept.conversation_id)
        movement = await self._movement(rows)
        if lead is not None:
            await self._note_reply(lead)
        active = [row.lead_id for row in rows if row.state != "done"]
        await withdraw(self._connection, told.workspace_id, active, "replied", told.now)
        for row in rows:
            self._stop(movement, row, replied=row is lead)
        await movement.write(self._connection)
        return lead.lead_id if lead else None

    async def _note_reply(self, lead: Row) -> None:
        """Each lead that answers is counted once."""
        if not await fact_store.has_replied(self._connection, self._told.workspace_id, lead.lead_id):
            await self._count(lead, Counter.REPLIES_RECEIVED, ["message", "email", "connect"])
        self._ledger.note(lead.lead_id, "replied", lead.step_id, {"repliedAt": iso(self._told.at)})

    def _stop(self, movement: Movement, row: Row, *, replied: bool) -> None:
        standing = self._standing(row)
        if row.state != "done":
            status, reason = (Status.REPLY_RECEIVED, None) if replied else (Status.STOPPED, "replied_elsewhere")
            movement.finish(standing, status, reason)
        elif replied:
            movement.keep(movement.change(standing, Status.REPLY_RECEIVED, row.step_id))

    async def _held(self) -> Sequence[Row]:
        told = self._told
        lead_ids = await fact_store.leads_of_person(self._connection, told.workspace_id, told.person)
        return list((await store.lock(self._connection, told.workspace_id, lead_ids)).values())

    async def _contacted_last(self, rows: Sequence[Row]) -> Row | None:
        """The lead as which this sender contacted the person last; else one of its own, else the latest."""
        pair = (self._told.sender_id, self._told.person)
        known = (await inbox.relationships(self._connection, self._told.workspace_id, [pair]))[pair]
        return max(rows, key=lambda row: self._nearness(row, known.last_lead_id), default=None)

    def _nearness(self, row: Row, last_lead_id: str | None) -> tuple[bool, bool, str, str]:
        contacted = iso(row.contacted_at) if row.contacted_at else ""
        return row.lead_id == last_lead_id, row.sender_id == self._told.sender_id, contacted, row.lead_id

    async def _movement(self, rows: Sequence[Row]) -> Movement:
        routes = await routes_of(self._connection, self._sequences, self._told.workspace_id, rows)
        return Movement(self._told.workspace_id, self._told.now, self._ledger, routes)

    def _standing(self, row: Row) -> Standing:
        return Standing(row, row.campaign_id, row.sender_id, row.status, self._told.simulated)

    def _tell(self, kind: EventType, lead: Row | None, more: Mapping[str, str], conversation_id: str | None) -> None:
        data = {
            "leadId": ids.public(ids.Prefix.LEAD, lead.lead_id) if lead else None,
            "campaignId": ids.public(ids.Prefix.CAMPAIGN, lead.campaign_id) if lead else None,
            "linkedinUrl": lead.linkedin_url if lead else self._told.fact.linkedin_url,
            "senderId": ids.public(ids.Prefix.SENDER, self._told.sender_id),
            **more,
        }
        campaign_id, lead_id = (lead.campaign_id, lead.lead_id) if lead else (None, None)
        self._ledger.tell(Fact(kind, data, campaign_id, lead_id, conversation_id, self._told.simulated))

    async def _count(self, lead: Row, counter: Counter, kinds: list[str]) -> None:
        answered = await fact_store.last_step_done(self._connection, self._told.workspace_id, lead.lead_id, kinds)
        self._ledger.count(
            lead.campaign_id,
            counter,
            step_id=answered.step_id,
            variant=answered.variant,
            sender_id=self._told.sender_id,
        )
