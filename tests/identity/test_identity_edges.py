"""What no JSON vector can hold: other types, hostile objects, lone surrogates, limits, the sentences."""

from time import perf_counter

import pytest

from leadwright.identity import Identity, IdentityKind, Refusal, RefusalCode, linkedin_identity
from leadwright.identity.model import MAX_KEY_BYTES, MAX_URL_CHARACTERS, REFUSALS

PROFILE = "https://www.linkedin.com/in/"


def code_of(url: object) -> RefusalCode | None:
    answer = linkedin_identity(url)
    return answer.code if isinstance(answer, Refusal) else None


class HostileText(str):
    __slots__ = ()

    def __len__(self) -> int:
        raise RuntimeError("asked for the length")

    def __str__(self) -> str:
        raise RuntimeError("asked for the text")

    def __getitem__(self, index: object) -> str:  # type: ignore[override]
        raise RuntimeError("asked for a part")


@pytest.mark.parametrize("thing", [None, 0, 1.5, True, b"https://www.linkedin.com/in/john-doe", [], {}, object()])
def test_what_is_no_string_is_refused(thing: object) -> None:
    assert code_of(thing) is RefusalCode.NOT_A_STRING


def test_an_object_that_will_not_name_its_class_is_refused() -> None:
    class ClassRaises:
        @property
        def __class__(self) -> type:  # type: ignore[override]
            raise RuntimeError("asked for the class")

    assert code_of(ClassRaises()) is RefusalCode.NOT_A_STRING


def test_a_subclass_of_str_is_read_by_its_text() -> None:
    assert linkedin_identity(HostileText(PROFILE + "john-doe")) == (IdentityKind.SLUG, "john-doe")
    assert linkedin_identity(IdentityKind.SLUG) == REFUSALS[RefusalCode.NOT_A_URL]


@pytest.mark.parametrize("place", ["in/{}", "in/a{}b", "in/john/{}", "in/john?x={}", "in/john#{}"])
@pytest.mark.parametrize("character", ["\x00", "\ud800"])
def test_an_address_that_postgresql_cannot_store_is_refused(place: str, character: str) -> None:
    assert code_of("https://www.linkedin.com/" + place.format(character)) is RefusalCode.BAD_CHARACTER


def test_length_is_counted_on_the_string_as_given() -> None:
    longest = PROFILE + "a" * (MAX_URL_CHARACTERS - len(PROFILE))
    assert linkedin_identity(longest) == (IdentityKind.SLUG, longest.removeprefix(PROFILE))
    assert code_of(longest + "a") is RefusalCode.TOO_LONG
    assert code_of(longest + " ") is RefusalCode.TOO_LONG
    assert code_of(PROFILE + "john-doe?" + "x" * MAX_URL_CHARACTERS) is RefusalCode.TOO_LONG


@pytest.mark.parametrize(
    ("slug", "is_short_enough"),
    [
        ("a" * MAX_KEY_BYTES, True),
        ("é" * (MAX_KEY_BYTES // 2), True),
        ("é" * (MAX_KEY_BYTES // 2 + 1), False),
        ("İ" * (MAX_KEY_BYTES // 3), True),
        ("İ" * (MAX_KEY_BYTES // 3 + 1), False),
        ("a" * (MAX_KEY_BYTES - 1) + "é", False),
    ],
)
def test_a_key_is_bounded_in_bytes(slug: str, is_short_enough: bool) -> None:
    assert code_of(f"in/{slug}") is (None if is_short_enough else RefusalCode.TOO_LONG)


@pytest.mark.parametrize(
    "hostile",
    [
        "www." * 500_000,
        "a." * 500_000 + "linkedin.com/in/x",
        PROFILE + "-" * 2_000_000,
        PROFILE + "a" * 2_000_000 + "?\x00",
        " " * 2_000_000 + "x",
    ],
)
def test_a_huge_string_costs_one_look(hostile: str) -> None:
    assert code_of(hostile) is RefusalCode.TOO_LONG


@pytest.mark.parametrize(
    "hostile",
    [
        "www." * 512,
        "a." * 1000,
        "a:" * 1000,
        "@" * 2048,
        "/." * 1000,
        "in" + "/." * 1000,
        "in/" + "a\u0301" * 600,
        "in/" + "A\u0301" * 500 + "Σ",
        "in/" + "%E2%80%8D" * 200,
        PROFILE + "%C3" * 600,
        "\u200b" * 2048,
        "in/a" + "\u0327\u0301" * 1000,
    ],
)
def test_no_address_of_legal_length_is_slow(hostile: str) -> None:
    """They take up to 3 ms (sorting 2,000 combining marks); backtracking would need minutes."""
    started = perf_counter()
    answers = {linkedin_identity(hostile) for _ in range(10)}
    assert len(answers) == 1
    assert perf_counter() - started < 1


def test_every_refusal_has_a_sentence_that_names_the_field() -> None:
    assert set(REFUSALS) == set(RefusalCode)
    assert all(refusal.code is code for code, refusal in REFUSALS.items())
    assert all(refusal.reason.startswith("linkedinUrl ") for refusal in REFUSALS.values())
    assert len({refusal.reason for refusal in REFUSALS.values()}) == len(RefusalCode)


def test_an_identity_reads_as_kind_and_key() -> None:
    assert Identity(IdentityKind.MEMBER_TOKEN, "ACoAAB").text == "member_token:ACoAAB"
