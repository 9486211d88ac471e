"""What people say of a lead: its outcome status, its custom status with a note, and its tags."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from leadwright import ids
from leadwright.engine import stopping
from leadwright.errors import Detail, InvalidRequest
from leadwright.events import service as events
from leadwright.events.model import JSON, EventType
from leadwright.leads import service, store
from leadwright.leads.model import MOST_TAGS, CustomLeadStatus, LeadStatus
from leadwright.postgres.pool import Connection
from leadwright.suppression import service as suppression


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a person sets; at least one of the two statuses."""

    status: LeadStatus | None
    custom_status: CustomLeadStatus | None
    note: str | None = None

    @property
    def ends_the_way(self) -> bool:
        """Whether the sequence stops: every outcome status does, and WRONG_PERSON."""
        return self.status is not None or self.custom_status is CustomLeadStatus.WRONG_PERSON


async def judge(
    connection: Connection, workspace_id: str, lead_id: str | None, verdict: Verdict, now: datetime
) -> LeadStatus:
    """Sets what a person says of a lead, and answers the status it has now. Raises NotFound.

    UNSUBSCRIBED also puts the person on the do-not-contact list, before the lead is locked: that is the order of locks.
    """
    lead = await service.read(connection, workspace_id, lead_id)
    if verdict.status is LeadStatus.UNSUBSCRIBED:
        await suppression.add(
            connection, workspace_id, [{"linkedinUrl": lead.linkedin_url}], reason="unsubscribed", now=now
        )
    before = await store.lock(connection, workspace_id, lead.id)
    if before is None:
        raise service.not_found()
    status = LeadStatus(verdict.status or before.status)
    custom = verdict.custom_status or before.custom_status
    if verdict.ends_the_way:
        await stopping.withdraw(connection, workspace_id, [lead.id], "stopped", now)
    await store.set_outcome(
        connection, workspace_id, lead.id, status=status, custom_status=custom, ends=verdict.ends_the_way, now=now
    )
    if verdict.ends_the_way and before.state != "done":
        await service.count(connection, workspace_id, before, active=-1)
    await _tell(connection, workspace_id, lead.id, before, status, custom, verdict.note, now)
    return status


async def _tell(
    connection: Connection,
    workspace_id: str,
    lead_id: str,
    before: store.Standing,
    status: LeadStatus,
    custom_status: str | None,
    note: str | None,
    now: datetime,
) -> None:
    """Saying the same again is no news for the world; a note with it is kept."""
    if (status, custom_status) != (before.status, before.custom_status):
        await service.tell_status(
            connection,
            workspace_id,
            lead_id,
            before,
            status,
            now,
            custom_status=custom_status,
            note=note,
            by_caller=True,
        )
    elif note is not None:
        await store.add_history(connection, workspace_id, lead_id, kind="noted", detail={"note": note}, now=now)


async def add_tag(
    connection: Connection, workspace_id: str, lead_id: str | None, tag: str, now: datetime
) -> tuple[str, ...]:
    """The lead's tags with this one. Raises NotFound, and InvalidRequest when the lead has as many as it may."""
    standing, tags = await _locked(connection, workspace_id, lead_id)
    if tag in tags:
        return tags
    if len(tags) >= MOST_TAGS:
        raise InvalidRequest.of([Detail("tag", f"a lead has at most {MOST_TAGS} tags")])
    return await _retag(connection, workspace_id, standing, (*tags, tag), now, new_tag=tag)


async def remove_tag(
    connection: Connection, workspace_id: str, lead_id: str | None, tag: str, now: datetime
) -> tuple[str, ...]:
    """The lead's tags without this one. Raises NotFound."""
    standing, tags = await _locked(connection, workspace_id, lead_id)
    if tag not in tags:
        return tags
    rest = tuple(each for each in tags if each != tag)
    return await _retag(connection, workspace_id, standing, rest, now, previous_tag=tag)


@dataclass(frozen=True, slots=True)
class _Tagged:
    lead_id: str
    campaign_id: str
    linkedin_url: str


async def _locked(connection: Connection, workspace_id: str, lead_id: str | None) -> tuple[_Tagged, tuple[str, ...]]:
    standing = await store.lock(connection, workspace_id, lead_id) if lead_id else None
    if lead_id is None or standing is None:
        raise service.not_found()
    tags = await store.tags(connection, workspace_id, lead_id)
    return _Tagged(lead_id, standing.campaign_id, standing.linkedin_url), tags


async def _retag(
    connection: Connection,
    workspace_id: str,
    lead: _Tagged,
    tags: tuple[str, ...],
    now: datetime,
    *,
    new_tag: str | None = None,
    previous_tag: str | None = None,
) -> tuple[str, ...]:
    await store.set_tags(connection, workspace_id, lead.lead_id, tags, now)
    change: Mapping[str, JSON] = {"tags": tags, "newTag": new_tag, "previousTag": previous_tag}
    await store.add_history(connection, workspace_id, lead.lead_id, kind="tags_changed", detail=dict(change), now=now)
    await events.record(
        connection,
        workspace_id,
        type=EventType.LEAD_TAG_UPDATED,
        lead_id=lead.lead_id,
        campaign_id=lead.campaign_id,
        now=now,
        data={
            "leadId": ids.public(ids.Prefix.LEAD, lead.lead_id),
            "campaignId": ids.public(ids.Prefix.CAMPAIGN, lead.campaign_id),
            "linkedinUrl": lead.linkedin_url,
            **change,
        },
    )
    return tags
