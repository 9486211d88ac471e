"""Every vector that ships with the package, and what the vectors promise of each other."""

import json
from importlib.resources import files
from itertools import pairwise
from typing import Any

import pytest

from leadwright.identity import (
    IDENTITY_VERSION,
    Identity,
    IdentityKind,
    Refusal,
    RefusalCode,
    linkedin_identity,
)
from leadwright.identity.linkedin import general_identity

VECTORS: dict[str, Any] = json.loads(files("leadwright.identity").joinpath("vectors.json").read_text(encoding="utf-8"))
GROUPS = VECTORS["same"]
REFUSED = VECTORS["refused"]


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: ascii(f"{group['kind']}:{group['key'][:60]}"))
def test_urls_of_a_group_are_one_person(group: dict[str, Any]) -> None:
    expected = Identity(IdentityKind(group["kind"]), group["key"])
    assert {url: linkedin_identity(url) for url in group["urls"]} == dict.fromkeys(group["urls"], expected)
    assert {general_identity(url) for url in group["urls"]} == {expected}


def test_groups_are_different_persons() -> None:
    keys = sorted(linkedin_identity(url) for group in GROUPS for url in group["urls"][:1])
    assert all(one != other for one, other in pairwise(keys))


def test_no_url_stands_in_two_places() -> None:
    urls = [url for group in GROUPS for url in group["urls"]] + list(REFUSED)
    assert len(urls) == len(set(urls))


@pytest.mark.parametrize("code", RefusalCode)
def test_refused_urls_get_their_code(code: RefusalCode) -> None:
    urls = [url for url, expected in REFUSED.items() if expected == code]
    answers = {url: linkedin_identity(url) for url in urls}
    assert {url: answer for url, answer in answers.items() if not is_refused_with(code, answer)} == {}
    assert len(urls) >= 4 or code is RefusalCode.NOT_A_STRING


def is_refused_with(code: RefusalCode, answer: Identity | Refusal) -> bool:
    return isinstance(answer, Refusal) and answer.code is code


def test_vectors_name_only_known_codes_and_this_version() -> None:
    assert set(REFUSED.values()) == set(RefusalCode) - {RefusalCode.NOT_A_STRING}
    assert VECTORS["version"] == IDENTITY_VERSION
