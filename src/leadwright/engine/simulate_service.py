"""What a simulation plays with: a campaign and its leads, or a sequence and invented people."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from leadwright.campaigns import service as campaigns
from leadwright.campaigns.model import MissingVariable
from leadwright.channels.simulated_network import SimulatorConfig
from leadwright.crypto import SecretBox
from leadwright.engine.forecast_groups import needed_fields
from leadwright.engine.hands import hand, present
from leadwright.engine.model import Policy
from leadwright.engine.readiness import obstacles
from leadwright.engine.sequence import Sequence as Steps
from leadwright.engine.sequence import SequenceError, parse_sequence
from leadwright.engine.simulate import Character, Play
from leadwright.engine.simulate_networks import networks
from leadwright.errors import Detail, InvalidRequest, LeadwrightError
from leadwright.identity import Identity, IdentityKind, linkedin_identity
from leadwright.leads import service as leads
from leadwright.leads.model import Filter, Lead
from leadwright.pages import Page
from leadwright.postgres.pool import Connection
from leadwright.senders.limits import DEFAULT_PER_DAY, DEFAULT_PER_WEEK, Limits
from leadwright.senders.model import ChannelName, Sender, SenderStatus
from leadwright.templates import Scalar, look_up, pick, seed_of

_FIRST_NAMES = ("Ada", "Grace", "Linus", "Alan", "Barbara", "Donald", "Edsger", "Frances", "Ken", "Margaret")
_LAST_NAMES = ("Berger", "Costa", "Dubois", "Eriksen", "Fischer", "Garcia", "Haas", "Ivanova", "Jansen", "Kowalski")
_COMPANIES = ("Acme", "Globex", "Initech", "Umbrella", "Hooli")
_TITLES = ("Head of Sales", "Founder", "VP of Engineering", "Recruiter")
_STRIDES = (13, 17, 23, 27, 33, 37, 43, 47, 53, 57, 63, 67, 73, 77, 83, 87)
"""Each shares no factor with the number of plain names, so that going round by it meets them all."""
_PAGE = 100
SEED = 1
"""Of people who are invented, or whose sender says nothing of them, where none is given."""


class NotPlayable(LeadwrightError):
    """What keeps the play from working would keep the campaign from being started."""

    status = 400
    code = "not_playable"


def of_sequence(source: object, count: int, seed: int | None, start: datetime) -> Play:
    """A sequence with one sender of usual limits and invented leads that lack nothing.

    Raises InvalidRequest, and NotPlayable for what cannot work.
    """
    try:
        steps = parse_sequence(source)
    except SequenceError as error:
        raise InvalidRequest.of([Detail(problem.path, problem.message) for problem in error.problems]) from error
    sender = _invented_sender(start)
    _require_playable(cast(Mapping[str, object], source), [sender])
    people = _invented(steps, count, seed)
    return Play(steps, Policy(), None, None, people, [sender], {sender.id: _network(None, seed)}, start)


async def of_campaign(
    connection: Connection,
    open_secrets: Callable[[], SecretBox],
    workspace_id: str,
    campaign_id: str,
    count: int,
    seed: int | None,
    start: datetime,
) -> Play:
    """The campaign with its senders, as if no lead had begun and no sender done anything.

    People behave towards a sender of the simulator as its own ``config`` says, with ``seed`` where one is given.
    Raises NotFound, and NotPlayable for a campaign that cannot work.
    """
    settings = (await campaigns.read(connection, workspace_id, campaign_id)).campaign.settings
    present_ones = await present(connection, workspace_id, settings.sender_ids)
    crew = [present_ones[each] for each in settings.sender_ids if each in present_ones]
    _require_playable(settings.sequence, crew)
    steps = parse_sequence(settings.sequence)
    characters = [_character(lead) for lead in await _oldest(connection, workspace_id, campaign_id, count)]
    configs = await networks(connection, open_secrets, workspace_id, crew)
    skips = settings.missing_variable is MissingVariable.SKIP_STEP
    return Play(
        steps,
        Policy(skips, settings.acceptance_timeout),
        settings.schedule,
        settings.max_new_leads_per_day,
        characters or _invented(steps, count, seed),
        crew,
        {sender.id: _network(configs.get(sender.id), seed) for sender in crew},
        start,
    )


def _require_playable(source: Mapping[str, object], crew: Sequence[Sender]) -> None:
    found = obstacles(source, [hand(sender) for sender in crew])
    if found:
        raise NotPlayable(f"It cannot be played: {'; '.join(each.message for each in found)}")


def _network(config: SimulatorConfig | None, seed: int | None) -> SimulatorConfig:
    known = SimulatorConfig(seed=SEED) if config is None else config
    return known if seed is None else known.model_copy(update={"seed": seed})


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


def _invented(steps: Steps, count: int, seed: int | None) -> list[Character]:
    return [_somebody(steps, SEED if seed is None else seed, number) for number in range(count)]


def _somebody(steps: Steps, seed: int, number: int) -> Character:
    """Somebody who has every field that the sequence needs: what is not usual is named after the field."""
    dice = seed_of("somebody", str(seed), str(number))
    first, last = _name(seed, number)
    company = _COMPANIES[pick(dice, 2, len(_COMPANIES))]
    slug = f"{first}-{last}-{number + 1}".lower().replace(" ", "-").replace(".", "")
    fields: dict[str, Scalar | None] = {
        "firstName": first,
        "lastName": last,
        "company": company,
        "title": _TITLES[pick(dice, 3, len(_TITLES))],
        "email": f"{slug}@{company.lower()}.example",
        "linkedinUrl": f"https://www.linkedin.com/in/{slug}",
    }
    for step in steps.steps:
        for name in needed_fields(step):
            if look_up(fields, name) is None:
                fields[name] = f"[{name}]"
    return Character(f"lead-{seed}-{number + 1}", Identity(IdentityKind.SLUG, slug), fields)


def _name(seed: int, number: int) -> tuple[str, str]:
    """A name that no other number has, up to 27,000: all plain ones first, then double names, then initials."""
    plain = len(_FIRST_NAMES) * len(_LAST_NAMES)
    dice = seed_of("names", str(seed))
    stride, begin = _STRIDES[pick(dice, 0, len(_STRIDES))], pick(dice, 1, plain)
    rounds, place = divmod(number, plain)
    last_at, first_at = divmod((begin + place * stride) % plain, len(_FIRST_NAMES))
    initials, doubling = divmod(rounds, len(_LAST_NAMES))
    first, last = _FIRST_NAMES[first_at], _LAST_NAMES[last_at]
    if doubling:
        last = f"{last}-{_LAST_NAMES[(last_at + doubling) % len(_LAST_NAMES)]}"
    return (f"{first} {chr(ord('A') + initials - 1)}." if initials else first), last


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
