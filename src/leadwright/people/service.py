"""Who an address names in a workspace, and learning that two keys are one person."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from leadwright.identity import Identity, IdentityKind, Refusal, linkedin_identity
from leadwright.people import store
from leadwright.people.store import Held, Person
from leadwright.postgres.pool import Connection
from leadwright.postgres.together import Asked

# Most rows are stored under slugs, so a slug as the canonical key leaves the least to be re-keyed.
_PREFERENCE = (IdentityKind.SLUG, IdentityKind.PUB, IdentityKind.MEMBER_TOKEN, IdentityKind.SALES_TOKEN)


@dataclass(frozen=True, slots=True)
class Resolved:
    """One address: the key in it and the person of this workspace whom the key means, or why it has none."""

    url: str
    found: tuple[Identity, Person] | Refusal


@dataclass(frozen=True, slots=True)
class Rekeying:
    """What every row kept under the canonical key ``old`` must be kept under from now on."""

    old: Identity
    new: Identity


async def resolve(connection: Connection, workspace_id: str, urls: Sequence[str]) -> list[Resolved]:
    """One answer for each address, in order."""
    read = [(url, linkedin_identity(url)) for url in urls]
    keys = [identity for _, identity in read if isinstance(identity, Identity)]
    persons = await store.persons(connection, workspace_id, keys)
    return [Resolved(url, (found, persons[found]) if isinstance(found, Identity) else found) for url, found in read]


async def begin_holding(connection: Connection, workspace_id: str, key_id: str) -> tuple[bool, Held]:
    """Begins a transaction in which who is whom stays as it is, for a later statement that stores canonical keys.

    Tells whether the API key still stands, and what the workspace has of aliases and suppressions.
    """
    return await store.begin_holding(connection, workspace_id, key_id)


def holding(workspace_id: str) -> Asked:
    """What keeps who is whom as it is, as the first of several statements in one message."""
    return store.holding(workspace_id)


async def hold_canonical(
    connection: Connection, workspace_id: str, identities: Iterable[Identity]
) -> Mapping[Identity, Identity]:
    """The canonical keys, which stay so until the transaction ends: for whoever stores them."""
    await store.hold(connection, workspace_id)
    return await store.canonical(connection, workspace_id, identities)


async def canonical(
    connection: Connection, workspace_id: str, identities: Iterable[Identity]
) -> Mapping[Identity, Identity]:
    """The key that the person of each given key is known by."""
    return await store.canonical(connection, workspace_id, identities)


async def learn_alias(
    connection: Connection, workspace_id: str, one: Identity, other: Identity, now: datetime
) -> Rekeying | None:
    """Notes that two keys are one person; None when that was known.

    The caller re-keys, in the same transaction, every row kept under the old canonical key; nobody stores a
    new one meanwhile, since that takes ``hold_canonical``. A canonical key with aliases stays so before
    one without; otherwise the kinds' preference decides (a slug before a token), then the keys' order. To be
    called before any row lock is taken, and not in a transaction that itself called ``hold_canonical``.
    """
    if await _is_known(connection, workspace_id, one, other):
        return None
    await store.hold_alone(connection, workspace_id)
    known = await store.canonical(connection, workspace_id, (one, other))
    if known[one] == known[other]:
        return None
    new, old = await _ranked(connection, workspace_id, known[one], known[other])
    await store.join(connection, workspace_id, old, new, now)
    return Rekeying(old, new)


async def _is_known(connection: Connection, workspace_id: str, one: Identity, other: Identity) -> bool:
    """Asked without the lock first: what is joined stays joined, and most of what is reported is known."""
    known = await store.canonical(connection, workspace_id, (one, other))
    return known[one] == known[other]


async def _ranked(
    connection: Connection, workspace_id: str, one: Identity, other: Identity
) -> tuple[Identity, Identity]:
    """The two canonical keys, the one to stay first: the same whichever way round they are given."""
    ranks = {
        key: (
            not await store.has_aliases(connection, workspace_id, key),
            _PREFERENCE.index(key.kind),
            key.key,
        )
        for key in (one, other)
    }
    return (one, other) if ranks[one] < ranks[other] else (other, one)
