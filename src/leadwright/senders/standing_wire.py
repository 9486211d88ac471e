"""The JSON of what is left of the senders' limits."""

from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from leadwright.clock import iso
from leadwright.ids import Prefix, public
from leadwright.senders.limits import QuotaKind
from leadwright.senders.model import Sender, SenderStatus
from leadwright.senders.quotas import Standing

_CAMEL = ConfigDict(alias_generator=to_camel, validate_by_name=True)
_ID = "sender_0199c0ffee0070008000000000000001"


class InboxSender(BaseModel):
    """What a sender may still do today. Null: no cap."""

    model_config = _CAMEL

    id: str = Field(examples=[_ID])
    name: str
    linkedin_url: str
    status: SenderStatus
    daily_message_limit: int | None = Field(description="Of today: a ramp-up makes it less than the cap.")
    messages_sent_today: int
    remaining_messages: int | None = Field(description="Heeds the week too.")
    daily_connection_limit: int | None
    connections_sent_today: int
    remaining_connections: int | None


class InboxSenders(BaseModel):
    senders: list[InboxSender]
    total: int


class QuotaBody(BaseModel):
    """Null: no cap."""

    model_config = _CAMEL

    limit: int | None
    used: int
    remaining: int | None
    resets_at: str = Field(description="When `remaining` grows again.", examples=["2026-03-02T00:00:00.000Z"])


class Quotas(BaseModel):
    connections: QuotaBody
    messages: QuotaBody
    likes: QuotaBody
    visits: QuotaBody
    emails: QuotaBody


class SenderQuotas(BaseModel):
    id: str = Field(examples=[_ID])
    name: str
    quotas: Quotas


class QuotaList(BaseModel):
    senders: list[SenderQuotas]
    total: int


Standings = Mapping[str, Mapping[QuotaKind, Standing]]


def inbox_senders(senders: Sequence[Sender], standings: Standings) -> InboxSenders:
    return InboxSenders(senders=[_inbox_sender(each, standings[each.id]) for each in senders], total=len(senders))


def _inbox_sender(sender: Sender, standing: Mapping[QuotaKind, Standing]) -> InboxSender:
    messages, connections = standing[QuotaKind.MESSAGES], standing[QuotaKind.CONNECTIONS]
    return InboxSender(
        id=public(Prefix.SENDER, sender.id),
        name=sender.name,
        linkedin_url=sender.linkedin_url,
        status=sender.status,
        daily_message_limit=messages.limit,
        messages_sent_today=messages.used,
        remaining_messages=messages.remaining,
        daily_connection_limit=connections.limit,
        connections_sent_today=connections.used,
        remaining_connections=connections.remaining,
    )


def quota_list(senders: Sequence[Sender], standings: Standings) -> QuotaList:
    shown = [
        SenderQuotas(id=public(Prefix.SENDER, each.id), name=each.name, quotas=_quotas(standings[each.id]))
        for each in senders
    ]
    return QuotaList(senders=shown, total=len(shown))


def _quotas(standing: Mapping[QuotaKind, Standing]) -> Quotas:
    return Quotas(**{kind.value: _quota(standing[kind]) for kind in QuotaKind})


def _quota(standing: Standing) -> QuotaBody:
    return QuotaBody(
        limit=standing.limit,
        used=standing.used,
        remaining=standing.remaining,
        resets_at=iso(standing.resets_at),
    )
