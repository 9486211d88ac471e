"""The JSON of forecasts."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from leadwright.campaigns.model import Status
from leadwright.clock import iso
from leadwright.durations import duration_to_json
from leadwright.engine.forecast import OTHER_DEEDS, Day, Forecast, Limit
from leadwright.engine.forecast_service import Foreseen
from leadwright.ids import Prefix, public
from leadwright.senders.limits import QuotaKind

_CAMEL = ConfigDict(alias_generator=to_camel, validate_by_name=True)


class TouchesBody(BaseModel):
    """Deeds by what they count as; `other` are withdrawals, tasks and webhooks, which no cap counts."""

    connections: int
    messages: int
    visits: int
    likes: int
    emails: int
    other: int
    total: int


class LimitBody(BaseModel):
    rule: str = Field(description="In the words of a lead's `why`.", examples=["daily_cap"])
    kind: QuotaKind | None = Field(description="What is capped, if a cap is it.")
    waiting: int = Field(description="The most leads that it held back at one moment of the day.")


class DayBody(BaseModel):
    model_config = _CAMEL

    date: str = Field(description="In the time zone of the campaign's schedule, else UTC.", examples=["2026-03-02"])
    touches: TouchesBody
    new_leads: int
    limited_by: LimitBody | None = Field(description="What held most leads back; null when nothing did.")


class LimitDaysBody(BaseModel):
    rule: str = Field(examples=["daily_cap"])
    kind: QuotaKind | None
    days: int = Field(description="On how many days it held most leads back.")


class AssumptionsBody(BaseModel):
    """What was assumed of people; everything else is the campaign's."""

    model_config = _CAMEL

    accept_rate: float = Field(examples=[0.35])
    accept_rate_from: str = Field(
        description="`caller`, `campaign` (its own so far), `simulator` (the mean of its senders, where some have the "
        "simulator for a channel) or `default`."
    )
    accept_after: dict[str, float | int] = Field(description="As its `config`s say, or usual.", examples=[{"days": 1}])
    already_connected_rate: float = Field(
        description="Of those invited, who are connected already; `acceptRate` is of the others.",
        examples=[0],
    )
    reply_rate: float = Field(description="Of those who get a message.", examples=[0.1])
    reply_rate_from: str = Field(description="`caller`, `simulator` or `default`.")
    reply_after: dict[str, float | int] = Field(examples=[{"hours": 4}])
    as_if_started: bool = Field(description="Whether the campaign is not running, and was taken to run from now on.")


class OneMoreBody(BaseModel):
    """The same with one more sender like the campaign's first that is active."""

    model_config = _CAMEL

    finishes_at: str | None
    last_touch_at: str | None
    touches: int
    through: int
    more_touches: int
    more_through: int
    days_sooner: int | None = Field(description="How many days sooner it is done; null when one of the two is not.")


class ForecastAnswer(BaseModel):
    model_config = _CAMEL

    campaign_id: str
    status: Status
    as_of: str = Field(examples=["2026-03-02T08:00:00.000Z"])
    days: int
    assumptions: AssumptionsBody
    leads: int = Field(description="Leads that are not through now.")
    through: int = Field(description="Of them, those whose sequence is over within the days.")
    replied: int = Field(description="Of them, those who have answered.")
    held: dict[str, int] = Field(description="Leads that go no further by themselves, by the rule that holds them.")
    first_touch_at: str | None
    last_touch_at: str | None = Field(description="Within the days.")
    finishes_at: str | None = Field(description="When the last lead is through; null when not within the days.")
    touches: TouchesBody
    limits: list[LimitDaysBody] = Field(description="What limited most days first.")
    per_day: list[DayBody]
    one_more_sender: OneMoreBody | None = Field(description="Null when the campaign has no active sender.")


def forecast_body(foreseen: Foreseen) -> ForecastAnswer:
    found, prospect = foreseen.found, foreseen.prospect
    outlook = prospect.outlook
    assumed = outlook.assumptions
    return ForecastAnswer(
        campaign_id=public(Prefix.CAMPAIGN, prospect.campaign.id),
        status=prospect.campaign.status,
        as_of=iso(outlook.start),
        days=outlook.days,
        assumptions=AssumptionsBody(
            accept_rate=assumed.accept_rate,
            accept_rate_from=prospect.accepting_from,
            already_connected_rate=assumed.connected_rate,
            reply_rate_from=prospect.replying_from,
            accept_after=duration_to_json(assumed.accept_after),
            reply_rate=assumed.reply_rate,
            reply_after=duration_to_json(assumed.reply_after),
            as_if_started=prospect.campaign.status is not Status.STARTED,
        ),
        leads=found.leads,
        through=found.through,
        replied=found.replied,
        held=dict(found.held),
        first_touch_at=None if found.first_touch_at is None else iso(found.first_touch_at),
        last_touch_at=None if found.last_touch_at is None else iso(found.last_touch_at),
        finishes_at=None if found.finishes_at is None else iso(found.finishes_at),
        touches=_touches(found.touches),
        limits=_limits(found),
        per_day=[_day(day) for day in found.days],
        one_more_sender=_one_more(found, foreseen.one_more),
    )


def _touches(counts: Mapping[str, int]) -> TouchesBody:
    by_kind = {kind.value: counts.get(kind.value, 0) for kind in QuotaKind}
    return TouchesBody(**by_kind, other=counts.get(OTHER_DEEDS, 0), total=sum(counts.values()))


def _day(day: Day) -> DayBody:
    limit = day.limited_by
    return DayBody(
        date=day.on.isoformat(), touches=_touches(day.touches), new_leads=day.new_leads, limited_by=_limit(limit)
    )


def _limit(limit: Limit | None) -> LimitBody | None:
    return None if limit is None else LimitBody(rule=limit.rule, kind=limit.kind, waiting=limit.waiting)


def _limits(found: Forecast) -> list[LimitDaysBody]:
    return [LimitDaysBody(rule=rule, kind=kind, days=days) for (rule, kind), days in found.limits.most_common()]


def _one_more(found: Forecast, more: Forecast | None) -> OneMoreBody | None:
    if more is None:
        return None
    sooner = None
    if found.finishes_at is not None and more.finishes_at is not None:
        sooner = (found.finishes_at - more.finishes_at).days
    return OneMoreBody(
        finishes_at=None if more.finishes_at is None else iso(more.finishes_at),
        last_touch_at=None if more.last_touch_at is None else iso(more.last_touch_at),
        touches=more.touches.total(),
        through=more.through,
        more_touches=more.touches.total() - found.touches.total(),
        more_through=more.through - found.through,
        days_sooner=sooner,
    )
