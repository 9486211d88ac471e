"""What is left of texts when a person is erased, without a database."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from leadwright.identity import Identity, IdentityKind
from leadwright.privacy.model import ERASED, KEPT_OF_EVENTS, Mentions, Person, redacted_answer, redacted_event
from leadwright.suppression.model import erased_digests

JANE = Identity(IdentityKind.SLUG, "jane-smith")
MENTIONS = Mentions.of(
    Person((JANE,), ("jane@example.com",), urls=("https://LinkedIn.com/in/Jane-Smith",)), ["lead_" + "1" * 32]
)
scalars = st.none() | st.booleans() | st.integers(0, 9) | st.text(max_size=8)
answers = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3)
)


@given(st.dictionaries(st.sampled_from([*KEPT_OF_EVENTS, "linkedinUrl", "reply", "tags"]), scalars | st.just(["a"])))
def test_an_event_keeps_its_fields_and_what_is_not_the_persons(data: dict[str, Any]) -> None:
    redacted = json.loads(redacted_event(json.dumps(data)))
    assert list(redacted) == list(data)
    assert {name: redacted[name] for name in data if name in KEPT_OF_EVENTS} == {
        name: value for name, value in data.items() if name in KEPT_OF_EVENTS
    }
    assert not {
        name for name, value in redacted.items() if name not in KEPT_OF_EVENTS and value and value != ERASED
    } - {name for name, value in data.items() if value is True}


@given(answers)
def test_an_answer_about_others_stays_as_it_is(answer: Any) -> None:
    assert redacted_answer(json.dumps(answer).encode(), MENTIONS) is None


@given(
    answers,
    st.sampled_from(["in/JANE-smith", "linkedin.com/in/jane%2Dsmith/de", "x Jane@Example.com", "lead_" + "1" * 32]),
)
def test_of_an_object_that_names_the_person_only_ids_and_counts_stay(answer: Any, word: str) -> None:
    mine = {"about": word, "text": "secret", "nested": {"text": "secret"}, "count": 3, "code": "wrong_host"}
    body = json.dumps({"others": answer, "rows": [mine]}).encode()
    redacted = redacted_answer(body, MENTIONS)
    assert redacted is not None
    rest = json.loads(redacted)
    kept = word if word.startswith("lead_") else ERASED
    assert rest["rows"] == [{"about": kept, "text": ERASED, "nested": {}, "count": 3, "code": "wrong_host"}]
    assert rest["others"] == answer


def test_what_is_no_json_is_left_alone() -> None:
    assert redacted_answer(b"\xff in/jane-smith", MENTIONS) is None


@given(st.binary(min_size=32, max_size=32), st.text("ab", min_size=1), st.text("ab", min_size=1))
def test_digests_differ_by_key_workspace_and_person(key: bytes, one: str, other: str) -> None:
    def digest(workspace: str, name: str, under: bytes = key) -> str:
        return erased_digests(under, workspace, f"slug:{name}", None)[0]

    assert digest("w1", one) == digest("w1", one)
    assert digest("w1", one) != digest("w2", one)
    assert (digest("w1", one) == digest("w1", other)) == (one == other)
    assert digest("w1", one) != digest("w1", one, bytes(32) if key != bytes(32) else b"1" * 32)


def test_an_address_is_hashed_as_it_is_matched() -> None:
    key = bytes(32)
    assert erased_digests(key, "w", None, " Jane@Example.com") == erased_digests(key, "w", None, "jane@example.com")
    assert erased_digests(key, "w", None, "no address") == []
