"""What a simulation plays with: a campaign and its leads, or a sequence and invented people."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

from leadwright.campaigns import service as campaigns
from leadwright.campaigns.model import MissingVariable
from leadwright.channels.simulated_network import SimulatorConfig
from leadwright.engine.forecast_groups import needed_fields
from leadwright.engine.model import Policy
from leadwright.engine.sequence import Sequence as Steps
from leadwright.engine.sequence import SequenceError, parse_sequence
from leadwright.engine.simulate import Character, Play
from leadwright.errors import Detail, InvalidRequest
from leadwright.identity import Identity, IdentityKind, linkedin_identity
from leadwright.leads import service as leads
from leadwright.leads.model import Filter, Lead
from leadwright.pages import Page
from leadwright.postgres.pool import Connection
from leadwright.senders import service as senders
from leadwright.senders.limits import DEFAULT_PER_DAY, DEFAULT_PER_WEEK, Limits
from leadwright.senders.model import ChannelName, Sender, SenderStatus
from leadwright.templates import Scalar, look_up, pick, seed_of

_FIRST_NAMES = ("Ada", "Grace", "Linus", "Alan", "Barbara", "Donald", "Edsger", "Frances", "Ken", "Margaret")
_LAST_NAMES = ("Berger", "Costa", "Dubois", "Eriksen", "Fischer", "Garcia", "Haas", "Ivanova", "Jansen", "Kowalski")
_COMPANIES = ("Acme", "Globex", "Initech", "Umbrella", "Hooli")
_TITLES = ("Head of Sales", "Founder", "VP of Engineering", "Recruiter")
_PAGE = 100


def of_sequence(source: object, count: int, seed: int, start: datetime) -> Play:
    """A sequence with one sender of usual limits and invented leads that lack nothing. Raises InvalidRequest."""
    try:
        steps = parse_sequence(source)
    except SequenceError as error:
        raise InvalidRequest.of([Detail(problem.path, problem.message) for problem in error.problems]) from error
    return _play(steps, [_invented_sender(start)], _invented(steps, count, seed), seed, start)


async def of_campaign(
    connection: Connection, workspace_id: str, campaign_id: str, count: int, seed: int, start: datetime
) -> Play:
    """The campaign with its senders, as if no lead had begun and no sender done anything. Raises NotFound."""
    settings = (await campaigns.read(connection, workspace_id, campaign_id)).campaign.settings
    steps = parse_sequence(settings.sequence)
    characters = [_character(lead) for lead in await _oldest(connection, workspace_id, campaign_id, count)]
    found = await senders.sealed(connection, workspace_id, settings.sender_ids)
    crew = [found[each] for each in settings.sender_ids if each in found and found[each].removed_at is None]
    skips = settings.missing_variable is MissingVariable.SKIP_STEP
    play = _play(steps, crew, characters or _invented(steps, count, seed), seed, start)
    return replace(
        play,
        policy=Policy(skips, settings.acceptance_timeout),
        schedule=settings.schedule,
        max_new_leads_per_day=settings.max_new_leads_per_day,
    )


async def _oldest(connection: Connection, workspace_id: str, campaign_id: str, count: int) -> Sequence[Lead]:
    found: list[Lead] = []
    while len(found) < count:
        page = Page(number=len(found) // _PAGE + 1, limit=min(_PAGE, count))
        listing = await leads.list_leads(connection, workspace_id, Filter(campaign_id, None), page)
        shown = page.shown(listing.fetched)
        found += shown
        if len(shown) < page.limit:
            break
    return found[:count]


def _play(steps: Steps, crew: Sequence[Sender], characters: Sequence[Character], seed: int, start: datetime) -> Play:
    network = {sender.id: SimulatorConfig(seed=seed) for sender in crew}
    return Play(steps, Policy(), None, None, characters, crew, network, start)


def _character(lead: Lead) -> Character:
    standard = {
        "firstName": lead.first_name,
        "lastName": lead.last_name,
        "company": lead.company,
        "title": lead.title,
        "email": lead.email,
        "linkedinUrl": lead.linkedin_url,
    }
    identity = Identity(IdentityKind(lead.identity_kind), lead.identity_key)
    return Character(lead.id, identity, {**lead.custom, **standard})


def _invented(steps: Steps, count: int, seed: int) -> list[Character]:
    return [_somebody(steps, seed, number) for number in range(1, count + 1)]


def _somebody(steps: Steps, seed: int, number: int) -> Character:
    """Somebody who has every field that the sequence needs: what is not usual is named after the field."""
    dice = seed_of("somebody", str(seed), str(number))

    def one_of(names: Sequence[str], group: int) -> str:
        return names[pick(dice, group, len(names))]

    first, last, company = one_of(_FIRST_NAMES, 0), one_of(_LAST_NAMES, 1), one_of(_COMPANIES, 2)
    slug = f"{first}-{last}-{number}".lower()
    fields: dict[str, Scalar | None] = {
        "firstName": first,
        "lastName": last,
        "company": company,
        "title": one_of(_TITLES, 3),
        "email": f"{slug}@{company.lower()}.example",
        "linkedinUrl": f"https://www.linkedin.com/in/{slug}",
    }
    for step in steps.steps:
        for name in needed_fields(step):
            if look_up(fields, name) is None:
                fields[name] = f"[{name}]"
    return Character(f"lead-{seed}-{number}", Identity(IdentityKind.SLUG, slug), fields)


def _invented_sender(now: datetime) -> Sender:
    url = "https://www.linkedin.com/in/sim-sender"
    identity = cast(Identity, linkedin_identity(url))
    return Sender(
        id="sim-sender",
        name="Sim Sender",
        first_name=None,
        last_name=None,
        linkedin_url=url,
        identity=identity,
        channel=ChannelName.SIMULATOR,
        config=cast(Mapping[str, Any], {}),
        limits=Limits(DEFAULT_PER_DAY, DEFAULT_PER_WEEK, timedelta()),
        ramp_up=None,
        schedule=None,
        status=SenderStatus.ACTIVE,
        status_reason=None,
        status_until=None,
        failures=0,
        removed_at=None,
        created_at=now,
        updated_at=now,
    )
