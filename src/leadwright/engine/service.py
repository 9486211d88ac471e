"""What the world tells the engine: what people did, what became of deeds, and who is not to be approached any more."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from leadwright.campaigns import service as campaigns
from leadwright.channels.channel import Done, InboundFact, Outcome
from leadwright.engine import action_store, fact_store, showing_store, store
from leadwright.engine.action_store import Action
from leadwright.engine.courses import Sequences
from leadwright.engine.ledger import Ledger
from leadwright.engine.model import Status
from leadwright.engine.movement import Movement, Standing
from leadwright.engine.outcomes import identity_of, known_as, routes_of, settle
from leadwright.engine.receiving import Receipt, Told
from leadwright.engine.sequence import StepType
from leadwright.engine.settlement import Settled
from leadwright.engine.showing_store import Shown, Wanted
from leadwright.engine.stopping import withdraw
from leadwright.errors import Conflict, Detail, InvalidRequest, NotFound
from leadwright.identity import Identity, linkedin_identity
from leadwright.leads import joining
from leadwright.leads import service as leads
from leadwright.people import service as people
from leadwright.postgres.pool import Connection
from leadwright.senders import quotas
from leadwright.senders import service as senders
from leadwright.senders.limits import kind_of
from leadwright.senders.model import ChannelName
from leadwright.suppression import service as suppression

_sequences = Sequences()
_GIVEN_UP = ("planned", "cancelled")


@dataclass(frozen=True, slots=True)
class Received:
    """``duplicate``: it was known already, and changed nothing. ``lead_id``: whom it was about, if a lead."""

    duplicate: bool
    lead_id: str | None


async def receive(
    connection: Connection, workspace_id: str, sender_id: str, fact: InboundFact, now: datetime
) -> Received:
    """Takes in what a person did, in a transaction that holds nothing yet. Late, twice and out of order are all right.

    Raises InvalidRequest for an unknown sender, and for an address that names no person.
    """
    channel = await fact_store.channel_of(connection, workspace_id, sender_id)
    if channel is None:
        raise sender_not_found()
    identity = linkedin_identity(fact.linkedin_url)
    if not isinstance(identity, Identity):
        raise InvalidRequest.of([Detail("linkedinUrl", identity.reason)])
    person = (await people.hold_canonical(connection, workspace_id, [identity]))[identity]
    if await suppression.erased(connection, workspace_id, [identity, person]):
        return Received(False, None)  # of a person who was erased nothing is kept
    name = fact.external_id
    if name is not None and not await fact_store.is_news(connection, workspace_id, sender_id, name, fact.type, now):
        return Received(True, await fact_store.lead_of(connection, workspace_id, sender_id, name))
    told = Told(workspace_id, sender_id, channel, person, fact, min(fact.occurred_at, now), now)
    receipt = Receipt(connection, told, _sequences)
    if fact.type == "reply":
        news, lead_id = True, await receipt.reply()
    else:
        news, lead_id = await receipt.accept()
    if name is not None and lead_id is not None:
        await fact_store.name_lead(connection, workspace_id, sender_id, name, lead_id)
    return Received(not news, lead_id)


async def stop_person(connection: Connection, workspace_id: str, identity: Identity, reason: str, now: datetime) -> int:
    """Stops every active lead of a person, as STOPPED, in a transaction that holds nothing yet; answers how many."""
    person = (await people.hold_canonical(connection, workspace_id, [identity]))[identity]
    await fact_store.enrol_person(connection, workspace_id, person)
    lead_ids = await fact_store.leads_of_person(connection, workspace_id, person)
    rows = await store.lock(connection, workspace_id, lead_ids)
    active = [row for row in rows.values() if row.state != "done"]
    await withdraw(connection, workspace_id, [row.lead_id for row in active], reason, now)
    routes = await routes_of(connection, _sequences, workspace_id, active)
    movement = Movement(workspace_id, now, Ledger(workspace_id), routes)
    for row in active:
        movement.finish(Standing(row, row.campaign_id, row.sender_id, row.status), Status.STOPPED, reason)
    await movement.write(connection)
    return len(active)


async def resolve(connection: Connection, workspace_id: str, action_id: str, outcome: Outcome, now: datetime) -> bool:
    """Writes down what became of a deed whose outcome was still to come, in a transaction that holds nothing yet.

    False when there is no such deed, or somebody else has just said what became of it.
    """
    action = await action_store.open_action(connection, workspace_id, action_id)
    if action is None:
        return False
    channel = await fact_store.channel_of(connection, workspace_id, action.sender_id)
    settled = Settled(workspace_id, action, action.token, outcome, simulated=channel == ChannelName.SIMULATOR)
    for other in known_as(settled):
        await joining.join(connection, workspace_id, identity_of(action), other, now)
    return bool((await settle(connection, _sequences, workspace_id, [settled], now)).news)


async def actions(
    connection: Connection, workspace_id: str, wanted: Wanted, *, after: str | None, limit: int
) -> list[Shown]:
    """Deeds, oldest first behind a bare id.

    Raises NotFound for a campaign or lead that the workspace does not have, and InvalidRequest for what no index has.
    """
    if wanted.campaign_id is not None and not await campaigns.exists(connection, workspace_id, wanted.campaign_id):
        raise campaigns.not_found()
    if wanted.lead_id is not None:
        await leads.read(connection, workspace_id, wanted.lead_id)
    if not wanted.is_bounded:
        expected = "expected with a state of deeds that are not over, or with a leadId"
        raise InvalidRequest.of([Detail("campaignId", expected)])
    return await showing_store.page(connection, workspace_id, wanted, after=after, limit=limit)


async def decide(
    connection: Connection,
    workspace_id: str,
    action_id: str | None,
    outcome: Outcome,
    now: datetime,
    states: Collection[str] = ("performing", "uncertain"),
) -> Shown:
    """Resolves a deed for a caller, and answers it as it is then. Raises NotFound, and Conflict once it is over."""
    found = await action_store.action(connection, workspace_id, action_id) if action_id else None
    if action_id is None or found is None:
        raise NotFound("Action not found", code="action_not_found")
    if found.state not in states or not await resolve(connection, workspace_id, action_id, outcome, now):
        raise Conflict(f"The action is {found.state}: nothing is to be said of it", code="action_not_open")
    resolved = await showing_store.shown(connection, workspace_id, action_id)
    assert resolved is not None
    return resolved


async def report(
    connection: Connection, workspace_id: str, action_id: str | None, outcome: Outcome, now: datetime
) -> Shown:
    """``decide`` for whoever performs deeds elsewhere.

    That a deed happened is news also when it was given up meanwhile: cancelled because its lead stopped, put off after
    a fault, or planned anew. Then it is done, and not done again.
    """
    if isinstance(outcome, Done) and action_id is not None:
        await _take_up_again(connection, workspace_id, action_id, outcome, now)
    return await decide(connection, workspace_id, action_id, outcome, now)


async def _take_up_again(connection: Connection, workspace_id: str, action_id: str, done: Done, now: datetime) -> None:
    """Under the lock under which deeds begin; one that was cancelled counts for its sender anew."""
    found = await action_store.action(connection, workspace_id, action_id)
    if found is None or found.step_id is None or found.state not in _GIVEN_UP or found.performing_at is None:
        return
    for other in known_as(Settled(workspace_id, found, found.token, done)):
        await joining.join(connection, workspace_id, identity_of(found), other, now)
    await people.hold(connection, workspace_id)
    await store.lock(connection, workspace_id, [found.lead_id] if found.lead_id else [])
    found = await action_store.action(connection, workspace_id, action_id)
    if found is not None and found.state in _GIVEN_UP:
        quota = found.quota or await _counted(connection, workspace_id, found, now)
        await action_store.take_up_again(connection, workspace_id, action_id, quota)


async def _counted(
    connection: Connection, workspace_id: str, action: Action, now: datetime
) -> Sequence[Sequence[str | date]]:
    kind = kind_of(StepType(action.kind))
    sender = (await senders.sealed(connection, workspace_id, [action.sender_id])).get(action.sender_id)
    if kind is None or sender is None:
        return []
    return await quotas.count(connection, workspace_id, sender, kind, now)


def sender_not_found() -> InvalidRequest:
    expected = "expected the id of a sender of this workspace"
    return InvalidRequest(
        "Invalid request or sender not found", code="sender_not_found", details=[Detail("senderId", expected)]
    )
