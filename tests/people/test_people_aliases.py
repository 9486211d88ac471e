"""Learning that keys are one person: the same components as a union-find, and never a chain."""

import asyncio
import random
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leadwright import ids
from leadwright.identity import Identity, IdentityKind
from leadwright.people import service, store
from leadwright.people.service import Rekeying
from leadwright.postgres.pool import Connection, Database

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SLUG = Identity(IdentityKind.SLUG, "jane-smith")
TOKEN = Identity(IdentityKind.MEMBER_TOKEN, "ACoAAB2bcDE")
SALES = Identity(IdentityKind.SALES_TOKEN, "ACwAAB2bcDE")
PUB = Identity(IdentityKind.PUB, "jane-smith/1/2/3")

KEYS = [Identity(kind, f"k{n}") for kind in IdentityKind for n in range(3)]
Pair = tuple[Identity, Identity]
pairs = st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from(KEYS)), max_size=14)


async def learn(database: Database, workspace_id: str, one: Identity, other: Identity) -> Rekeying | None:
    async with database.transaction() as connection:
        return await service.learn_alias(connection, workspace_id, one, other, NOW)


async def canonical(database: Database, workspace_id: str, keys: Iterable[Identity]) -> dict[Identity, Identity]:
    async with database.session() as connection:
        return dict(await store.canonical(connection, workspace_id, keys))


async def chains(connection: Connection, workspace_id: str) -> int:
    """Aliases that point at a key which is itself an alias (of another, or of itself)."""
    cursor = await connection.execute(
        """
        SELECT count(*) FROM alias a JOIN alias b
        ON b.workspace_id = a.workspace_id AND b.kind = a.person_kind AND b.key = a.person_key
        WHERE a.workspace_id = %s
        """,
        (workspace_id,),
    )
    (row,) = await cursor.fetchall()
    return row[0]


class UnionFind:
    def __init__(self) -> None:
        self._parent = {key: key for key in KEYS}

    def root(self, key: Identity) -> Identity:
        while self._parent[key] != key:
            key = self._parent[key]
        return key

    def union(self, one: Identity, other: Identity) -> None:
        self._parent[self.root(one)] = self.root(other)

    def components(self) -> set[frozenset[Identity]]:
        return components({key: self.root(key) for key in KEYS})


def components(named: dict[Identity, Identity]) -> set[frozenset[Identity]]:
    """The groups of keys that share a name."""
    return {frozenset(key for key in named if named[key] == name) for name in named.values()}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(learned=pairs)
async def test_any_sequence_of_pairs_gives_the_components_of_a_union_find(
    database: Database, learned: Sequence[Pair]
) -> None:
    workspace_id, expected = ids.new_id(), UnionFind()
    kept = {key: key for key in KEYS}  # as another room keeps rows: under the canonical key, re-keyed as told
    async with database.transaction() as connection:
        for one, other in learned:
            rekeying = await service.learn_alias(connection, workspace_id, one, other, NOW)
            assert (rekeying is None) == (expected.root(one) == expected.root(other))
            expected.union(one, other)
            if rekeying is not None:
                kept = {key: rekeying.new if at == rekeying.old else at for key, at in kept.items()}
            assert await chains(connection, workspace_id) == 0
        named = dict(await store.canonical(connection, workspace_id, KEYS))
    assert components(named) == expected.components()
    assert kept == named


async def test_learning_at_once_in_all_directions_agrees_with_a_union_find(database: Database) -> None:
    workspace_id, expected, dice = ids.new_id(), UnionFind(), random.Random(7)
    learned = [tuple(dice.sample(KEYS, 2)) for _ in range(12)]
    both_ways = [pair for one, other in learned for pair in ((one, other), (other, one))]
    for one, other in learned:
        expected.union(one, other)
    told = await asyncio.gather(*(learn(database, workspace_id, one, other) for one, other in both_ways))
    assert components(await canonical(database, workspace_id, KEYS)) == expected.components()
    assert sum(rekeying is not None for rekeying in told) == len(KEYS) - len(expected.components())
    async with database.session() as connection:
        assert await chains(connection, workspace_id) == 0


@pytest.mark.parametrize("other", [TOKEN, SALES, PUB])
async def test_a_slug_becomes_the_canonical_key_whichever_way_round(database: Database, other: Identity) -> None:
    for pair in ((SLUG, other), (other, SLUG)):
        assert await learn(database, ids.new_id(), *pair) == Rekeying(old=other, new=SLUG)


async def test_a_canonical_key_with_aliases_stays_canonical(database: Database) -> None:
    workspace_id = ids.new_id()
    assert await learn(database, workspace_id, SALES, TOKEN) == Rekeying(old=SALES, new=TOKEN)
    assert await learn(database, workspace_id, SLUG, SALES) == Rekeying(old=SLUG, new=TOKEN)
    assert await canonical(database, workspace_id, [SLUG, TOKEN, SALES]) == dict.fromkeys([SLUG, TOKEN, SALES], TOKEN)


async def test_what_is_known_is_told_as_nothing_new(database: Database) -> None:
    workspace_id = ids.new_id()
    await learn(database, workspace_id, SLUG, TOKEN)
    assert await learn(database, workspace_id, TOKEN, SLUG) is None
    assert await learn(database, workspace_id, SLUG, SLUG) is None


async def test_aliases_hold_in_their_workspace_only(database: Database) -> None:
    await learn(database, ids.new_id(), SLUG, TOKEN)
    assert await canonical(database, ids.new_id(), [TOKEN]) == {TOKEN: TOKEN}


async def test_keys_of_different_kinds_are_different_people(database: Database) -> None:
    workspace_id = ids.new_id()
    sales_twin = Identity(IdentityKind.SALES_TOKEN, TOKEN.key)
    await learn(database, workspace_id, SLUG, TOKEN)
    assert await canonical(database, workspace_id, [sales_twin]) == {sales_twin: sales_twin}


async def test_learning_waits_for_those_who_store_canonical_keys(database: Database) -> None:
    workspace_id = ids.new_id()
    async with database.session() as holder, database.session() as watcher:
        async with holder.transaction():
            held = await service.hold_canonical(holder, workspace_id, [TOKEN])
            learning = asyncio.create_task(learn(database, workspace_id, SLUG, TOKEN))
            while not await waiting_for_a_lock(watcher):
                assert not learning.done()
            assert await service.hold_canonical(holder, workspace_id, [TOKEN]) == held == {TOKEN: TOKEN}
        assert await learning == Rekeying(old=TOKEN, new=SLUG)


async def waiting_for_a_lock(connection: Connection) -> bool:
    cursor = await connection.execute(
        """
        SELECT EXISTS (
            SELECT FROM pg_locks JOIN pg_database d ON d.oid = database
            WHERE locktype = 'advisory' AND NOT granted AND datname = current_database())
        """
    )
    return await cursor.fetchone() == (True,)
