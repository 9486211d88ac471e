"""Showing and erasing one person, over everything that is held of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from leadwright import ids
from leadwright.engine import stopping
from leadwright.identity import Identity
from leadwright.ids import Prefix
from leadwright.leads import service as leads
from leadwright.people import service as people
from leadwright.postgres.pool import Connection
from leadwright.privacy import erasure_store, store
from leadwright.privacy.model import ERASED, Mentions, Person, redacted_answer, redacted_event
from leadwright.suppression import service as suppression
from leadwright.suppression.model import email_value


@dataclass(frozen=True, slots=True)
class Erased:
    """How much was erased now; what had been erased before does not count again."""

    leads: int
    messages: int


async def erase(
    connection: Connection, workspace_id: str, *, identity: Identity | None, email: str | None, now: datetime
) -> Erased:
    """Removes what is held of a person, in every key and address that they are known by, and keeps them suppressed.

    Of the two the caller names one. Takes locks in the order of the house: the workspace's aliases, its list, its
    leads. So nothing of the person is added, planned or performed meanwhile.
    """
    await store.allow_long_search(connection)
    await people.hold_alone(connection, workspace_id)
    person = await find(connection, workspace_id, identity=identity, email=email)
    digests = await suppression.keep_erased(connection, workspace_id, person.keys, person.emails, now)
    await leads.stop_erased(connection, workspace_id, person.present_lead_ids, ERASED, now)
    await stopping.withdraw(connection, workspace_id, person.present_lead_ids, "erased", now)
    await _redact_texts(connection, workspace_id, person)
    await erasure_store.redact(connection, workspace_id, person, digests, now)
    messages = await erasure_store.redact_messages(connection, workspace_id, person.conversation_ids)
    await people.forget(connection, workspace_id, person.keys)
    await leads.note_erased(connection, workspace_id, person.present_lead_ids, now)
    return Erased(len(person.present_lead_ids), messages)


async def _redact_texts(connection: Connection, workspace_id: str, person: Person) -> None:
    """What holds the person inside a text: events, stored answers."""
    found = await store.events_of(connection, workspace_id, person, _streams(person))
    await erasure_store.redact_events(
        connection, workspace_id, {event_id: redacted_event(data) for event_id, data in found}
    )
    mentions = Mentions.of(person, [*_public_ids(person), *(ids.public(Prefix.EVENT, each) for each, _ in found)])
    stored = await store.stored_answers(connection, workspace_id, mentions.words)
    redacted = {key: redacted_answer(body, mentions) for key, body in stored if not mentions.in_text(key)}
    changed = {key: body for key, body in redacted.items() if body is not None}
    await erasure_store.replace_answers(connection, workspace_id, changed)
    await erasure_store.forget_answers(connection, workspace_id, [key for key, _ in stored if mentions.in_text(key)])


@dataclass(frozen=True, slots=True)
class Export:
    """``found`` has a list of rows for each heading, columns as they are stored."""

    person: Person
    suppressed: bool
    found: dict[str, list[dict[str, Any]]]


async def export(connection: Connection, workspace_id: str, *, identity: Identity | None, email: str | None) -> Export:
    """Everything that is held of a person, in every key and address that they are known by."""
    await store.allow_long_search(connection)
    person = await find(connection, workspace_id, identity=identity, email=email)
    asked = [suppression.Approached(key.text, key.text, None, None) for key in person.keys]
    asked += [suppression.Approached(address, "", address, None) for address in person.emails]
    kept_out = await suppression.suppressed(connection, workspace_id, asked)
    found = await store.exported(connection, workspace_id, person, _streams(person))
    return Export(person, bool(kept_out), found)


async def find(connection: Connection, workspace_id: str, *, identity: Identity | None, email: str | None) -> Person:
    """Who is meant, with all that is theirs. By an e-mail address: everybody whose lead has it."""
    addresses = [] if email is None else [email]
    named = [identity] if identity is not None else await _with_email(connection, workspace_id, email or "")
    keys = await _all_keys(connection, workspace_id, named)
    present = await store.leads_of(connection, workspace_id, keys)
    known = [value for _, sent in present if sent is not None and (value := email_value(sent)) is not None]
    former = await store.former_leads_of(connection, workspace_id, keys)
    lead_ids = [lead_id for lead_id, _ in present]
    person = Person(tuple(keys), tuple(dict.fromkeys([*addresses, *known])), present_lead_ids=tuple(lead_ids))
    return replace(
        person,
        lead_ids=(*lead_ids, *former),
        conversation_ids=tuple(await store.conversations_of(connection, workspace_id, keys)),
        urls=tuple(await store.urls_of(connection, workspace_id, keys)),
    )


async def _with_email(connection: Connection, workspace_id: str, email: str) -> list[Identity]:
    local = email.rpartition("@")[0]
    found = await store.leads_with_email(connection, workspace_id, local if local.isascii() else "")
    return [identity for identity, sent in found if email_value(sent) == email]


async def _all_keys(connection: Connection, workspace_id: str, named: Iterable[Identity]) -> list[Identity]:
    """The canonical key of each and every alias of it. A lead that stopped as a duplicate has kept its alias."""
    known = await people.persons(connection, workspace_id, named)
    found = [key for named_key, person in known.items() for key in (named_key, person.canonical, *person.aliases)]
    return list(dict.fromkeys(found))


def _streams(person: Person) -> Sequence[str]:
    return [ids.public(Prefix.CONVERSATION, each) for each in person.conversation_ids]


def _public_ids(person: Person) -> list[str]:
    return [*(ids.public(Prefix.LEAD, each) for each in person.lead_ids), *_streams(person)]
