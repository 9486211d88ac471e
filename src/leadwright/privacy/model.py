"""Who is meant by a request about a person, and what is left of a text when that person is erased; pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import quote, unquote

import msgspec

from leadwright.identity import Identity, linkedin_identity

ERASED = "[erased]"
"""What stands where something of an erased person stood and a text must stand."""

KEPT_OF_EVENTS = frozenset(
    {
        "leadId",
        "campaignId",
        "senderId",
        "sequenceStep",
        "acceptedAt",
        "previousStatus",
        "newStatus",
        "customLeadStatus",
    }
)
"""The fields of an event's data that say nothing of the person."""

KEPT_OF_HISTORY = (
    "previousStatus",
    "newStatus",
    "customLeadStatus",
    "duplicateOf",
    "actionId",
    "senderId",
    "rule",
    "kind",
    "type",
    "code",
)
"""The same of an entry of a lead's history."""

_KEPT_OF_ANSWERS = frozenset(
    {"success", "index", "outcome", "code", "status", "statusCode", "error", "timestamp", "kind", "requestId"}
)
_PUBLIC_ID = re.compile(r"[a-z]{1,8}_[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Person:
    """All that one person is known by: identity keys, e-mail addresses as they are matched, and ids of what is theirs.

    ``lead_ids`` are bare and include leads whose rows are gone; ``urls`` are the addresses as they were sent.
    """

    keys: tuple[Identity, ...]
    emails: tuple[str, ...]
    lead_ids: tuple[str, ...] = ()
    present_lead_ids: tuple[str, ...] = ()
    conversation_ids: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()


def tombstone(digest: str) -> str:
    """What stands in place of an identity key. No address gives it, for it holds a space."""
    return f"erased {digest}"


def redacted_event(data: str) -> str:
    """An event's data with the same fields in the same order, and nothing in them that is the person's."""
    fields: Mapping[str, Any] = msgspec.json.decode(data)
    return msgspec.json.encode(
        {name: value if name in KEPT_OF_EVENTS else _blank(value) for name, value in fields.items()}
    ).decode()


def _blank(value: Any) -> Any:
    """Keeps a value's type, so that a receiver can still read it; nothing of a text, of a list, of an object."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, list):
        return []
    return {} if isinstance(value, dict) else ERASED


@dataclass(frozen=True, slots=True)
class Mentions:
    """Tells a text that is about a person: it is one of their addresses, or holds a key, e-mail or id of theirs."""

    keys: frozenset[Identity]
    words: tuple[str, ...]

    @classmethod
    def of(cls, person: Person, public_ids: Iterable[str]) -> "Mentions":
        keys = [key.key.casefold() for key in person.keys]
        words = [*keys, *(quote(key) for key in keys), *person.emails, *(url.casefold() for url in person.urls)]
        return cls(frozenset(person.keys), tuple(dict.fromkeys([*words, *public_ids])))

    def in_text(self, text: str) -> bool:
        plain = text.casefold()
        if any(word in plain or word in unquote(plain) for word in self.words):
            return True
        found = linkedin_identity(text)
        return isinstance(found, Identity) and found in self.keys


def redacted_answer(body: bytes, mentions: Mentions) -> bytes | None:
    """A stored answer without what it says of a person; None when it says nothing of them.

    Of an object that names the person everything goes but ids, counts and stable words.
    """
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    cleaned = _without(answer, mentions)
    return None if cleaned == answer else msgspec.json.encode(cleaned)


def _without(value: Any, mentions: Mentions) -> Any:
    if isinstance(value, list):
        return [_without(item, mentions) for item in cast(list[Any], value)]
    if isinstance(value, dict):
        fields = cast(dict[str, Any], value)
        if any(mentions.in_text(text) for text in _own_texts(fields)):
            return {name: _kept(name, item) for name, item in fields.items()}
        return {name: _without(item, mentions) for name, item in fields.items()}
    return ERASED if isinstance(value, str) and mentions.in_text(value) else value


def _own_texts(fields: Mapping[str, Any]) -> Iterable[str]:
    for name, value in fields.items():
        yield name
        if isinstance(value, str):
            yield value
        elif isinstance(value, list):
            yield from (item for item in cast(Sequence[Any], value) if isinstance(item, str))


def _kept(name: str, value: Any) -> Any:
    if isinstance(value, str):
        return value if name in _KEPT_OF_ANSWERS or _PUBLIC_ID.fullmatch(value) else ERASED
    if isinstance(value, list):
        return []
    return {} if isinstance(value, dict) else value
