"""Calls about deeds: for channels that tell what became of one, and for people who found it out."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from leadwright.client.answers import actions as answers
from leadwright.client.answers.base import JSON
from leadwright.client.request import Request, Walk, by_cursor, request

ONE = "/v1/actions/{action_id}"
State = Literal["planned", "performing", "done", "failed", "uncertain", "cancelled", "all"]


def page(
    state: State | None = None,
    *,
    lead_id: str | None = None,
    campaign_id: str | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Request[answers.Actions]:
    """One page of deeds; without a state those that are not over.

    A campaign's are listed while they are not over, a lead's in every state.
    """
    query = {"state": state, "leadId": lead_id, "campaignId": campaign_id, "limit": limit, "cursor": cursor}
    return request("GET", "/v1/actions", answers.Actions, query=query)


def every(
    state: State | None = None, *, lead_id: str | None = None, campaign_id: str | None = None
) -> Walk[answers.Action]:
    """All deeds; without a state those that are not over."""
    return by_cursor(page(state, lead_id=lead_id, campaign_id=campaign_id, limit=100), lambda found: found.actions)


def resolve(action_id: str, outcome: Literal["done", "not_done"]) -> Request[answers.Action]:
    """Says whether a deed happened of which nobody knew; one that did not is tried again."""
    return request("POST", ONE + "/resolve", answers.Action, action_id, body={"outcome": outcome})


def report(
    action_id: str,
    status: str,
    *,
    external_id: str | None = None,
    known_as: Sequence[str] = (),
    code: str | None = None,
    message: str | None = None,
    retry_after: float | None = None,
) -> Request[answers.Action]:
    """Tells what became of a deed, in the words in which an endpoint of the http channel answers."""
    told: JSON = {"externalId": external_id, "code": code, "message": message, "retryAfter": retry_after}
    given = {name: value for name, value in told.items() if value is not None}
    body = {"status": status, "knownAs": list(known_as), **given}
    return request("POST", ONE + "/outcome", answers.Action, action_id, body=body)


def receive(
    sender_id: str,
    linkedin_url: str,
    type: Literal["connection_accepted", "reply"],  # noqa: A002 -- the name that the wire has
    *,
    text: str | None = None,
    external_id: str | None = None,
    occurred_at: datetime | None = None,
) -> Request[answers.Received]:
    """Tells that a person accepted or replied; told again under its ``external_id`` it changes nothing."""
    told: JSON = {"text": text, "externalId": external_id, "occurredAt": occurred_at and occurred_at.isoformat()}
    given = {name: value for name, value in told.items() if value is not None}
    body = {"senderId": sender_id, "linkedinUrl": linkedin_url, "type": type, **given}
    return request("POST", "/v1/inbox/inbound", answers.Received, body=body)
