"""Calls about senders."""

from typing import Literal, TypedDict, Unpack

from leadwright.client.answers import senders as answers
from leadwright.client.answers.base import JSON, Done
from leadwright.client.request import Request, Walk, by_cursor, request

ONE = "/v1/senders/{sender_id}"
Channel = Literal["simulator", "manual", "http", "email", "unipile"]


class Fields(TypedDict, total=False):
    """What can be set on a sender. ``config`` is its channel's; ``limits`` and ``ramp_up`` are as on the wire."""

    first_name: str | None
    last_name: str | None
    config: JSON
    limits: JSON
    ramp_up: JSON | None
    schedule: JSON | None


class Change(Fields, total=False):
    name: str
    linkedin_url: str
    status: Literal["active", "disconnected"]


_WIRE = {
    "first_name": "firstName",
    "last_name": "lastName",
    "ramp_up": "rampUp",
    "linkedin_url": "linkedinUrl",
}


def _on_the_wire(fields: Fields) -> JSON:
    return {_WIRE.get(name, name): value for name, value in fields.items()}


def create(name: str, linkedin_url: str, channel: Channel, **fields: Unpack[Fields]) -> Request[answers.SenderMade]:
    """Two senders cannot share a channel and a LinkedIn identity."""
    body = {"name": name, "linkedinUrl": linkedin_url, "channel": channel, **_on_the_wire(fields)}
    return request("POST", "/v1/senders", answers.SenderMade, body=body)


def page(*, number: int = 1, limit: int = 50, cursor: str | None = None) -> Request[answers.Senders]:
    """One page of senders, oldest first."""
    query = {"page": number, "limit": limit, "cursor": cursor}
    return request("GET", "/v1/senders", answers.Senders, query=query)


def every() -> Walk[answers.Sender]:
    """All senders, oldest first."""
    return by_cursor(page(limit=100), lambda found: found.senders)


def read(sender_id: str) -> Request[answers.Sender]:
    return request("GET", ONE, answers.Sender, sender_id)


def edit(sender_id: str, **fields: Unpack[Change]) -> Request[answers.SenderMade]:
    """Sets what is given, within ``limits`` and ``config`` too, and leaves the rest."""
    return request("PATCH", ONE, answers.SenderMade, sender_id, body=_on_the_wire(fields))


def remove(sender_id: str) -> Request[Done]:
    """Its conversations stay."""
    return request("DELETE", ONE, Done, sender_id)


def quotas() -> Request[answers.AllQuotas]:
    """What each sender may still do of each kind today."""
    return request("GET", "/v1/senders/quotas", answers.AllQuotas)


def standing() -> Request[answers.Standings]:
    """What each sender may still send today, as the inbox shows it."""
    return request("GET", "/v1/inbox/senders", answers.Standings)
