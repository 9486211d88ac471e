"""Making, showing, editing and ending campaigns, and the events of their status."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime

from leadwright import ids
from leadwright.campaigns import counters, readiness, store
from leadwright.campaigns.model import (
    TRANSITIONS,
    Action,
    Actor,
    Campaign,
    Counter,
    Overview,
    SequenceVersion,
    Settings,
    Statistics,
    Status,
    Tally,
    Totals,
    read_dimensions,
)
from leadwright.campaigns.readiness import invalid_action
from leadwright.clock import iso
from leadwright.engine import stopping, waking
from leadwright.engine.model import Rule
from leadwright.engine.readiness import Obstacle
from leadwright.engine.sequence import Sequence as Steps
from leadwright.engine.sequence import changed_steps, parse_sequence
from leadwright.errors import Detail, InvalidRequest, NotFound
from leadwright.events import service as events
from leadwright.events.model import JSON, EventType
from leadwright.leads import deletion_store
from leadwright.outbound.allowed import AllowedHosts
from leadwright.outbound.url import UrlRefused, check_url
from leadwright.postgres.counting import Total
from leadwright.postgres.pool import Connection
from leadwright.senders import service as senders


def with_good_addresses(settings: Settings, present: Settings | None, allowed: AllowedHosts) -> Settings:
    """The settings. Raises InvalidRequest for a new ``webhook`` step to an address that nothing may be sent to."""
    known = {step.url for step in parse_sequence(present.sequence).steps} if present else set[str | None]()
    for step in parse_sequence(settings.sequence).steps:
        if step.url is not None and step.url not in known:
            try:
                check_url(step.url, allowed)
            except UrlRefused as refused:
                raise InvalidRequest.of([Detail("sequence", f"step {step.id}: url: {refused}")]) from refused
    return settings


async def create(connection: Connection, workspace_id: str, settings: Settings, now: datetime) -> Overview:
    """A draft. Raises InvalidRequest for a sender that the workspace does not have."""
    await _require_senders(connection, workspace_id, settings.sender_ids)
    campaign_id = ids.new_id()
    await store.insert(connection, workspace_id, campaign_id, settings, now)
    return Overview(await _campaign(connection, workspace_id, campaign_id), Totals())


async def read(connection: Connection, workspace_id: str, campaign_id: str) -> Overview:
    """Raises NotFound."""
    campaign = await _campaign(connection, workspace_id, campaign_id)
    totals = await counters.totals(connection, workspace_id, [campaign_id])
    return Overview(campaign, totals[campaign_id])


async def page(
    connection: Connection,
    workspace_id: str,
    *,
    status: Status | None,
    after: str | None,
    offset: int,
    limit: int,
) -> tuple[list[Overview], Total]:
    """Campaigns oldest first behind the bare id ``after``, and how many there are in all: three queries."""
    campaigns = await store.page(connection, workspace_id, status=status, after=after, offset=offset, limit=limit)
    totals = await counters.totals(connection, workspace_id, [campaign.id for campaign in campaigns])
    shown = [Overview(campaign, totals[campaign.id]) for campaign in campaigns]
    return shown, await store.count(connection, workspace_id, status)


async def exists(connection: Connection, workspace_id: str, campaign_id: str) -> bool:
    return await store.exists(connection, workspace_id, campaign_id)


async def lead_count(connection: Connection, workspace_id: str, campaign_id: str | None) -> int:
    """The leads of the campaign, or with None of the workspace: exact, 0 for an unknown campaign."""
    if campaign_id is None:
        return await counters.leads_of_workspace(connection, workspace_id)
    totals = await counters.totals(connection, workspace_id, [campaign_id])
    return totals[campaign_id].leads


async def sequence(connection: Connection, workspace_id: str, campaign_id: str) -> Steps:
    """The campaign's compiled sequence. Raises NotFound."""
    campaign = await _campaign(connection, workspace_id, campaign_id)
    return parse_sequence(campaign.settings.sequence)


async def sequence_version(
    connection: Connection, workspace_id: str, campaign_id: str, version: int | None
) -> SequenceVersion:
    """The sequence as it was saved as that version; None: the current one. Raises NotFound."""
    found = await store.sequence_version(connection, workspace_id, campaign_id, version)
    if found is not None:
        return found
    if not await store.exists(connection, workspace_id, campaign_id):
        raise not_found()
    raise NotFound("Sequence version not found", code="sequence_version_not_found")


def known_id(public_id: str) -> str:
    """The bare id in a campaign's wire id. Raises NotFound for a text that cannot be one."""
    bare = ids.bare(ids.Prefix.CAMPAIGN, public_id)
    if bare is None:
        raise not_found()
    return bare


async def add_counts(
    connection: Connection, workspace_id: str, campaign_id: str, deltas: Mapping[Counter | str, int]
) -> None:
    """Counts what happened in this transaction. Raises ValueError for a counter that does not exist."""
    await counters.add(connection, workspace_id, campaign_id, deltas)


async def tally(connection: Connection, workspace_id: str, tallies: Sequence[Tally], now: datetime) -> None:
    """Counts what happened in this transaction, by step, variant, sender and day beside the totals."""
    await counters.tally(connection, workspace_id, tallies, now.astimezone(UTC).date())


async def statistics(connection: Connection, workspace_id: str, campaign_id: str) -> Statistics:
    """What a campaign has come to, by step, variant, sender and day; zeros for an unknown one."""
    return read_dimensions(await counters.dimensions(connection, workspace_id, campaign_id))


async def edit(
    connection: Connection,
    workspace_id: str,
    campaign_id: str,
    change: Callable[[Settings], Settings],
    now: datetime,
) -> Overview:
    """Sets what ``change`` makes of the present settings; another sequence becomes a new version.

    Possible in every status. Raises NotFound, and InvalidRequest for a sender that the workspace lacks, for taking
    every step away from what is no draft (each of its leads would be through at once, for good), and for what would
    keep a started campaign from working.
    """
    if not await store.lock(connection, workspace_id, campaign_id):
        raise not_found()
    campaign = await _campaign(connection, workspace_id, campaign_id)
    before, after = campaign.settings, change(campaign.settings)
    await _require_senders(connection, workspace_id, set(after.sender_ids) - set(before.sender_ids))
    await readiness.require_still_working(connection, workspace_id, campaign, after)
    await store.update_settings(connection, workspace_id, campaign_id, after, now)
    await store.add_sequence_version(connection, workspace_id, campaign_id, after, now)
    await _wake(connection, workspace_id, campaign_id, before, after, now)
    return await read(connection, workspace_id, campaign_id)


async def act(connection: Connection, workspace_id: str, campaign_id: str, action: Action, now: datetime) -> Status:
    """Takes the campaign to the status that the action leads to, which is returned, and records the event.

    Raises NotFound, and InvalidRequest when the action does not fit the present status, or when what is to be started
    cannot work.
    """
    way = TRANSITIONS[action]
    if way.target is Status.STARTED:
        await _require_ready(connection, workspace_id, campaign_id, way.sources)
    name = await store.change_status(
        connection,
        workspace_id,
        campaign_id,
        sources=way.sources,
        target=way.target,
        finished_by=Actor.API if way.target is Status.FINISHED else None,
        now=now,
    )
    if name is None:
        present = await _campaign(connection, workspace_id, campaign_id)
        needed = " or ".join(way.sources)
        raise invalid_action(f"{action} needs a {needed} campaign, this one is {present.status}")
    await _record(connection, workspace_id, campaign_id, name, way.event, Actor.API, now)
    if way.target is Status.STARTED:
        await waking.campaign_changed(connection, workspace_id, campaign_id, now)
    return way.target


async def _wake(
    connection: Connection, workspace_id: str, campaign_id: str, before: Settings, after: Settings, now: datetime
) -> None:
    """What leads wait for may be another now."""
    if before.sequence == after.sequence:
        await waking.campaign_changed(connection, workspace_id, campaign_id, now)
    else:
        changed = changed_steps(parse_sequence(before.sequence), parse_sequence(after.sequence))
        await waking.sequence_changed(connection, workspace_id, campaign_id, changed, now)
    await waking.policy_changed(connection, workspace_id, campaign_id, _rules_changed(before, after), now)


def _rules_changed(before: Settings, after: Settings) -> list[str]:
    """The rules that hold leads by settings which are others now."""
    changed = {
        Rule.MISSING_FIELD: before.missing_variable is not after.missing_variable,
        Rule.WAITING_FOR_ACCEPTANCE: before.acceptance_timeout != after.acceptance_timeout,
        Rule.OTHER_CONVERSATION: before.approach_despite_other_conversation
        != after.approach_despite_other_conversation,
    }
    return [rule.value for rule, is_another in changed.items() if is_another]


async def finish_if_through(connection: Connection, workspace_id: str, campaign_id: str, now: datetime) -> bool:
    """Finishes a started campaign that has leads and none that is still on its way; whether it did.

    Waits for those who are adding leads. With the next lead it goes on: ``resume_after_adding``.
    """
    if await store.lock_alone(connection, workspace_id, campaign_id) is not Status.STARTED:
        return False
    totals = (await counters.totals(connection, workspace_id, [campaign_id]))[campaign_id]
    if totals.leads == 0 or totals.active > 0:
        return False
    name = await store.change_status(
        connection,
        workspace_id,
        campaign_id,
        sources=[Status.STARTED],
        target=Status.FINISHED,
        finished_by=Actor.SYSTEM,
        now=now,
    )
    assert name is not None
    event = EventType.CAMPAIGN_FINISHED
    await _record(connection, workspace_id, campaign_id, name, event, Actor.SYSTEM, now)
    return True


async def pause_by_itself(
    connection: Connection, workspace_id: str, campaign_id: str, reason: str, now: datetime
) -> bool:
    """Pauses a started campaign that goes wrong, and says why; whether it did."""
    name = await store.change_status(
        connection,
        workspace_id,
        campaign_id,
        sources=[Status.STARTED],
        target=Status.PAUSED,
        finished_by=None,
        now=now,
        pause_reason=reason,
    )
    if name is None:
        return False
    event = EventType.CAMPAIGN_PAUSED
    await _record(connection, workspace_id, campaign_id, name, event, Actor.SYSTEM, now, reason=reason)
    return True


async def resume_after_adding(connection: Connection, workspace_id: str, campaign_id: str, now: datetime) -> bool:
    """Starts a campaign again that had finished by itself; whether it did. A person's finish stands.

    For the transaction that added leads and so holds the campaign's row FOR KEY SHARE.
    """
    name = await store.resume_finished_by_itself(connection, workspace_id, campaign_id, now)
    if name is None:
        return False
    event = EventType.CAMPAIGN_RESUMED
    await _record(connection, workspace_id, campaign_id, name, event, Actor.SYSTEM, now)
    return True


async def delete(connection: Connection, workspace_id: str, campaign_id: str) -> None:
    """Removes a campaign in whatever status, and its leads with it; its events stay. Raises NotFound."""
    if await store.lock_alone(connection, workspace_id, campaign_id) is None:
        raise not_found()
    await stopping.delete_of_campaign(connection, workspace_id, campaign_id)
    await deletion_store.delete_of_campaign(connection, workspace_id, campaign_id)
    await store.delete(connection, workspace_id, campaign_id)


async def what_is_in_the_way(connection: Connection, workspace_id: str, campaign_id: str) -> list[Obstacle]:
    """Why the campaign cannot work, whatever its status: no sender, no steps, steps that nobody can do.

    Raises NotFound.
    """
    settings = (await _campaign(connection, workspace_id, campaign_id)).settings
    return await readiness.in_the_way(connection, workspace_id, settings)


async def _require_ready(
    connection: Connection, workspace_id: str, campaign_id: str, sources: Collection[Status]
) -> None:
    """Holds the campaign, so that what was found stays so until it is started.

    Raises InvalidRequest for one in the statuses from which it would be.
    """
    if not await store.lock(connection, workspace_id, campaign_id):
        raise not_found()
    campaign = await _campaign(connection, workspace_id, campaign_id)
    if campaign.status in sources:
        await readiness.require_ready(connection, workspace_id, campaign.settings)


def not_found() -> NotFound:
    return NotFound("Campaign not found", code="campaign_not_found")


def sender_not_found(path: str = "senderIds") -> InvalidRequest:
    expected = "expected the id of a sender of this workspace"
    if path == "senderIds":
        expected = "expected ids of senders of this workspace"
    return InvalidRequest(
        "Invalid request or sender not found",
        code="sender_not_found",
        details=[Detail(path, expected)],
    )


async def _campaign(connection: Connection, workspace_id: str, campaign_id: str) -> Campaign:
    campaign = await store.campaign(connection, workspace_id, campaign_id)
    if campaign is None:
        raise not_found()
    return campaign


async def _require_senders(connection: Connection, workspace_id: str, sender_ids: Collection[str]) -> None:
    if sender_ids and set(sender_ids) - await senders.exists(connection, workspace_id, sender_ids):
        raise sender_not_found()


async def _record(
    connection: Connection,
    workspace_id: str,
    campaign_id: str,
    name: str,
    event: EventType,
    by: Actor,
    now: datetime,
    *,
    reason: str | None = None,
) -> None:
    """Records an event of the campaign's status, whose row the caller has just updated and so holds."""
    totals = (await counters.totals(connection, workspace_id, [campaign_id]))[campaign_id]
    data: dict[str, JSON] = {
        "campaignId": ids.public(ids.Prefix.CAMPAIGN, campaign_id),
        "campaignName": name,
        **_circumstances(event, totals, by, iso(now)),
        **({} if reason is None else {"reason": reason}),
    }
    await events.record(connection, workspace_id, type=event, data=data, now=now, campaign_id=campaign_id)


def _circumstances(event: EventType, totals: Totals, by: Actor, at: str) -> Mapping[str, JSON]:
    match event:
        case EventType.CAMPAIGN_STARTED:
            return {"totalLeads": totals.leads, "startedAt": at}
        case EventType.CAMPAIGN_PAUSED:
            return {"pausedAt": at, "pausedBy": by.value}
        case EventType.CAMPAIGN_RESUMED:
            return {"resumedAt": at, "resumedBy": by.value}
        case _:
            return {"finishedAt": at, "totals": _totals_json(totals)}


def _totals_json(totals: Totals) -> Mapping[str, JSON]:
    return {
        "totalLeads": totals.leads,
        "leadsContacted": totals.leads_contacted,
        "connectionsSent": totals.connections_sent,
        "connectionsAccepted": totals.connections_accepted,
        "messagesSent": totals.messages_sent,
        "repliesReceived": totals.replies_received,
    }
