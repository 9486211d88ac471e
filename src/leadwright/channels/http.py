"""The http channel: each deed is posted, signed, to the operator's own endpoint, which says what became of it."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, ClassVar

import msgspec
from pydantic import AfterValidator, Field, StringConstraints

from leadwright import ids
from leadwright.channels.channel import Deed, Outcome, SenderDown, Unknown
from leadwright.channels.config import ChannelConfig
from leadwright.channels.http_answers import read_answer
from leadwright.clock import iso
from leadwright.engine.sequence import StepType
from leadwright.outbound.client import NOTHING_SENT, Answer, Failure, FailureCode, OutboundClient, scrubbed
from leadwright.outbound.signing import Signer, new_secret
from leadwright.outbound.url import LONGEST_URL

MOST_HEADERS = 20
LONGEST_HEADER = 4_000
LONGEST_SECRET = 200
UNREACHABLE_AGAIN = timedelta(minutes=1)
"""How soon an endpoint that could not be reached is tried again; until then its sender rests and its leads wait."""

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_VALUE = re.compile(r"[\t\x20-\x7e]*")
_OURS = ("host", "connection", "transfer-encoding", "content-", "webhook-", "svix-", "idempotency-", "user-agent")


def _headers(headers: dict[str, str]) -> dict[str, str]:
    if len(headers) > MOST_HEADERS:
        raise ValueError(f"expected at most {MOST_HEADERS} headers")
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name) or name.lower().startswith(_OURS):
            raise ValueError(f"'{name[:50]}' is not a header that can be set")
        if len(value) > LONGEST_HEADER or not _VALUE.fullmatch(value):
            raise ValueError(f"the value of {name} must be printable ASCII of at most {LONGEST_HEADER} characters")
    return headers


class HttpConfig(ChannelConfig):
    """Where deeds are posted, and with which secret."""

    secret_keys: ClassVar[frozenset[str]] = frozenset({"secret", "headers"})
    address_keys: ClassVar[frozenset[str]] = frozenset({"url"})

    url: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_URL)] = Field(
        description="An https address.", examples=["https://sender.example.com/deeds"]
    )
    secret: Annotated[str, StringConstraints(min_length=16, max_length=LONGEST_SECRET)] = Field(
        default_factory=new_secret, description="Signs every request. Left out, one is made and shown once."
    )
    headers: Annotated[dict[str, str], AfterValidator(_headers)] = Field(
        default={}, description="Sent with every request; their values are never shown again."
    )


class Http:
    """Posts the deed, and after a lost answer the question what became of it, to the same address."""

    performs = frozenset(StepType) - {StepType.CONDITION, StepType.END, StepType.EMAIL, StepType.WEBHOOK}

    def __init__(self, client: OutboundClient) -> None:
        self._client = client

    async def perform(self, deed: Deed) -> Outcome:
        return await self._ask(deed, "perform")

    async def reconcile(self, deed: Deed) -> Outcome:
        outcome = await self._ask(deed, "outcome")
        # The question failing says nothing of the deed: nothing but a plain answer ends the doubt.
        return Unknown(outcome.message) if isinstance(outcome, SenderDown) else outcome

    async def _ask(self, deed: Deed, want: str) -> Outcome:
        if not deed.sender.config:
            return SenderDown("the sender was removed, and where it posted is forgotten")
        config = HttpConfig.model_validate(dict(deed.sender.config))
        deed_id = ids.public(ids.Prefix.ACTION, deed.id)
        body = msgspec.json.encode(deed_json(deed, want))
        signed = Signer(config.secret).headers(deed_id, body, int(deed.at.timestamp()))
        headers = config.headers | signed | {"Idempotency-Key": deed_id}
        reply = await self._client.post(config.url, body, headers)
        if isinstance(reply, Failure):
            return _failed(reply)
        hidden = (config.secret, *config.headers.values())
        return read_answer(Answer(reply.status, scrubbed(reply.body, hidden), reply.retry_after, reply.duration))


def deed_json(deed: Deed, want: str) -> Mapping[str, Any]:
    """What the endpoint is sent; ``want`` is ``perform`` or ``outcome``."""
    return {
        "want": want,
        "id": ids.public(ids.Prefix.ACTION, deed.id),
        "type": deed.kind.value,
        "attempt": deed.attempt,
        "at": iso(deed.at),
        "workspaceId": ids.public(ids.Prefix.WORKSPACE, deed.workspace_id),
        "campaignId": deed.campaign_id and ids.public(ids.Prefix.CAMPAIGN, deed.campaign_id),
        "leadId": deed.lead_id and ids.public(ids.Prefix.LEAD, deed.lead_id),
        "sender": {
            "id": ids.public(ids.Prefix.SENDER, deed.sender.id),
            "name": deed.sender.name,
            "linkedinUrl": deed.sender.linkedin_url,
        },
        "person": {
            "linkedinUrl": deed.linkedin_url,
            "identityKey": deed.identity.text,
            "firstName": deed.first_name,
            "lastName": deed.last_name,
        },
        "content": dict(deed.content),
        "externalId": deed.external_id,
    }


def _failed(failure: Failure) -> Outcome:
    """An endpoint that cannot be reached is the sender's trouble, not the lead's: no lead is given up for it."""
    if failure.code in (FailureCode.URL_REFUSED, FailureCode.ADDRESS_REFUSED):
        return SenderDown(failure.message)
    if failure.code in NOTHING_SENT:
        return SenderDown(failure.message, UNREACHABLE_AGAIN)
    return Unknown(failure.message)
