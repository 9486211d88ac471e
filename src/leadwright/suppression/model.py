"""What can be put on the do-not-contact list, and when a lead is on it; pure."""

import hmac
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, cast

from leadwright.identity import Identity, linkedin_identity

LONGEST_TEXT = 2048
LONGEST_EMAIL = 254
LONGEST_DOMAIN = 253
LONGEST_LABEL = 63
LONGEST_COMPANY = 300
LONGEST_REASON = 1_000
_NOT_IN_ADDRESSES = frozenset("@/\\:;,<>()[]\"'`|=?#&%*!$^{}+~")
_NOT_IN_LOCAL_PARTS = frozenset('@\\:;,<>()[]"')


class SuppressionKind(StrEnum):
    """What an entry names. The words are those of the database and of the wire."""

    PERSON = "person"
    EMAIL = "email"
    EMAIL_DOMAIN = "email_domain"
    COMPANY = "company"


FIELDS: Mapping[str, SuppressionKind] = {
    "linkedinUrl": SuppressionKind.PERSON,
    "email": SuppressionKind.EMAIL,
    "emailDomain": SuppressionKind.EMAIL_DOMAIN,
    "company": SuppressionKind.COMPANY,
}
"""The four keys that an entry of a request can have; exactly one must be there."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One valid entry. ``value`` is what leads are matched with; of a person, before aliases are followed."""

    index: int
    kind: SuppressionKind
    value: str
    shown: str
    identity: Identity | None = None


@dataclass(frozen=True, slots=True)
class Rejection:
    """An entry that names nobody: a stable code for programs, a sentence for people."""

    index: int
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Suppression:
    """A row of the list: ``value`` is matched, ``shown`` is what the caller sent."""

    id: str
    kind: SuppressionKind
    value: str
    shown: str
    reason: str | None
    created_at: datetime


def match_values(
    identity_text: str | None, email: str | None, company: str | None
) -> list[tuple[SuppressionKind, str]]:
    """What entries would keep this lead out; any one does. Absent and unusable fields match nothing.

    ``identity_text`` is the canonical key (``slug:jane-smith``), None when the caller matches persons itself.
    An e-mail matches itself, its domain, and every domain above that.
    """
    found: list[tuple[SuppressionKind, str]] = []
    if identity_text is not None:
        found.append((SuppressionKind.PERSON, identity_text))
    if email is not None and (address := email_value(email)) is not None:
        found.append((SuppressionKind.EMAIL, address))
        found += [(SuppressionKind.EMAIL_DOMAIN, domain) for domain in _domains_of(address)]
    if company is not None and (name := company_value(company)) is not None:
        found.append((SuppressionKind.COMPANY, name))
    return found


def erased_digests(key: bytes, workspace_id: str, identity_text: str | None, email: str | None) -> list[str]:
    """What is kept of an erased person with this identity key and e-mail address: keyed hashes, in hexadecimal.

    Without the key they tell nothing, and those of two workspaces have nothing in common.
    """
    known = [] if identity_text is None else [identity_text]
    if email is not None and (address := email_value(email)) is not None:
        known.append(f"{SuppressionKind.EMAIL}:{address}")
    return [hmac.digest(key, f"{workspace_id}\n{text}".encode(), "sha256").hex() for text in known]


def _domains_of(address: str) -> list[str]:
    """``a@eu.example.com`` is in ``eu.example.com`` and ``example.com``."""
    labels = address.rpartition("@")[2].split(".")
    return [".".join(labels[start:]) for start in range(len(labels) - 1)]


def email_value(text: str) -> str | None:
    """Trimmed and lower-case, the domain in its Unicode form; None for what cannot be an address."""
    local, at, domain = text.strip().rpartition("@")
    if not local or not at or domain != domain.strip() or not _is_plain(local, _NOT_IN_LOCAL_PARTS):
        return None
    host = domain_value(domain)
    if host is None or len(local) + len(host) >= LONGEST_EMAIL:
        return None
    return f"{_folded(local)}@{host}"


def domain_value(text: str) -> str | None:
    """Trimmed, lower-case, in its Unicode form, without a leading ``@`` or a last dot; None for no domain.

    ``xn--bcher-kva.de`` and ``bücher.de`` are one domain; ``straße.de`` and ``strasse.de`` are two.
    """
    name = text.strip().removeprefix("@").removesuffix(".")
    if not name or len(name) > LONGEST_DOMAIN or not _is_plain(name, _NOT_IN_ADDRESSES):
        return None
    labels = [_unicode_label(label) for label in _folded(name).split(".")]
    if len(labels) < 2 or not all(0 < len(label) <= LONGEST_LABEL for label in labels):
        return None
    return ".".join(labels)


def company_value(text: str) -> str | None:
    """White space collapsed, case folded, in one Unicode form; None over 300 characters, or when nothing is to see."""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    name = " ".join(plain.split()).casefold()
    shows = any(character.isprintable() for character in name)
    return name if shows and len(name) <= LONGEST_COMPANY else None


def _folded(text: str) -> str:
    return text.lower() if text.isascii() else unicodedata.normalize("NFC", text.lower())


def _unicode_label(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return _folded(label.removeprefix("xn--").encode("ascii").decode("punycode"))
    except UnicodeError:
        return label


def _is_plain(text: str, refused: frozenset[str]) -> bool:
    return text.isprintable() and " " not in text and refused.isdisjoint(text)


def parse_entry(index: int, entry: Any) -> Entry | Rejection:
    """Judges one entry of a request; null counts as absent, and keys other than the four are ignored."""
    if not isinstance(entry, dict):
        return Rejection(index, "not_an_object", f"entries[{index}] must be an object")
    fields = cast(dict[str, Any], entry)
    given = {name: fields[name] for name in FIELDS if fields.get(name) is not None}
    if len(given) != 1:
        return Rejection(index, "not_one_key", f"expected exactly one of {', '.join(FIELDS)}")
    ((name, text),) = given.items()
    if not isinstance(text, str):
        return Rejection(index, "not_a_string", f"{name} must be a string")
    if len(text) > LONGEST_TEXT:
        return Rejection(index, "too_long", f"{name} is longer than {LONGEST_TEXT} characters")
    return _person(index, text) if name == "linkedinUrl" else _matched(index, name, text)


def _person(index: int, url: str) -> Entry | Rejection:
    identity = linkedin_identity(url)
    if not isinstance(identity, Identity):
        return Rejection(index, identity.code, identity.reason)
    return Entry(index, SuppressionKind.PERSON, identity.text, url, identity)


def _matched(index: int, name: str, text: str) -> Entry | Rejection:
    value, code, expected = _read(name, text)
    if value is None:
        return Rejection(index, code, f"{name} must be {expected}")
    return Entry(index, FIELDS[name], value, text)


def _read(name: str, text: str) -> tuple[str | None, str, str]:
    """The value or None, and with which code and words its absence is told."""
    if name == "email":
        return email_value(text), "invalid_email", "an e-mail address such as jane@example.com"
    if name == "emailDomain":
        return domain_value(text), "invalid_domain", "a domain such as example.com"
    return company_value(text), "invalid_company", f"a name of 1 to {LONGEST_COMPANY} characters"
