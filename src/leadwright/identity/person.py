"""From the path of a page on LinkedIn to the person it shows: slug, token or old public address."""

import re
import unicodedata
from urllib.parse import unquote, unquote_to_bytes

from leadwright.identity.address import is_visible
from leadwright.identity.model import MAX_KEY_BYTES, Identity, IdentityKind, RefusalCode, RefusedUrlError

# Sections are dropped, so nothing in the path may step back out of them: /in/john/../jane is Jane.
_UNSAFE_PATH = re.compile(r"\\|%5c|%2f|/(?:\.|%2e){1,2}(?:/|$)", re.IGNORECASE | re.ASCII)

# An encoded one would end the name in the address that is made of the key, or step out of it.
_SEPARATORS = re.compile(r"[/\\]")
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")

_TOKEN = re.compile(r"AC[owr]AA[A-Za-z0-9_-]*")
_TOKEN_PREFIXES = ("ACoAA", "ACwAA", "ACrAA")
_HEXADECIMAL = re.compile(r"[0-9a-f]+")

_JOINERS = ("\u200c", "\u200d")

# LinkedIn's light mobile site and the links in its mails: the same pages under a prefix.
_PAGE_PREFIXES = ("mwlite", "comm")


def person_at(path: str, url: str) -> Identity:
    """The person of a path on LinkedIn; `url` is the whole address, whose every character must be visible.

    Raises RefusedUrlError when the page is not a person's or the key cannot be one.
    """
    page, segments = _page(path)
    if not is_visible(url) or _UNSAFE_PATH.search(path):
        raise RefusedUrlError(RefusalCode.BAD_CHARACTER)
    if not segments or not segments[0]:
        raise RefusedUrlError(RefusalCode.EMPTY_SLUG)
    if page == "in":
        return _profile(_decoded(segments[0]))
    if page == "sales":
        return _sales_lead(_decoded(segments[0]))
    return _public_profile([_decoded(segment) for segment in segments[:4]])


def _page(path: str) -> tuple[str, list[str]]:
    """The word that tells what kind of page it is, and the raw segments that follow."""
    segments = path.split("/")[1:]
    page = _word(segments)
    if page in _PAGE_PREFIXES:
        segments = segments[1:]
        page = _word(segments)
    if page in ("in", "pub"):
        return page, segments[1:]
    if page == "sales" and _word(segments[1:]) in ("lead", "people"):
        return page, segments[2:]
    raise RefusedUrlError(RefusalCode.NOT_A_PERSON)


def _word(segments: list[str]) -> str:
    """The first segment as a word of the site's own, empty when there is none."""
    word = segments[0] if segments else ""
    return (unquote(word) if "%" in word else word).lower()


def _decoded(segment: str) -> str:
    """Percent-decoded once. Raises for broken escapes, invalid UTF-8 and what no key may hold."""
    if _BROKEN_ESCAPE.search(segment):
        raise RefusedUrlError(RefusalCode.BAD_CHARACTER)
    try:
        text = unquote_to_bytes(segment).decode() if "%" in segment else segment
    except UnicodeError:
        raise RefusedUrlError(RefusalCode.BAD_CHARACTER) from None
    if _SEPARATORS.search(text) or not is_visible(text) or text.startswith(_JOINERS) or text.endswith(_JOINERS):
        raise RefusedUrlError(RefusalCode.BAD_CHARACTER)
    return text


def _profile(name: str) -> Identity:
    if name.startswith(_TOKEN_PREFIXES):
        return _token(IdentityKind.MEMBER_TOKEN, name)
    slug = _folded(name)
    if slug == "unavailable":
        raise RefusedUrlError(RefusalCode.UNAVAILABLE)
    if slug == "me":  # whoever is looking: each reader would be another person
        raise RefusedUrlError(RefusalCode.NOT_A_PERSON)
    return _identity(IdentityKind.SLUG, slug)


def _sales_lead(name: str) -> Identity:
    if name.startswith(_TOKEN_PREFIXES):
        return _token(IdentityKind.SALES_TOKEN, name)
    is_empty = name.startswith(",")
    raise RefusedUrlError(RefusalCode.EMPTY_SLUG if is_empty else RefusalCode.NOT_A_PERSON)


def _token(kind: IdentityKind, name: str) -> Identity:
    token = name.partition(",")[0]
    if not _TOKEN.fullmatch(token):
        raise RefusedUrlError(RefusalCode.BAD_CHARACTER)
    return _identity(kind, token)


def _public_profile(segments: list[str]) -> Identity:
    """Of the name and the three numbers of `/pub/name/a/b/c`."""
    name, *numbers = (_folded(segment) for segment in segments)
    if name == "dir" or len(numbers) < 3 or not all(_HEXADECIMAL.fullmatch(number) for number in numbers):
        raise RefusedUrlError(RefusalCode.NOT_A_PERSON)
    a, b, c = numbers
    if (len(a), len(b), len(c)) == (2, 3, 3):
        return _identity(IdentityKind.SLUG, f"{name}-{c}{b}{a}")
    return _identity(IdentityKind.PUB, f"{name}/{a}/{b}/{c}")


def _folded(text: str) -> str:
    """Lower case, not case folding: `strauß` and `strauss` are two people."""
    return unicodedata.normalize("NFC", text.lower())


def _identity(kind: IdentityKind, key: str) -> Identity:
    if len(key) * 4 > MAX_KEY_BYTES and len(key.encode()) > MAX_KEY_BYTES:
        raise RefusedUrlError(RefusalCode.TOO_LONG)
    return Identity(kind, key)
