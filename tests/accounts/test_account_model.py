"""What a key and a scope are."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadwright.accounts.model import ALL_SCOPES, KEY_PREFIX, Principal, Scope, key_digest, stored_scopes
from leadwright.accounts.service import new_key

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
SOME_SCOPES = st.lists(st.sampled_from([scope.value for scope in Scope]), min_size=1)


def holder(*scopes: str, expires_at: datetime | None = None) -> Principal:
    return Principal("1" * 32, "a key", "2" * 32, scopes, expires_at)


def test_keys_are_random_and_of_one_form() -> None:
    made = {new_key() for _ in range(500)}
    assert len(made) == 500
    assert all(re.fullmatch(r"lw_live_[A-Za-z0-9]{36}", key) for key in made)
    assert len(set("".join(made).replace(KEY_PREFIX, ""))) == 62


def test_digests_tell_keys_apart_and_do_not_tell_keys() -> None:
    one, other = new_key(), new_key()
    assert key_digest(one) == key_digest(one) != key_digest(other)
    assert len(key_digest(one)) == 32
    assert one.encode() not in key_digest(one)


@given(SOME_SCOPES)
def test_scopes_are_stored_once_each_in_order(scopes: list[str]) -> None:
    stored = stored_scopes(scopes)
    assert stored == ([ALL_SCOPES] if len(set(scopes)) == len(Scope) else sorted(set(scopes)))
    for scope in Scope:
        assert holder(*stored).may(scope) == (scope in scopes)


@pytest.mark.parametrize("scopes", [[], ["*"], ["leads:read", "*"], [scope.value for scope in Scope]])
def test_everything_is_stored_as_a_star_which_covers_what_comes_later(scopes: list[str]) -> None:
    assert stored_scopes(scopes) == [ALL_SCOPES]
    assert holder(*stored_scopes(scopes)).may("a_later:scope")


@pytest.mark.parametrize("scope", ["leads:delete", "LEADS:READ", "leads", "", " leads:read", "leads:*"])
def test_a_scope_that_does_not_exist_is_named_with_those_that_do(scope: str) -> None:
    with pytest.raises(ValueError, match=rf"^scope '{re.escape(scope)}' does not exist; .*leads:read, leads:write,"):
        stored_scopes(["leads:read", scope])


def test_a_key_expires_at_its_moment_and_not_before() -> None:
    key = holder(ALL_SCOPES, expires_at=NOW)
    assert [key.expired(NOW + timedelta(microseconds=n)) for n in (-1, 0, 1)] == [False, True, True]
    assert not holder(ALL_SCOPES).expired(NOW)
