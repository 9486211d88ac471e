"""The messy batch of ``leadwright demo``, each row with the outcome that it must have."""

from dataclasses import dataclass
from typing import Any

SUPPRESSED_PERSON = "https://www.linkedin.com/in/please-do-not-write"


@dataclass(frozen=True, slots=True)
class Row:
    """``shown`` is what the row is about, for people."""

    lead: Any
    shown: str
    outcome: str
    code: str | None = None


def _spelling(url: str, outcome: str) -> Row:
    return Row({"linkedinUrl": url}, url, outcome)


def _broken(url: str, code: str) -> Row:
    return Row({"linkedinUrl": url}, url, "invalid", code)


ROWS = (
    _spelling("HTTPS://UK.LinkedIn.com/in/John-Doe/?trk=search", "duplicate"),
    _spelling("linkedin.com/in/jane-smith/details/experience/", "duplicate"),
    _spelling("https://www.linkedin.com/in/j%C3%BCrgen-m%C3%BCller", "added"),
    _spelling("//m.linkedin.com/in/Jürgen-Müller/de#about", "duplicate_in_request"),
    _spelling("in/JÜRGEN-MÜLLER", "duplicate_in_request"),
    Row(
        {
            "linkedinUrl": "https://www.linkedin.com/in/ada-l",
            "firstName": "Ada",
            "customScore": 85,
            "vip": True,
        },
        "…/in/ada-l with flat custom fields",
        "added",
    ),
    Row(
        {
            "linkedinUrl": "https://www.linkedin.com/in/grace-h",
            "plan": "team",
            "customFields": {"plan": "free", "seats": 12},
        },
        "…/in/grace-h with nested customFields",
        "added",
    ),
    _broken("https://www.linkedin.com/company/techcorp", "not_a_person"),
    _broken("https://linkedin.com.evil.example/in/john-doe", "wrong_host"),
    _broken("https://lnkd.in/abc", "short_link"),
    Row({"firstName": "Nobody"}, "a lead without linkedinUrl", "invalid", "empty"),
    Row(None, "null", "invalid", "not_an_object"),
    Row(
        {"linkedinUrl": "https://www.linkedin.com/in/linus-t", "tags": ["a", "b"]},
        "…/in/linus-t with an array as custom value",
        "invalid",
        "invalid_field",
    ),
    Row({"linkedinUrl": SUPPRESSED_PERSON}, SUPPRESSED_PERSON, "suppressed", "suppressed"),
)
