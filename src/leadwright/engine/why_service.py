"""Why a lead stands where it stands, worked out when it is asked."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from leadwright.campaigns import service as campaigns
from leadwright.engine import action_store, calendar, forecast_store, store, why_store
from leadwright.engine.courses import Sequences
from leadwright.engine.forecast_run import Course
from leadwright.engine.model import Enrolment, Facts, Policy, Status
from leadwright.engine.situation import inviting
from leadwright.engine.why import why
from leadwright.engine.why_view import Crew, View, Why
from leadwright.inbox import service as inbox
from leadwright.leads import service as leads
from leadwright.leads.model import CustomLeadStatus
from leadwright.postgres.pool import Connection
from leadwright.senders import quotas
from leadwright.senders import service as senders
from leadwright.senders.limits import Period, QuotaKind
from leadwright.suppression import service as suppression
from leadwright.suppression.service import Approached


async def explain(
    connection: Connection, workspace_id: str, lead_id: str | None, now: datetime
) -> tuple[store.Row, Why]:
    """The lead, and what holds it. Raises NotFound."""
    row = await why_store.row(connection, workspace_id, lead_id) if lead_id else None
    if row is None:
        raise leads.not_found()
    return row, why(await _view(connection, workspace_id, row, now))


async def _view(connection: Connection, workspace_id: str, row: store.Row, now: datetime) -> View:
    campaign = (await campaigns.read(connection, workspace_id, row.campaign_id)).campaign
    course = (await store.courses(connection, workspace_id, [campaign.id]))[campaign.id]
    route = await Sequences().route(connection, workspace_id, course, [row])
    crew = await _crew(connection, workspace_id, row, course.sender_ids, now)
    schedule = campaign.settings.schedule
    today = calendar.local_day(schedule.time_zone if schedule else None, now)
    return View(
        status=_told_status(row),
        is_through=row.state == "done",
        has_begun=row.step_id is not None,
        campaign=campaign.status,
        pause_reason=campaign.pause_reason,
        course=Course(
            schedule,
            campaign.settings.max_new_leads_per_day,
            await forecast_store.begun_on(connection, workspace_id, campaign.id, today),
        ),
        steps=route.sequence,
        step=route.step_of(row),
        enrolment=Enrolment(row.lead_id, row.step_since or row.created_at),
        facts=await _facts(connection, workspace_id, course, row, crew),
        crew=crew,
        deed=await why_store.open_deed(connection, workspace_id, row.lead_id, now),
        postponed=await why_store.postponed(connection, workspace_id, row.lead_id, now),
        stop=await why_store.stop(connection, workspace_id, row.lead_id) if row.status == Status.STOPPED else None,
        now=now,
    )


def _told_status(row: store.Row) -> str:
    """Of the second axis one value stops a lead, whose status stays what it was."""
    wrong = CustomLeadStatus.WRONG_PERSON
    return wrong.value if row.custom_status == wrong else row.status


async def _facts(
    connection: Connection, workspace_id: str, course: store.Course, row: store.Row, crew: Sequence[Crew]
) -> Facts:
    """By the sender that the lead has. Before it has one nobody knows it, and texts about the sender are not judged."""
    sender = crew[0].sender if row.sender_id and crew else None
    identity = row.identity
    approached = Approached(row.lead_id, identity.text, row.email, row.company)
    suppressed = await suppression.suppressed(connection, workspace_id, [approached])
    elsewhere = await inbox.conversations_elsewhere(connection, workspace_id, [identity], course.id)
    known, done, invited_for = None, frozenset[str](), frozenset[str]()
    if sender is not None:
        invited_for = await inviting(connection, workspace_id, [(row, sender)])
        pair = (sender.id, identity)
        known = (await inbox.relationships(connection, workspace_id, [pair])).get(pair)
        performed = await action_store.performed_steps(connection, workspace_id, [row.lead_id])
        done = performed.get(row.lead_id, done)
    return Facts(
        fields=row.fields,
        sender=sender.fields if sender else {},
        policy=Policy(course.skips_missing, course.acceptance_timeout),
        connected_at=known.connected_at if known else None,
        invited_at=known.invited_at if known else None,
        suppressed=bool(suppressed),
        other_conversation=bool(elsewhere) and not course.approach_despite_other_conversation,
        done=done,
        inviting=bool(invited_for),
    )


async def _crew(
    connection: Connection, workspace_id: str, row: store.Row, sender_ids: Sequence[str], now: datetime
) -> list[Crew]:
    """The lead's own sender, also when it was removed; else those of the campaign that are there."""
    wanted = [row.sender_id] if row.sender_id else list(sender_ids)
    found = await senders.sealed(connection, workspace_id, wanted)
    able = [sender for sender in found.values() if row.sender_id or sender.removed_at is None]
    standing = await quotas.standing(connection, workspace_id, able, now)
    paces = await why_store.paces(connection, workspace_id, [sender.id for sender in able])
    return [Crew(sender, _used(standing[sender.id]), paces.get(sender.id)) for sender in able]


def _used(standing: Mapping[QuotaKind, quotas.Standing]) -> dict[tuple[QuotaKind, Period], int]:
    by_day = {(kind, Period.DAY): each.used for kind, each in standing.items()}
    return by_day | {(kind, Period.WEEK): each.week_used for kind, each in standing.items()}
