"""What the do-not-contact list matches, without a database."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadwright.suppression.model import (
    Entry,
    Rejection,
    SuppressionKind,
    company_value,
    domain_value,
    email_value,
    match_values,
    parse_entry,
)

labels = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True).filter(
    lambda label: not label.startswith("xn--")
)
domains = st.lists(labels, min_size=2, max_size=4).map(".".join)
locals_ = st.from_regex(r"[a-z0-9.+_'-]{1,20}", fullmatch=True)


@given(locals_, domains, st.sampled_from(["", " ", "\t", "\u00a0"]))
def test_an_email_matches_in_any_case_and_with_space_around_it(local: str, domain: str, space: str) -> None:
    address = f"{local}@{domain}"
    assert email_value(address) == address
    assert email_value(f"{space}{address.upper()}{space}") == address


@given(st.text(max_size=40))
def test_whatever_is_taken_as_an_email_or_domain_stays_as_it_is(text: str) -> None:
    for value in (email_value, domain_value):
        once = value(text)
        assert once is None or value(once) == once


@given(domains)
def test_a_domain_matches_with_or_without_at_sign_and_dot(domain: str) -> None:
    assert {domain_value(f) for f in (domain, f"@{domain}", f"{domain}.", f" {domain.upper()} ")} == {domain}


def test_a_domain_is_one_in_both_its_spellings() -> None:
    assert domain_value("xn--bcher-kva.example") == domain_value("BÜCHER.example") == "bücher.example"
    assert domain_value("bu\u0308cher.example") == "bücher.example"
    assert domain_value("straße.example") != domain_value("strasse.example")


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "@",
        "localhost",
        "a..b",
        ".example.com",
        "https://example.com",
        "a b.com",
        "x@y.com",
        "a.com/b",
        "a." + "b" * 64,
        "a." * 130 + "com",
        "exa\u200bmple.com",
        "example.com:80",
    ],
)
def test_what_is_no_domain(text: str) -> None:
    assert domain_value(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "jane",
        "@example.com",
        "jane@",
        "jane@localhost",
        "a b@example.com",
        "a@b@example.com",
        "jane@ example.com",
        "jane @example.com",
        "<jane@example.com>",
        "j\u200bane@example.com",
        "x" * 250 + "@example.com",
    ],
)
def test_what_is_no_email(text: str) -> None:
    assert email_value(text) is None


@given(st.lists(st.from_regex(r"[A-Za-z0-9&.]{1,8}", fullmatch=True), min_size=1, max_size=4))
def test_a_company_matches_in_any_case_and_spacing(words: list[str]) -> None:
    assert company_value("\n  ".join(words).swapcase() + "\t") == company_value(" ".join(words))


def test_companies_differ_by_their_words() -> None:
    assert company_value("ACME  Straße") == company_value("acme strasse") == "acme strasse"
    assert company_value("Acme") != company_value("Acme Inc")
    assert company_value("Ａｃｍｅ") == company_value("acme")
    assert company_value(" \u00a0 ") is company_value("x" * 301) is None


def test_a_lead_matches_by_person_email_domains_and_company() -> None:
    assert match_values("slug:jane", " Jane@EU.Example.com", "Acme  Inc") == [
        (SuppressionKind.PERSON, "slug:jane"),
        (SuppressionKind.EMAIL, "jane@eu.example.com"),
        (SuppressionKind.EMAIL_DOMAIN, "eu.example.com"),
        (SuppressionKind.EMAIL_DOMAIN, "example.com"),
        (SuppressionKind.COMPANY, "acme inc"),
    ]
    assert match_values(None, None, None) == []
    assert match_values("slug:jane", "no address", " ") == [(SuppressionKind.PERSON, "slug:jane")]


@given(locals_, domains)
def test_a_suppressed_domain_covers_its_addresses_and_no_look_alike(local: str, domain: str) -> None:
    key = (SuppressionKind.EMAIL_DOMAIN, domain)
    assert key in match_values(None, f"{local}@{domain}", None)
    assert key in match_values(None, f"{local}@mail.{domain}", None)
    assert key not in match_values(None, f"{local}@not{domain}", None)
    assert key not in match_values(None, f"{local}@{domain}.evil", None)


@pytest.mark.parametrize(
    ("entry", "kind", "value"),
    [
        ({"linkedinUrl": "https://linkedin.com/in/Jane-Smith/"}, SuppressionKind.PERSON, "slug:jane-smith"),
        ({"email": "Jane@Example.com "}, SuppressionKind.EMAIL, "jane@example.com"),
        ({"emailDomain": "@Example.com"}, SuppressionKind.EMAIL_DOMAIN, "example.com"),
        ({"company": " Acme\tInc "}, SuppressionKind.COMPANY, "acme inc"),
        ({"email": None, "company": "Acme", "note": 1}, SuppressionKind.COMPANY, "acme"),
    ],
)
def test_a_valid_entry(entry: dict[str, Any], kind: SuppressionKind, value: str) -> None:
    read = parse_entry(3, entry)
    assert isinstance(read, Entry)
    assert (read.index, read.kind, read.value) == (3, kind, value)
    assert read.shown == entry.get(
        "linkedinUrl", entry.get("email") or entry.get("emailDomain") or entry.get("company")
    )


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        (None, "not_an_object"),
        ("jane@example.com", "not_an_object"),
        ([], "not_an_object"),
        ({}, "not_one_key"),
        ({"emial": "jane@example.com"}, "not_one_key"),
        ({"email": "jane@example.com", "company": "Acme"}, "not_one_key"),
        ({"email": 5}, "not_a_string"),
        ({"company": {"name": "Acme"}}, "not_a_string"),
        ({"linkedinUrl": "https://example.com/in/jane"}, "wrong_host"),
        ({"email": "jane"}, "invalid_email"),
        ({"emailDomain": "com"}, "invalid_domain"),
        ({"company": "  "}, "invalid_company"),
        ({"company": "x" * 301}, "invalid_company"),
        ({"email": " " * 3000 + "jane@example.com"}, "too_long"),
    ],
)
def test_an_invalid_entry(entry: Any, code: str) -> None:
    read = parse_entry(7, entry)
    assert isinstance(read, Rejection)
    assert (read.index, read.code) == (7, code)
    assert read.reason
