"""A campaign looked at before it runs: what one lead would get, and what keeps it or its leads from going on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from leadwright.campaigns import service as campaigns
from leadwright.campaigns.model import Campaign
from leadwright.engine import preview_store
from leadwright.engine.forecast_groups import needed_fields
from leadwright.engine.hands import hand, present
from leadwright.engine.preview import PreviewedStep, preview
from leadwright.engine.preview_fields import places
from leadwright.engine.readiness import Hand, Obstacle, doubts, obstacles
from leadwright.engine.sequence import Sequence as Steps
from leadwright.engine.sequence import SequenceError, Step, parse_sequence
from leadwright.identity import Identity
from leadwright.leads import service as leads
from leadwright.leads.dry_run import fields_of
from leadwright.leads.model import Lead, NewLead
from leadwright.postgres.pool import Connection
from leadwright.senders.model import Sender


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a preview is for. ``lead_id`` is None for somebody who is no lead: then the identity fixes the wordings."""

    lead_id: str | None
    linkedin_url: str
    wording_key: str
    fields: Mapping[str, Any]
    sender_id: str | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    person: Person
    sender: Sender | None
    steps: Sequence[PreviewedStep]


@dataclass(frozen=True, slots=True)
class FieldLack:
    """A field that leads on their way lack: how many of them, and the first."""

    field: str
    leads: int
    examples: Sequence[str]


@dataclass(frozen=True, slots=True)
class CheckedStep:
    """``leads_lacking``: those that lack at least one of the step's fields."""

    step: Step
    lacks: Sequence[FieldLack]
    leads_lacking: int
    cannot_perform: Sequence[str]


@dataclass(frozen=True, slots=True)
class Validation:
    """``leads``: those on their way, which were looked at. ``unknown_senders`` are bare ids."""

    campaign: Campaign
    leads: int
    steps: Sequence[CheckedStep]
    obstacles: Sequence[Obstacle]
    doubts: Sequence[Obstacle]
    unknown_senders: Sequence[str]


async def preview_for(
    connection: Connection, workspace_id: str, campaign_id: str, person: Person, sender_id: str | None
) -> Preview:
    """Every step for one person, by the sender that is named, else its own, else the campaign's first.

    Raises NotFound, and InvalidRequest for a sender that the workspace lacks.
    """
    campaign = (await campaigns.read(connection, workspace_id, campaign_id)).campaign
    chosen = sender_id or person.sender_id
    wanted = [*([chosen] if chosen else []), *campaign.settings.sender_ids]
    found = await present(connection, workspace_id, wanted)
    if sender_id is not None and sender_id not in found:
        raise campaigns.sender_not_found("senderId")
    sender = next((found[each] for each in wanted if each in found), None)
    steps = parse_sequence(campaign.settings.sequence)
    return Preview(person, sender, preview(steps, person.wording_key, person.fields, sender.fields if sender else {}))


async def lead_of(connection: Connection, workspace_id: str, campaign_id: str, lead_id: str | None) -> Person:
    """Raises NotFound, also for a lead of another campaign."""
    lead = await leads.read(connection, workspace_id, lead_id)
    if lead.campaign_id != campaign_id:
        raise leads.not_found()
    return _person(lead)


async def lead_at(connection: Connection, workspace_id: str, campaign_id: str, identity: Identity) -> Person:
    """The campaign's lead with this address. Raises NotFound."""
    return _person(await leads.find(connection, workspace_id, campaign_id, identity))


def _person(lead: Lead) -> Person:
    standard = {
        "firstName": lead.first_name,
        "lastName": lead.last_name,
        "company": lead.company,
        "title": lead.title,
        "email": lead.email,
        "linkedinUrl": lead.linkedin_url,
    }
    return Person(lead.id, lead.linkedin_url, lead.id, {**lead.custom, **standard}, lead.sender_id)


def stranger(lead: NewLead) -> Person:
    """Somebody who is no lead of the campaign."""
    return Person(None, lead.linkedin_url, f"{lead.kind}:{lead.key}", fields_of(lead))


async def validate(connection: Connection, workspace_id: str, campaign_id: str) -> Validation:
    """Raises NotFound."""
    campaign = (await campaigns.read(connection, workspace_id, campaign_id)).campaign
    source, sender_ids = campaign.settings.sequence, campaign.settings.sender_ids
    found = await present(connection, workspace_id, sender_ids)
    hands = [hand(found[each]) for each in sender_ids if each in found]
    try:
        steps = parse_sequence(source)
    except SequenceError:
        steps = Steps()
    count, checked = await _checked(connection, workspace_id, campaign_id, steps, hands)
    return Validation(
        campaign,
        count,
        checked,
        obstacles(source, hands, campaign.settings.schedule),
        doubts(steps, hands, campaign.settings.schedule),
        [each for each in sender_ids if each not in found],
    )


async def _checked(
    connection: Connection, workspace_id: str, campaign_id: str, steps: Steps, hands: Sequence[Hand]
) -> tuple[int, list[CheckedStep]]:
    names = list(dict.fromkeys(name for step in steps.steps for name in needed_fields(step)))
    keys = await preview_store.custom_keys(connection, workspace_id, campaign_id) if names else frozenset[str]()
    groups = await preview_store.lacking(connection, workspace_id, campaign_id, places(names, keys))
    numbers = {name: number for number, name in enumerate(names)}
    checked = [_checked_step(step, numbers, groups, hands) for step in steps.steps]
    return sum(group.leads for group in groups), checked


def _checked_step(
    step: Step, numbers: Mapping[str, int], groups: Sequence[preview_store.Lacking], hands: Sequence[Hand]
) -> CheckedStep:
    needed = needed_fields(step)
    lacks = [_lack(name, [group for group in groups if numbers[name] in group.fields]) for name in needed]
    wanted = {numbers[name] for name in needed}
    cannot = [hand.id for hand in hands if step.type.is_performed and step.type not in hand.performs]
    held = sum(group.leads for group in groups if group.fields & wanted)
    return CheckedStep(step, [lack for lack in lacks if lack.leads], held, cannot)


def _lack(name: str, groups: Sequence[preview_store.Lacking]) -> FieldLack:
    examples = sorted(lead_id for group in groups for lead_id in group.examples)
    return FieldLack(name, sum(group.leads for group in groups), examples[: preview_store.MOST_EXAMPLES])
