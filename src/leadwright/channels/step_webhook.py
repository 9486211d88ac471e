"""A sequence's ``webhook`` step: the lead's fields are posted to its address, whatever channel the sender has."""

from collections.abc import Mapping
from typing import Any

import msgspec

from leadwright import ids
from leadwright.channels.channel import Deed, Done, Outcome, Permanent, Temporary
from leadwright.channels.http import deed_json
from leadwright.engine.sequence import StepType
from leadwright.outbound.client import Failure, FailureCode, OutboundClient


class StepWebhook:
    """At least once: an answer that was lost is followed by the same request, with the same ``Idempotency-Key``."""

    performs = frozenset({StepType.WEBHOOK})

    def __init__(self, client: OutboundClient) -> None:
        self._client = client

    async def perform(self, deed: Deed) -> Outcome:
        deed_id = ids.public(ids.Prefix.ACTION, deed.id)
        reply = await self._client.post(
            str(deed.content.get("url")), msgspec.json.encode(_body(deed)), {"Idempotency-Key": deed_id}
        )
        if isinstance(reply, Failure):
            if reply.code in (FailureCode.URL_REFUSED, FailureCode.ADDRESS_REFUSED):
                return Permanent("refused", reply.message)
            return Temporary(reply.code.value, reply.message)
        if reply.accepted:
            return Done()
        told = f"the address answered {reply.status}"
        if reply.status in (408, 425, 429) or reply.status >= 500:
            return Temporary("unavailable", told)
        return Permanent("refused", told)

    async def reconcile(self, deed: Deed) -> Outcome:
        """Sent once more: a receiver that knows the key has nothing to do."""
        return await self.perform(deed)


def _body(deed: Deed) -> Mapping[str, Any]:
    payload: Mapping[str, Any] = deed.content.get("payload") or {}
    return {**deed_json(deed, "perform"), "content": {}, **payload}
