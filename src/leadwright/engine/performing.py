"""From planned to performing, under the locks that make stopping exact; then the deed, outside any transaction."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from leadwright.channels.channel import Channel, Deed, Outcome, Unknown
from leadwright.crypto import SecretBox
from leadwright.engine import action_store, beginning_store, calendar
from leadwright.engine.action_store import Action
from leadwright.engine.beginning_store import CampaignState, Candidate
from leadwright.engine.courses import Sequences
from leadwright.engine.ledger import Ledger
from leadwright.engine.model import Rule, Status
from leadwright.engine.movement import Movement, Standing
from leadwright.engine.one_off_store import PROMISED
from leadwright.engine.outcomes import identity_of, routes_of
from leadwright.engine.sequence import StepType
from leadwright.engine.settlement import Settled
from leadwright.people import service as people
from leadwright.postgres.pool import Connection, Database, passing_fault
from leadwright.senders import caps, quotas
from leadwright.senders import service as senders
from leadwright.senders.health import is_usable
from leadwright.senders.model import Sender
from leadwright.suppression import service as suppression
from leadwright.suppression.service import Approached
from leadwright.telemetry.logs import logger

_log = logger("leadwright.engine")
LEASE = timedelta(minutes=5)
"""For so long a deed is its worker's; longer than any channel may take, so that nobody else takes it meanwhile."""
DEED_SECONDS = 120.0
"""The longest that a channel may take."""


class Adapters(Protocol):
    """Who performs a sender's deeds."""

    def of(self, sender: Sender) -> Channel: ...


class Begun(msgspec.Struct, frozen=True):
    """A deed that is this worker's to do, until its lease ends."""

    action: Action
    token: int
    deed: Deed

    def may_start(self, now: datetime) -> bool:
        """Whether the longest deed would still be over before its lease, after which somebody else may do it."""
        return now + timedelta(seconds=DEED_SECONDS) <= self.deed.at + LEASE


@dataclass(frozen=True, slots=True)
class Scene:
    """What decides whether planned steps of one workspace may be performed now; all of it stays so until the commit."""

    campaigns: Mapping[str, CampaignState]
    senders: Mapping[str, Sender]
    suppressed: frozenset[str]
    now: datetime

    def objection(self, candidate: Candidate) -> str | None:
        """Why a planned step is not performed now; None when it may be."""
        action, row = candidate.action, candidate.row
        if row.state != "leased" or row.step_id != action.step_id:
            return "lead_moved"
        campaign = self.campaigns[action.campaign_id or ""]
        sender = self.senders.get(action.sender_id)
        if action.id in self.suppressed:
            return Rule.SUPPRESSED
        if not campaign.is_started:
            return "campaign_not_started"
        if campaign.version != action.sequence_version:
            return "sequence_edited"
        if sender is None or not is_usable(sender, self.now):
            return Rule.SENDER_UNAVAILABLE
        if not self._is_open(campaign, sender, candidate) or not quotas.is_current(sender, action.quota, self.now):
            return Rule.OUTSIDE_WINDOW
        return None

    def _is_open(self, campaign: CampaignState, sender: Sender, candidate: Candidate) -> bool:
        zone = None if campaign.schedule is None else calendar.own_zone(candidate.row.fields)
        return calendar.are_open(campaign.schedule, zone, sender.schedule, self.now)


@dataclass(slots=True)
class _Sorted:
    """Candidates by what becomes of them."""

    may: list[Candidate] = field(default_factory=list[Candidate])
    not_now: dict[str, str] = field(default_factory=dict[str, str])
    put_off: dict[str, datetime] = field(default_factory=dict[str, datetime])
    paced: dict[str, datetime] = field(default_factory=dict[str, datetime])


class Beginner:
    """Begins planned steps, of one workspace at a time; ``batch`` is the most of one transaction."""

    def __init__(self, database: Database, secrets: SecretBox, sequences: Sequences, *, batch: int) -> None:
        self._database = database
        self._secrets = secrets
        self._sequences = sequences
        self._batch = batch

    async def begin(self, now: datetime, most: int | None = None) -> tuple[bool, Sequence[Begun]]:
        """Whether anything was planned, and what of it is to be performed now."""
        async with self._database.session() as connection:
            workspace_id = await beginning_store.waiting_workspace(connection, now)
        if workspace_id is None:
            return False, ()
        async with self._database.transaction() as connection:
            return await self._begin(connection, workspace_id, now, min(self._batch, most or self._batch))

    async def _begin(
        self, connection: Connection, workspace_id: str, now: datetime, most: int
    ) -> tuple[bool, Sequence[Begun]]:
        await people.hold(connection, workspace_id)
        await suppression.hold(connection, workspace_id)
        campaigns = await beginning_store.hold_campaigns(connection, workspace_id, now)
        found = await beginning_store.candidates(connection, workspace_id, list(campaigns), now, most)
        wanted = {each.action.sender_id for each in found}
        scene = Scene(
            campaigns,
            await senders.load(connection, self._secrets, workspace_id, wanted),
            await suppression.suppressed(connection, workspace_id, [_approached(each) for each in found]),
            now,
        )
        chosen = await _sort(connection, workspace_id, scene, found)
        tokens: Mapping[str, int] = {}
        if chosen.may:
            begun_ids = [each.action.id for each in chosen.may]
            tokens = await beginning_store.begin(connection, workspace_id, begun_ids, now + LEASE, now)
        if chosen.not_now:
            await self._release(connection, workspace_id, scene, found, chosen.not_now)
        begun = [
            Begun(_tried(each.action, now), tokens[each.action.id], _deed(workspace_id, scene, each))
            for each in chosen.may
            if each.action.id in tokens
        ]
        return bool(found), begun

    async def _release(
        self,
        connection: Connection,
        workspace_id: str,
        scene: Scene,
        found: Iterable[Candidate],
        reasons: Mapping[str, str],
    ) -> None:
        """Takes plans back; their leads, where they still stand there, are planned for anew."""
        quota = await action_store.cancel(connection, workspace_id, reasons, scene.now)
        await quotas.give_back_many(connection, workspace_id, quota)
        freed = [each for each in found if reasons.get(each.action.id, "lead_moved") != "lead_moved"]
        routes = await routes_of(connection, self._sequences, workspace_id, [each.row for each in freed])
        movement = Movement(workspace_id, scene.now, Ledger(workspace_id), routes)
        for each in freed:
            sender = scene.senders.get(each.action.sender_id)
            lead = Standing(
                each.row,
                each.row.campaign_id,
                each.action.sender_id,
                each.row.status,
                simulated=sender is not None and sender.is_simulated,
            )
            if reasons[each.action.id] == Rule.SUPPRESSED:
                movement.finish(lead, Status.SKIPPED, Rule.SUPPRESSED)
            else:
                movement.retry(lead, scene.now)
        await movement.write(connection)


async def _sort(connection: Connection, workspace_id: str, scene: Scene, found: Sequence[Candidate]) -> _Sorted:
    """Those that may begin, those that may not now, and those that the gap of their sender puts off."""
    chosen = _Sorted()
    for each in found:
        objection = scene.objection(each)
        if objection is None:
            chosen.may.append(each)
        else:
            chosen.not_now[each.action.id] = objection
    await _keep_gaps(connection, workspace_id, scene, chosen)
    return chosen


async def _keep_gaps(connection: Connection, workspace_id: str, scene: Scene, chosen: _Sorted) -> None:
    """At most one deed of a sender with a gap begins; the others get the moments that follow."""
    paced = {each.action.sender_id for each in chosen.may if _is_paced(scene, each)}
    if not paced:
        return
    held = await quotas.hold_begin_times(connection, workspace_id, paced)
    free_at = {sender_id: at or scene.now for sender_id, at in held.items()}
    may: list[Candidate] = []
    for each in chosen.may:
        sender_id = each.action.sender_id
        if not _is_paced(scene, each):
            may.append(each)
            continue
        at = free_at[sender_id]
        if at <= scene.now:
            may.append(each)
            at = scene.now
            chosen.paced[sender_id] = caps.next_after(scene.senders[sender_id], scene.now)
        else:
            chosen.put_off[each.action.id] = at
        free_at[sender_id] = caps.next_after(scene.senders[sender_id], at)
    chosen.may = may
    if chosen.paced:
        await quotas.pace_deeds(connection, workspace_id, chosen.paced)
    if chosen.put_off:
        await beginning_store.postpone(connection, workspace_id, chosen.put_off)


def _is_paced(scene: Scene, candidate: Candidate) -> bool:
    sender = scene.senders[candidate.action.sender_id]
    return caps.keeps_gap(sender, StepType(candidate.action.kind))


def _approached(candidate: Candidate) -> Approached:
    row = candidate.row
    return Approached(candidate.action.id, row.identity.text, row.email, row.company)


def _tried(action: Action, now: datetime) -> Action:
    """The action as it stands once it has begun."""
    return msgspec.structs.replace(action, attempt=action.attempt + 1, performing_at=now)


def _deed(workspace_id: str, scene: Scene, candidate: Candidate) -> Deed:
    action, row = candidate.action, candidate.row
    return deed_of(
        workspace_id,
        action,
        scene.senders[action.sender_id],
        scene.now,
        attempt=action.attempt + 1,
        first_name=row.first_name,
        last_name=row.last_name,
    )


def deed_of(
    workspace_id: str,
    action: Action,
    sender: Sender,
    now: datetime,
    *,
    attempt: int,
    first_name: str | None = None,
    last_name: str | None = None,
) -> Deed:
    """An action as its channel is given it."""
    return Deed(
        id=action.id,
        workspace_id=workspace_id,
        sender=sender,
        kind=StepType(action.kind),
        identity=identity_of(action),
        linkedin_url=action.linkedin_url,
        content={name: value for name, value in action.content.items() if name not in PROMISED.values()},
        attempt=attempt,
        at=now,
        lead_id=action.lead_id,
        campaign_id=action.campaign_id,
        first_name=first_name,
        last_name=last_name,
        external_id=action.external_id,
    )


async def perform(channels: Adapters, begun: Begun) -> Settled:
    """Does the deed. What a channel breaks over is uncertain: nobody knows how far it came."""
    return await _ask(begun, channels.of(begun.deed.sender).perform)


async def reconcile(channels: Adapters, begun: Begun) -> Settled:
    """Asks what became of the deed."""
    return await _ask(begun, channels.of(begun.deed.sender).reconcile)


async def _ask(begun: Begun, ask: Callable[[Deed], Awaitable[Outcome]]) -> Settled:
    deed = begun.deed
    try:
        async with asyncio.timeout(DEED_SECONDS):
            outcome = await ask(deed)
    except TimeoutError:
        outcome = Unknown("the channel did not answer in time")
    except Exception as error:  # noqa: BLE001 -- the deed may have gone out; it must not be lost or done again
        _log.error("a channel broke", channel=deed.sender.channel, action=deed.id, fault=type(error).__name__)
        outcome = Unknown("the channel broke", is_ours=passing_fault(error) is not None)
    return Settled(deed.workspace_id, begun.action, begun.token, outcome, deed.sender.is_simulated)
