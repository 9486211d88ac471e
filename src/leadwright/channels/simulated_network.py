"""What the people of the simulated network do: the same seed, person and question give the same answer; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field

from leadwright.channels.channel import Deed, Done, InboundFact, Outcome, Permanent, PermanentCode, Temporary
from leadwright.channels.config import ChannelConfig, Lag
from leadwright.engine.sequence import StepType
from leadwright.identity import Identity, IdentityKind
from leadwright.templates import seed_of

LONGEST_REPLY = 8_000
MOST_SEED = 2**53
_TOKEN_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"  # noqa: S105 -- an alphabet
_FAULTS: tuple[PermanentCode, ...] = ("profile_unreachable", "blocked", "refused")

Rate = Annotated[float, Field(ge=0, le=1, strict=False)]


class SimulatorConfig(ChannelConfig):
    """How the people of the network behave. With a rate of 1 everyone does it, with 0 nobody."""

    seed: int = Field(default=1, ge=0, le=MOST_SEED, description="Another seed, other people.")
    accept_rate: Rate = Field(default=0.35, description="The share of people who accept an invitation.")
    accept_after: Lag = Field(default=timedelta(days=1), json_schema_extra={"default": {"days": 1}})
    reply_rate: Rate = Field(default=0.1, description="The share of people who answer a message.")
    reply_after: Lag = Field(default=timedelta(hours=4), json_schema_extra={"default": {"hours": 4}})
    reply_text: str = Field(default="Thank you for your message.", min_length=1, max_length=LONGEST_REPLY)
    lag_spread: Rate = Field(default=0, description="The share by which the two lags differ from person to person.")
    failure_rate: Rate = Field(default=0, description="The share of people with whom nothing can be done.")
    temporary_rate: Rate = Field(default=0, description="The share of deeds that succeed only when tried again.")
    lost_answer_rate: Rate = Field(default=0, description="The share of deeds that are done, but whose answer is lost.")
    already_connected_rate: Rate = Field(default=0, description="The share of people who are connected already.")
    member_tokens: bool = Field(default=False, description="Whether visiting tells the member token of a person.")
    rate_limited_after: int | None = Field(
        default=None, ge=1, le=1_000_000, description="Deeds of 24 hours after which the account is rate limited."
    )
    disconnected_after: int | None = Field(
        default=None, ge=1, le=1_000_000, description="Deeds in all after which the account is disconnected."
    )


Question = Literal["accepts", "replies", "fails", "fault", "falters", "loses", "connected", "accept_lag", "reply_lag"]


def chance(config: SimulatorConfig, identity: Identity, *question: str) -> float:
    """A number of [0, 1), always the same for a seed, a person and a question."""
    return (seed_of(str(config.seed), identity.text, *question) >> 11) / 2**53  # exact, so that it is never 1.0


def _does(config: SimulatorConfig, identity: Identity, question: Question, rate: float, *more: str) -> bool:
    return chance(config, identity, question, *more) < rate


def is_connected(config: SimulatorConfig, identity: Identity) -> bool:
    """Whether the person is connected before anybody invites it."""
    return _does(config, identity, "connected", config.already_connected_rate)


def accepts(config: SimulatorConfig, identity: Identity) -> timedelta | None:
    """How long after an invitation the person accepts it; None: never."""
    if not _does(config, identity, "accepts", config.accept_rate):
        return None
    return _lag(config, identity, "accept_lag", config.accept_after)


def replies(config: SimulatorConfig, identity: Identity) -> timedelta | None:
    """How long after a message the person answers it; None: never."""
    if not _does(config, identity, "replies", config.reply_rate):
        return None
    return _lag(config, identity, "reply_lag", config.reply_after)


def _lag(config: SimulatorConfig, identity: Identity, question: Question, usual: timedelta) -> timedelta:
    spread = config.lag_spread * (2 * chance(config, identity, question) - 1)
    return usual if not spread else timedelta(seconds=round(usual.total_seconds() * (1 + spread)))


@dataclass(frozen=True, slots=True)
class Happening:
    """What a deed comes to. ``happened``: the network keeps it. ``answer_lost``: nobody is told."""

    outcome: Outcome
    facts: tuple[InboundFact, ...] = ()
    happened: bool = True
    answer_lost: bool = False


def happening(config: SimulatorConfig, deed: Deed) -> Happening:
    """What the network makes of a deed, and what its person does later."""
    person = deed.identity
    if _does(config, person, "fails", config.failure_rate):
        code = _FAULTS[int(chance(config, person, "fault") * len(_FAULTS))]
        return Happening(Permanent(code, "a person of the simulated network with whom nothing can be done"), (), False)
    if deed.attempt < 2 and _does(config, person, "falters", config.temporary_rate, deed.kind):
        return Happening(Temporary("simulated", "a fault of the simulated network that passes"), (), False)
    if deed.kind is StepType.CONNECT and is_connected(config, person):
        return Happening(Done(deed.id, found="already_connected", known_as=_known_as(config, deed)))
    lost = _does(config, person, "loses", config.lost_answer_rate, deed.kind)
    return Happening(Done(deed.id, known_as=_known_as(config, deed)), _facts(config, deed), True, lost)


def _facts(config: SimulatorConfig, deed: Deed) -> tuple[InboundFact, ...]:
    if deed.kind is StepType.CONNECT:
        after = accepts(config, deed.identity)
        text = None
        type_: Literal["connection_accepted", "reply"] = "connection_accepted"
    elif deed.kind is StepType.MESSAGE:
        after, text, type_ = replies(config, deed.identity), config.reply_text, "reply"
    else:
        return ()
    if after is None:
        return ()
    return (InboundFact(type_, deed.linkedin_url, deed.at + after, text, f"{deed.id}-{type_}"),)


def _known_as(config: SimulatorConfig, deed: Deed) -> tuple[str, ...]:
    if not config.member_tokens or deed.identity.kind is IdentityKind.MEMBER_TOKEN:
        return ()
    number = seed_of("member token", deed.identity.text)
    letters = [_TOKEN_LETTERS[number >> (6 * place) & 63] for place in range(10)]
    return (f"https://www.linkedin.com/in/ACoAA{''.join(letters)}",)


def read_config(stored: Mapping[str, Any]) -> SimulatorConfig:
    """A configuration that was checked when it was stored."""
    return SimulatorConfig.model_validate(dict(stored))
