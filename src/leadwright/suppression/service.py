"""Putting persons, addresses, domains and companies on the do-not-contact list, and taking them off."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from leadwright import ids
from leadwright.engine import skipping
from leadwright.errors import NotFound
from leadwright.identity import Identity
from leadwright.people import service as people
from leadwright.people.service import Rekeying
from leadwright.postgres.counting import Total
from leadwright.postgres.pool import Connection
from leadwright.suppression import store
from leadwright.suppression.files import FileRow, read_file
from leadwright.suppression.model import (
    Entry,
    Rejection,
    Suppression,
    SuppressionKind,
    email_value,
    erased_digests,
    match_values,
    parse_entry,
)

ROWS_A_STATEMENT = 1_000
MOST_TOLD = 5_000
"""Rows of a file that an answer lists."""
Pair = tuple[SuppressionKind, str]
"""What an entry matches by."""


@dataclass(frozen=True, slots=True)
class Added:
    """What became of the entries of one call: each is in exactly one of the three."""

    added: int
    already_present: int
    rejected: Sequence[Rejection]


async def add(
    connection: Connection, workspace_id: str, entries: Sequence[Any], *, reason: str | None, now: datetime
) -> Added:
    """Judges the entries one by one and adds those that are valid and not on the list yet."""
    judged = [parse_entry(index, entry) for index, entry in enumerate(entries)]
    valid = await _with_canonical_keys(connection, workspace_id, [e for e in judged if isinstance(e, Entry)])
    if not valid:
        return Added(0, 0, [e for e in judged if isinstance(e, Rejection)])
    await store.hold_alone(connection, workspace_id)
    new = await store.insert(connection, workspace_id, _rows([(e, reason) for e in valid], now))
    await _tell_engine(connection, workspace_id, [e for e in valid if (e.kind, e.value) in new], now)
    return Added(len(new), len(valid) - len(new), [e for e in judged if isinstance(e, Rejection)])


async def _tell_engine(connection: Connection, workspace_id: str, new: Sequence[Entry], now: datetime) -> None:
    """Leads that the new entries name wait for nothing any more."""
    if any(entry.kind is not SuppressionKind.PERSON for entry in new):
        await skipping.walk_through(connection, workspace_id)
    persons = {entry.identity for entry in new if entry.identity is not None}
    if persons:
        await skipping.persons_listed(connection, workspace_id, list(persons), now)


class RowOutcome(StrEnum):
    """What became of one row of a file."""

    ADDED = "added"
    ALREADY_PRESENT = "already_present"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class ImportedRow:
    """``line`` is where the row begins in the file, from 1."""

    line: int
    outcome: RowOutcome
    code: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file. ``told``: each row, in order; of a long file the first of those that are invalid."""

    counts: Mapping[RowOutcome, int]
    told: Sequence[ImportedRow]

    @property
    def left_out(self) -> int:
        return sum(self.counts.values()) - len(self.told)


Judged = tuple[FileRow, Entry | Rejection]


def judged_file(body: bytes, media: str) -> list[Judged]:
    """The rows of a file, each with what it names, or why it names nobody. Raises InvalidRequest for no such file.

    A tenth of a second for 10,000 rows: to be called in a thread of its own.
    """
    return [
        (row, parse_entry(place, row.entry) if row.rejection is None else replace(row.rejection, index=place))
        for place, row in enumerate(read_file(body, media))
    ]


async def import_rows(connection: Connection, workspace_id: str, rows: Sequence[Judged], now: datetime) -> Imported:
    """Adds what a file names, and tells what became of its rows; of equal rows the first counts.

    Slice by slice, so that whoever shares the process never waits for more than one.
    """
    await people.hold(connection, workspace_id)
    await store.hold_alone(connection, workspace_id)
    counts: Counter[RowOutcome] = Counter()
    told: list[ImportedRow] = []
    new: list[Entry] = []
    for start in range(0, len(rows), ROWS_A_STATEMENT):
        done = await _import_slice(connection, workspace_id, rows[start : start + ROWS_A_STATEMENT], new, now)
        counts.update(row.outcome for row in done)
        shown = done if len(rows) <= MOST_TOLD else [row for row in done if row.outcome is RowOutcome.INVALID]
        told += shown[: MOST_TOLD - len(told)]
    await _tell_engine(connection, workspace_id, new, now)
    return Imported(counts, told)


async def _import_slice(
    connection: Connection, workspace_id: str, rows: Sequence[Judged], new: list[Entry], now: datetime
) -> list[ImportedRow]:
    """What became of some rows; what they added goes to ``new``."""
    reasons = {judged.index: row.reason for row, judged in rows}
    valid = await _with_canonical_keys(connection, workspace_id, [e for _, e in rows if isinstance(e, Entry)])
    added = set(await store.insert(connection, workspace_id, _rows([(e, reasons[e.index]) for e in valid], now)))
    fresh: set[int] = set()
    for entry in valid:
        if (entry.kind, entry.value) in added:
            added.discard((entry.kind, entry.value))
            fresh.add(entry.index)
            new.append(entry)
    return [_row_told(row, judged, fresh) for row, judged in rows]


def _row_told(row: FileRow, judged: Entry | Rejection, fresh: Collection[int]) -> ImportedRow:
    if isinstance(judged, Rejection):
        return ImportedRow(row.line, RowOutcome.INVALID, judged.code, judged.reason)
    return ImportedRow(row.line, RowOutcome.ADDED if judged.index in fresh else RowOutcome.ALREADY_PRESENT)


async def _with_canonical_keys(connection: Connection, workspace_id: str, entries: Sequence[Entry]) -> Sequence[Entry]:
    identities = [entry.identity for entry in entries if entry.identity is not None]
    if not identities:
        return entries
    known = await people.hold_canonical(connection, workspace_id, identities)
    canonical = {e.index: known[e.identity] for e in entries if e.identity is not None}
    return [
        replace(e, value=canonical[e.index].text, identity=canonical[e.index]) if e.index in canonical else e
        for e in entries
    ]


def _rows(entries: Sequence[tuple[Entry, str | None]], now: datetime) -> list[Suppression]:
    """One row for each that is new in the request, with its reason; the first of equal entries counts."""
    first: dict[tuple[SuppressionKind, str], tuple[Entry, str | None]] = {}
    for entry, reason in entries:
        first.setdefault((entry.kind, entry.value), (entry, reason))
    chosen = list(first.values())
    return [
        Suppression(row_id, entry.kind, entry.value, entry.shown, reason, now)
        for start in range(0, len(chosen), ROWS_A_STATEMENT)
        for row_id, (entry, reason) in zip(
            ids.new_ids(len(chosen[start : start + ROWS_A_STATEMENT])),
            chosen[start : start + ROWS_A_STATEMENT],
            strict=True,
        )
    ]


@dataclass(frozen=True, slots=True)
class Listing:
    """Some rows of the list, and how many it has."""

    fetched: Sequence[Suppression]
    total: Total


async def list_suppressions(
    connection: Connection,
    workspace_id: str,
    kind: SuppressionKind | None,
    *,
    after: str | None,
    offset: int,
    limit: int,
) -> Listing:
    """Rows of one kind or all, oldest first: those behind the id ``after``, less the first ``offset``."""
    fetched = await store.page(connection, workspace_id, kind, after=after, offset=offset, limit=limit)
    return Listing(fetched, await store.count(connection, workspace_id, kind))


async def page_of_all(
    connection: Connection, workspace_id: str, kind: SuppressionKind | None, *, after: str | None, limit: int
) -> Sequence[Suppression]:
    """Rows of one kind or all behind the id ``after``, oldest first, for a file."""
    return await store.page(connection, workspace_id, kind, after=after, offset=0, limit=limit)


async def remove(connection: Connection, workspace_id: str, suppression_id: str | None) -> None:
    """Raises NotFound."""
    if suppression_id is None or not await store.delete(connection, workspace_id, suppression_id):
        raise NotFound("Suppression not found", code="suppression_not_found")


class Approached(msgspec.Struct, frozen=True):
    """Somebody about to be approached, under a name of the caller's."""

    ref: str
    identity_text: str
    email: str | None
    company: str | None


async def hold(connection: Connection, workspace_id: str) -> None:
    """Until the transaction ends nothing is put on the list: what ``suppressed`` then answers stays so.

    For whoever takes deeds from planned to performing; to be called before any row lock is taken.
    """
    await store.hold(connection, workspace_id)


async def suppressed(connection: Connection, workspace_id: str, persons: Sequence[Approached]) -> frozenset[str]:
    """The refs of those whom an entry of the list keeps from being approached, or who were erased."""
    kept = await store.kept(connection, workspace_id)
    listed = await _listed(connection, workspace_id, persons) if kept.has_entries else frozenset[str]()
    return listed | await _erased(connection, workspace_id, kept.erasure_key, persons)


async def _listed(connection: Connection, workspace_id: str, persons: Sequence[Approached]) -> frozenset[str]:
    named = {one.ref: match_values(one.identity_text, one.email, one.company) for one in persons}
    wanted = list(dict.fromkeys(pair for pairs in named.values() for pair in pairs))
    found = await store.among(connection, workspace_id, wanted)
    return frozenset(ref for ref, pairs in named.items() if not found.isdisjoint(pairs))


async def _erased(
    connection: Connection, workspace_id: str, key: bytes | None, persons: Sequence[Approached]
) -> frozenset[str]:
    if key is None:
        return frozenset()
    digests = {one.ref: erased_digests(key, workspace_id, one.identity_text, one.email) for one in persons}
    found = await store.erased_among(connection, workspace_id, [d for known in digests.values() for d in known])
    return frozenset(ref for ref, known in digests.items() if not found.isdisjoint(known))


async def erased(connection: Connection, workspace_id: str, identities: Sequence[Identity]) -> frozenset[Identity]:
    """Those who were erased: of them nothing is to be kept, whoever tells it."""
    asked = [Approached(str(place), identity.text, None, None) for place, identity in enumerate(identities)]
    key = (await store.kept(connection, workspace_id)).erasure_key
    return frozenset(identities[int(ref)] for ref in await _erased(connection, workspace_id, key, asked))


async def keep_erased(
    connection: Connection, workspace_id: str, identities: Sequence[Identity], emails: Sequence[str], now: datetime
) -> dict[Identity, str]:
    """Puts keyed hashes of a person's keys and addresses in place of their entries; answers the hash of each key.

    From then on the person is suppressed under each of them, and nobody can take that back. Waits like ``add`` for
    those who ``hold`` the list.
    """
    await store.hold_alone(connection, workspace_id)
    key = await store.any_erasure_key(connection)
    digests = {one: erased_digests(key, workspace_id, one.text, None)[0] for one in identities}
    of_emails = [digest for email in emails for digest in erased_digests(key, workspace_id, None, email)]
    await store.insert_erased(connection, workspace_id, [*digests.values(), *of_emails], now)
    listed = [(SuppressionKind.PERSON, one.text) for one in identities]
    listed += [(SuppressionKind.EMAIL, value) for email in emails if (value := email_value(email)) is not None]
    await store.delete_values(connection, workspace_id, listed)
    return digests


async def rekey(connection: Connection, workspace_id: str, rekeying: Rekeying) -> None:
    """Follows a learned alias, in the transaction that learned it: the person stays on the list."""
    await store.rekey_person(connection, workspace_id, rekeying.old, rekeying.new)
