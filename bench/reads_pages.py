"""Every list that ``bench.reads`` asks of a server: with and without its filters, at its start and deep down."""

import random
from collections.abc import Mapping

from bench import pages
from bench.pages import Path
from bench.reads_fill import (
    COMMON_KEY,
    RARE_ACTION,
    RARE_KEY,
    RARE_TYPE,
    UNUSED_ACTION,
    UNUSED_TYPE,
    ReadsFill,
)
from leadwright import ids
from leadwright.events.model import cursor_at
from leadwright.inbox import continuation


class Places:
    """What is asked of one server: its paths, by the list they belong to and what they show."""

    def __init__(self, fill: ReadsFill) -> None:
        self._fill = fill
        self._rng = random.Random(1)
        self._workspace = fill.workspace_id

    def paths(self) -> Mapping[str, Mapping[str, Path]]:
        return {
            "leads and campaigns": {**pages.paths(self._fill.fill), **self._leads()},
            "inbox": {**self._conversations(), **self._messages()},
            "events": self._events(),
            "stats": self._stats(),
            "suppressions": self._suppressions(),
            "audit": self._audit(),
            "imports": self._imports(),
        }

    def _leads(self) -> Mapping[str, Path]:
        large = f"/v1/leads?limit=50&campaignId={self._campaign(0)}"
        of_one = f"/v1/leads/{_public(ids.Prefix.LEAD, self._fill.deep_id('lead'))}"
        return {
            "leads of the large campaign, full": _always(f"{large}&full=true"),
            "leads of the large campaign, page 20": _always(f"{large}&page=20"),
            "all leads, page 20": _always("/v1/leads?limit=50&page=20"),
            "all leads, common status, page 20": _always(f"/v1/leads?limit=50&page=20&status={pages.COMMON_STATUS}"),
            "history of a lead": _always(f"{of_one}/history"),
            "why of a lead": _always(f"{of_one}/why"),
        }

    def _conversations(self) -> Mapping[str, Path]:
        inbox = "/v1/inbox/conversations?limit=20"
        quiet, other = self._fill.senders[0], self._fill.senders[-1]
        of_one = f"{inbox}&accountId={_public(ids.Prefix.SENDER, other)}"
        found = {
            "conversations": inbox,
            "conversations, deep": f"{inbox}&continuationToken={self._token(None)}",
            "conversations of a sender": of_one,
            "conversations of a sender, deep": f"{of_one}&continuationToken={self._token(other)}",
            "unread conversations": f"{inbox}&unread=true",
            "unread conversations of a sender": f"{of_one}&unread=true",
            "... of one that has none": f"{inbox}&unread=true&accountId={_public(ids.Prefix.SENDER, quiet)}",
        }
        return {name: _always(path) for name, path in found.items()}

    def _token(self, sender: str | None) -> str:
        place = self._fill.deep_conversation(sender)
        return continuation.written(place, f"conversations {self._workspace} {sender} {False}")

    def _messages(self) -> Mapping[str, Path]:
        long, account = self._fill.long_conversation()
        short, other = self._fill.short_conversation()
        deep = continuation.written(self._fill.deep_message(long), f"messages {self._workspace} {long} {False}")
        of_long = _messages(long, account)
        found = {
            "one conversation": f"/v1/inbox/conversations/{_public(ids.Prefix.CONVERSATION, short)}",
            "messages of a conversation": _messages(short, other),
            "messages of a long one": of_long,
            "messages of a long one, deep": f"{of_long}&continuationToken={deep}",
            "messages of a long one, newest first": f"{of_long}&order=newest",
        }
        return {name: _always(path) for name, path in found.items()}

    def _events(self) -> Mapping[str, Path]:
        def after() -> str:
            place = self._rng.randrange(self._fill.fill.leads // 2, self._fill.fill.leads * 9 // 10)
            return f"after={cursor_at(self._workspace, place)}"

        several = f"{RARE_TYPE},message.sent,reply.received"
        return {
            "events": _always("/v1/events"),
            "events, deep": lambda: f"/v1/events?{after()}",
            "events of a common type, deep": lambda: f"/v1/events?types=message.sent&{after()}",
            "events of a rare type": _always(f"/v1/events?types={RARE_TYPE}"),
            "events of a type of none": _always(f"/v1/events?types={UNUSED_TYPE}"),
            "events of three types, deep": lambda: f"/v1/events?types={several}&{after()}",
        }

    def _stats(self) -> Mapping[str, Path]:
        return {
            "statistics of the large campaign": _always(f"/v1/campaigns/{self._campaign(0)}/stats"),
            "statistics of a small campaign": lambda: f"/v1/campaigns/{self._campaign(self._any_small())}/stats",
        }

    def _suppressions(self) -> Mapping[str, Path]:
        listed = "/v1/suppressions?limit=50"
        deep = self._fill.deep_id("suppression")
        found = {
            "do-not-contact list": listed,
            "do-not-contact list, page 20": f"{listed}&page=20",
            "do-not-contact list, deep cursor": f"{listed}&cursor={deep}",
            "do-not-contact list, common kind": f"{listed}&kind=person",
            "do-not-contact list, common kind, deep": f"{listed}&kind=person&cursor={deep}",
            "do-not-contact list, rare kind": f"{listed}&kind=company",
        }
        return {name: _always(path) for name, path in found.items()}

    def _audit(self) -> Mapping[str, Path]:
        log = "/v1/audit?limit=50"
        deep = self._fill.deep_id("audit_entry")
        rare_key = f"keyId={_public(ids.Prefix.API_KEY, RARE_KEY)}"
        found = {
            "audit log": log,
            "audit log, deep cursor": f"{log}&cursor={deep}",
            "audit log, common action, deep": f"{log}&action=add_leads&cursor={deep}",
            "audit log, rare action": f"{log}&action={RARE_ACTION}",
            "audit log, action of none": f"{log}&action={UNUSED_ACTION}",
            "audit log, rare key": f"{log}&{rare_key}",
            "audit log, common key, rare action": (
                f"{log}&keyId={_public(ids.Prefix.API_KEY, COMMON_KEY)}&action={RARE_ACTION}"
            ),
            "audit log, rare key, common action": f"{log}&{rare_key}&action=set_lead_status",
        }
        return {name: _always(path) for name, path in found.items()}

    def _imports(self) -> Mapping[str, Path]:
        listed = "/v1/imports?limit=20"
        deep = self._fill.deep_id("lead_import")
        return {
            "imports": _always(listed),
            "imports, deep cursor": _always(f"{listed}&cursor={deep}"),
            "imports of the large campaign": _always(f"{listed}&campaignId={self._campaign(0)}"),
            "imports of a small campaign": lambda: f"{listed}&campaignId={self._campaign(self._any_small())}",
        }

    def _campaign(self, number: int) -> str:
        return _public(ids.Prefix.CAMPAIGN, self._fill.fill.campaigns[number])

    def _any_small(self) -> int:
        return self._rng.randrange(1, len(self._fill.fill.campaigns))


def _public(prefix: ids.Prefix, bare: str) -> str:
    return ids.public(prefix, bare)


def _always(path: str) -> Path:
    return lambda: path


def _messages(conversation: str, account: str) -> str:
    of = _public(ids.Prefix.SENDER, account)
    return f"/v1/inbox/conversations/{_public(ids.Prefix.CONVERSATION, conversation)}/messages?accountId={of}"
