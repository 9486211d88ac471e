"""Forecasts of a campaign as it stands now."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from leadwright.campaigns import service as campaigns
from leadwright.campaigns.model import Campaign, MissingVariable, Totals
from leadwright.crypto import SecretBox
from leadwright.engine import calendar, forecast_store, preview_store
from leadwright.engine.courses import Sequences
from leadwright.engine.forecast import Assumptions, Forecast, Outlook, forecast, with_one_more
from leadwright.engine.forecast_behaviour import Behaviour, behaviour_of
from leadwright.engine.forecast_groups import Group, merged, needed_fields, tested_steps
from leadwright.engine.forecast_quota import Used
from leadwright.engine.forecast_run import Course
from leadwright.engine.forecast_store import Alike
from leadwright.engine.model import Policy
from leadwright.engine.preview_fields import places
from leadwright.engine.sequence import Sequence as Steps
from leadwright.engine.sequence import parse_sequence, position_after_edit
from leadwright.engine.simulate_networks import networks
from leadwright.postgres.pool import Connection
from leadwright.senders import quotas
from leadwright.senders import service as senders
from leadwright.senders.limits import Period, QuotaKind
from leadwright.senders.model import Sender

ENOUGH_INVITED = 30
"""From so many invitations on a campaign's own rate of acceptance is assumed."""
_OPEN_ENDED = frozenset({"waiting_for_task", "uncertain_action", "sender_unavailable"})
"""What only a person, or a channel, can end."""


@dataclass(frozen=True, slots=True)
class Assumed:
    """What a caller assumes; None: what the campaign has shown, else what its senders' networks do, else the usual."""

    accept_rate: float | None = None
    reply_rate: float | None = None


@dataclass(frozen=True, slots=True)
class Prospect:
    """All that a forecast is made of. ``accepting_from`` and ``replying_from``: where the rates are taken from."""

    campaign: Campaign
    outlook: Outlook
    accepting_from: str
    replying_from: str


@dataclass(frozen=True, slots=True)
class Foreseen:
    """``one_more``: the same with another sender like the campaign's first, None when there is none to copy."""

    prospect: Prospect
    found: Forecast
    one_more: Forecast | None


async def prospect(
    connection: Connection,
    open_secrets: Callable[[], SecretBox],
    workspace_id: str,
    campaign_id: str,
    days: int,
    assumed: Assumed,
    now: datetime,
) -> Prospect:
    """Reads the campaign, its senders and its leads. Raises NotFound."""
    overview = await campaigns.read(connection, workspace_id, campaign_id)
    campaign, settings = overview.campaign, overview.campaign.settings
    steps = parse_sequence(settings.sequence)
    zone = settings.schedule.time_zone if settings.schedule else None
    begun = await forecast_store.begun_on(connection, workspace_id, campaign_id, calendar.local_day(zone, now))
    crew = await _senders(connection, workspace_id, settings.sender_ids, now)
    configs = await networks(connection, open_secrets, workspace_id, [sender for sender, _ in crew])
    behaviour = behaviour_of([configs.get(sender.id) for sender, _ in crew if sender.removed_at is None])
    assumptions, accepting_from = _accepting(overview.totals, assumed, behaviour)
    assumptions, replying_from = _replying(assumptions, assumed, behaviour)
    groups = await _groups(connection, workspace_id, campaign, steps)
    others = {group.sender_id for group in groups if group.sender_id} - set(settings.sender_ids)
    outlook = Outlook(
        Course(settings.schedule, settings.max_new_leads_per_day, begun),
        Policy(settings.missing_variable is MissingVariable.SKIP_STEP, settings.acceptance_timeout),
        steps,
        groups,
        crew,
        assumptions,
        now,
        days,
        await _senders(connection, workspace_id, sorted(others), now),
    )
    return Prospect(campaign, outlook, accepting_from, replying_from)


def foresee(prospect: Prospect) -> Foreseen:
    """Seconds of arithmetic for a campaign with many different senders: not for the event loop."""
    more = with_one_more(prospect.outlook)
    return Foreseen(prospect, forecast(prospect.outlook), None if more is None else forecast(more))


def _accepting(totals: Totals, assumed: Assumed, behaviour: Behaviour) -> tuple[Assumptions, str]:
    """With what the caller assumes of those who accept; else the campaign's own rate, else the network's."""
    found = behaviour.assumptions
    if assumed.accept_rate is not None:
        return replace(found, accept_rate=assumed.accept_rate), "caller"
    if totals.connections_sent >= ENOUGH_INVITED:
        return replace(found, accept_rate=min(1.0, totals.connections_accepted / totals.connections_sent)), "campaign"
    return found, behaviour.taken_from


def _replying(found: Assumptions, assumed: Assumed, behaviour: Behaviour) -> tuple[Assumptions, str]:
    if assumed.reply_rate is not None:
        return replace(found, reply_rate=assumed.reply_rate), "caller"
    return found, behaviour.taken_from


async def _senders(
    connection: Connection, workspace_id: str, sender_ids: Sequence[str], now: datetime
) -> list[tuple[Sender, Used]]:
    """In the order of the ids, each with what it has done today and this week."""
    found = await senders.sealed(connection, workspace_id, sender_ids)
    standing = await quotas.standing(connection, workspace_id, list(found.values()), now)
    return [
        (found[each], _used(standing[each], calendar.local_day(found[each].zone, now)))
        for each in dict.fromkeys(sender_ids)
        if each in found
    ]


def _used(standing: Mapping[QuotaKind, quotas.Standing], day: date) -> Used:
    week = day - timedelta(days=day.weekday())
    used: dict[tuple[QuotaKind, Period, date], int] = {}
    for kind, each in standing.items():
        used[kind, Period.DAY, day] = each.used
        used[kind, Period.WEEK, week] = each.week_used
    return used


async def _groups(connection: Connection, workspace_id: str, campaign: Campaign, steps: Steps) -> list[Group]:
    names = list(dict.fromkeys(name for step in steps.steps for name in needed_fields(step)))
    tested = list(dict.fromkeys(_tested_field(steps)))
    own_zones = ["timeZone"] if campaign.settings.schedule else []
    asked = [*names, *tested, *own_zones]
    keys = await preview_store.custom_keys(connection, workspace_id, campaign.id) if asked else frozenset[str]()
    alike = await forecast_store.groups(connection, workspace_id, campaign.id, places(asked, keys), len(names))
    versions = Sequences()
    earlier = {
        version: await versions.version(connection, workspace_id, campaign.id, version)
        for version in {each.sequence_version for each in alike} - {None, campaign.sequence_version}
        if version is not None
    }
    reading = _Reading(steps, earlier, names, tested)
    return merged(reading.group(each) for each in alike)


def _tested_field(steps: Steps) -> list[str]:
    return [step.branch.when.field for step in tested_steps(steps) if step.branch and step.branch.when]


@dataclass(frozen=True, slots=True)
class _Reading:
    """Turns what the database counted into groups. ``tested``: the fields of conditions, in the order of the values."""

    steps: Steps
    earlier: Mapping[int, Steps]
    names: Sequence[str]
    tested: Sequence[str]

    def group(self, alike: Alike) -> Group:
        values = dict(zip(self.tested, alike.values, strict=False))
        zone = alike.values[len(self.tested)] if len(alike.values) > len(self.tested) else None
        index = self._step_index(alike)
        return Group(
            size=alike.leads,
            lacking=frozenset(self.names[number] for number in alike.lacking),
            answers=self._answers(values),
            zone=calendar.own_zone({"timeZone": zone}),
            sender_id=alike.sender_id,
            step_index=index,
            since=alike.since,
            due_at=alike.due_at,
            invited_at=alike.invited_at,
            connected_at=alike.connected_at,
            held_by=alike.hold_rule if alike.hold_rule in _OPEN_ENDED else None,
        )

    def _answers(self, values: Mapping[str, Any]) -> frozenset[int]:
        return frozenset(
            step.index
            for step in tested_steps(self.steps)
            if step.branch
            and step.branch.when
            and step.branch.when.holds({step.branch.when.field: values[step.branch.when.field]})
        )

    def _step_index(self, alike: Alike) -> int | None:
        """Where an edit has left them; None: they have not begun, or are through."""
        if alike.step_id is None:
            return None
        old = self.earlier.get(alike.sequence_version or 0)
        if old is None or old.by_id(alike.step_id) is None:
            step = self.steps.by_id(alike.step_id)
        else:
            step = position_after_edit(old, alike.step_id, self.steps)
        return None if step is None else step.index
