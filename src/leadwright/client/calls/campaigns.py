"""Calls about campaigns."""

from collections.abc import Mapping
from typing import Literal, TypedDict, Unpack

from leadwright.client.answers import campaigns as answers
from leadwright.client.answers import looking
from leadwright.client.answers.base import JSON
from leadwright.client.request import Request, Walk, by_cursor, request

StatusWord = Literal["all", "active", "started", "paused", "draft", "finished"]
ONE = "/v1/campaigns/{campaign_id}"


class Fields(TypedDict, total=False):
    """What can be set on a campaign. Durations are objects such as ``{"days": 14}``."""

    description: str | None
    sender_ids: list[str]
    schedule: JSON | None
    sequence: JSON
    missing_variable: Literal["hold", "skip_step"]
    acceptance_timeout: dict[str, float]
    max_new_leads_per_day: int | None
    approach_despite_other_conversation: bool


class Change(Fields, total=False):
    name: str


_WIRE = {
    "sender_ids": "senderIds",
    "missing_variable": "missingVariable",
    "acceptance_timeout": "acceptanceTimeout",
    "max_new_leads_per_day": "maxNewLeadsPerDay",
    "approach_despite_other_conversation": "approachDespiteOtherConversation",
}


def _on_the_wire(fields: Fields) -> JSON:
    return {_WIRE.get(name, name): value for name, value in fields.items()}


def create(name: str, **fields: Unpack[Fields]) -> Request[answers.Campaign]:
    """Makes a draft."""
    return request("POST", "/v1/campaigns", answers.Campaign, body={"name": name, **_on_the_wire(fields)})


def page(
    status: StatusWord = "all", *, number: int = 1, limit: int = 20, cursor: str | None = None
) -> Request[answers.Campaigns]:
    """One page of campaigns, oldest first."""
    query = {"status": status, "page": number, "limit": limit, "cursor": cursor}
    return request("GET", "/v1/campaigns", answers.Campaigns, query=query)


def every(status: StatusWord = "all") -> Walk[answers.Campaign]:
    """All campaigns, oldest first."""
    return by_cursor(page(status, limit=100), lambda found: found.campaigns)


def read(campaign_id: str) -> Request[answers.Campaign]:
    return request("GET", ONE, answers.Campaign, campaign_id)


def edit(campaign_id: str, **fields: Unpack[Change]) -> Request[answers.Campaign]:
    """Sets the fields that are given, and leaves the others."""
    return request("PATCH", ONE, answers.Campaign, campaign_id, body=_on_the_wire(fields))


def start(campaign_id: str) -> Request[answers.ActionDone]:
    return _act(campaign_id, "start")


def pause(campaign_id: str) -> Request[answers.ActionDone]:
    """Every lead keeps its place."""
    return _act(campaign_id, "pause")


def resume(campaign_id: str) -> Request[answers.ActionDone]:
    return _act(campaign_id, "resume")


def finish(campaign_id: str) -> Request[answers.ActionDone]:
    return _act(campaign_id, "finish")


def _act(campaign_id: str, action: str) -> Request[answers.ActionDone]:
    """Raises InvalidCampaignAction when it does not fit the campaign's status."""
    return request("PATCH", ONE, answers.ActionDone, campaign_id, body={"action": action})


def sequence(campaign_id: str, version: int | None = None) -> Request[answers.SequenceVersion]:
    """The sequence as it was saved as that version, without one the current."""
    return request("GET", ONE + "/sequence", answers.SequenceVersion, campaign_id, query={"version": version})


def set_sequence(campaign_id: str, sequence: JSON) -> Request[answers.Campaign]:
    """Stores a new version when the sequence differs; leads on their way keep their step by its id."""
    return request("PUT", ONE + "/sequence", answers.Campaign, campaign_id, body=sequence)


def stats(campaign_id: str) -> Request[answers.Stats]:
    """The funnel, and what was done by step, variant, sender and day."""
    return request("GET", ONE + "/stats", answers.Stats, campaign_id)


def preview(
    campaign_id: str,
    *,
    lead_id: str | None = None,
    linkedin_url: str | None = None,
    lead: Mapping[str, object] | None = None,
    sender_id: str | None = None,
) -> Request[looking.Preview]:
    """Every step as one lead would get it: a lead of the campaign, or a row as it would be added."""
    told = {"leadId": lead_id, "linkedinUrl": linkedin_url, "lead": lead, "senderId": sender_id}
    body = {name: value for name, value in told.items() if value is not None}
    return request("POST", ONE + "/preview", looking.Preview, campaign_id, body=body)


def validate(campaign_id: str) -> Request[looking.Validation]:
    """Whether the campaign can work, and which fields its leads lack."""
    return request("POST", ONE + "/validate", looking.Validation, campaign_id)


def forecast(
    campaign_id: str, *, days: int | None = None, accept_rate: float | None = None, reply_rate: float | None = None
) -> Request[looking.Forecast]:
    """How the campaign would go on, day by day."""
    query = {"days": days, "acceptRate": accept_rate, "replyRate": reply_rate}
    return request("GET", ONE + "/forecast", looking.Forecast, campaign_id, query=query)


def delete(campaign_id: str) -> Request[answers.CampaignDeleted]:
    """Removes the campaign with its leads and their history."""
    return request("DELETE", ONE, answers.CampaignDeleted, campaign_id)
