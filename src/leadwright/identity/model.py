"""The words of identity: the kinds of key, the codes of refusal and the sentence each code is told with."""

from enum import StrEnum
from typing import NamedTuple

IDENTITY_VERSION: int = 1
"""Raised when an address would get another key than before; stored keys must then be computed anew."""

MAX_URL_CHARACTERS = 2048

MAX_KEY_BYTES = MAX_URL_CHARACTERS - len("in/")
"""In UTF-8. A key fits a PostgreSQL index row (2,704 bytes), and `in/<key>` is never too long itself."""


class IdentityKind(StrEnum):
    """The name space of a key: keys of different kinds are never compared."""

    SLUG = "slug"
    MEMBER_TOKEN = "member_token"  # noqa: S105 - a public profile id, not a secret
    SALES_TOKEN = "sales_token"  # noqa: S105 - a public profile id, not a secret
    PUB = "pub"


class RefusalCode(StrEnum):
    """Why an address names no person, in the order in which the checks are made."""

    NOT_A_STRING = "not_a_string"
    TOO_LONG = "too_long"
    EMPTY = "empty"
    NOT_A_URL = "not_a_url"
    BAD_SCHEME = "bad_scheme"
    USERINFO = "userinfo"
    SHORT_LINK = "short_link"
    WRONG_HOST = "wrong_host"
    NOT_A_PERSON = "not_a_person"
    EMPTY_SLUG = "empty_slug"
    BAD_CHARACTER = "bad_character"
    UNAVAILABLE = "unavailable"


class Identity(NamedTuple):
    """A person: equal kind and key mean one person. The key is non-empty and storable as PostgreSQL text."""

    kind: IdentityKind
    key: str

    @property
    def text(self) -> str:
        """Kind and key in one word, `slug:john-doe`."""
        return f"{self.kind}:{self.key}"


class Refusal(NamedTuple):
    """Why an address was refused: a stable code for programs, a sentence for people."""

    code: RefusalCode
    reason: str


class RefusedUrlError(Exception):
    """Leaves the reading of an address from any depth; never leaves this package."""

    def __init__(self, code: RefusalCode) -> None:
        super().__init__(code)
        self.code = code


_EXAMPLE = "such as https://www.linkedin.com/in/jane-smith"

_REASONS = {
    RefusalCode.NOT_A_STRING: f"linkedinUrl must be a string, a profile address {_EXAMPLE}",
    RefusalCode.TOO_LONG: f"linkedinUrl is too long: expected at most {MAX_URL_CHARACTERS} characters",
    RefusalCode.EMPTY: f"linkedinUrl is missing or blank: expected a profile address {_EXAMPLE}",
    RefusalCode.NOT_A_URL: f"linkedinUrl is not a web address: expected one {_EXAMPLE}",
    RefusalCode.BAD_SCHEME: "linkedinUrl must begin with https://, http://, // or the host itself",
    RefusalCode.USERINFO: "linkedinUrl must not have a user name or password before its host",
    RefusalCode.SHORT_LINK: f"linkedinUrl is a short link: expected the address it leads to, {_EXAMPLE}",
    RefusalCode.WRONG_HOST: "linkedinUrl must be on linkedin.com, its www, country or mobile hosts, and port 443 or 80",
    RefusalCode.NOT_A_PERSON: "linkedinUrl is not a person's page: expected /in/name, /pub/name/1/2/3, "
    "/sales/lead/token or /sales/people/token",
    RefusalCode.EMPTY_SLUG: f"linkedinUrl names nobody: expected a profile name in its path, {_EXAMPLE}",
    RefusalCode.BAD_CHARACTER: "linkedinUrl has what no profile address has: expected no white space, "
    "control character, backslash, broken percent escape or encoded /, and no . or .. in its path",
    RefusalCode.UNAVAILABLE: "linkedinUrl is the page LinkedIn shows for a hidden profile: expected the "
    f"person's own address, {_EXAMPLE}",
}

REFUSALS = {code: Refusal(code, reason) for code, reason in _REASONS.items()}
