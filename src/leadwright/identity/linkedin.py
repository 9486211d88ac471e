"""linkedin_identity(): the one door of this room, with a short cut for the most frequent addresses."""

import re
from typing import cast

from leadwright.identity.address import profile_path, trimmed
from leadwright.identity.model import (
    MAX_URL_CHARACTERS,
    REFUSALS,
    Identity,
    IdentityKind,
    Refusal,
    RefusalCode,
    RefusedUrlError,
)
from leadwright.identity.person import person_at

_COMMON = re.compile(
    r"(?:https?://)?(?:www\.|[a-z]{2}\.)?linkedin\.com/in/(?!AC[owr]AA)([A-Za-z0-9_-]+)/?(?:\?[!-~]*)?"
)


def linkedin_identity(url: object) -> Identity | Refusal:
    """Who an address names. Never raises, whatever it is given; docs/guides/identity.md has the rules."""
    if type(url) is str and (common := common_identity(url)):
        return common
    return general_identity(url)


def common_identity(url: str) -> Identity | None:
    """What `general_identity` says of an ASCII profile address; None leaves the address to it."""
    found = _COMMON.fullmatch(url)
    if found is None or len(url) > MAX_URL_CHARACTERS:
        return None
    slug = found[1].lower()
    return None if slug in ("unavailable", "me") else Identity(IdentityKind.SLUG, slug)


def general_identity(url: object) -> Identity | Refusal:
    """Every rule for every input; what `linkedin_identity` says, without the short cut."""
    # Not isinstance(): it asks the object for its __class__, which may raise.
    if not issubclass(type(url), str):
        return REFUSALS[RefusalCode.NOT_A_STRING]
    try:
        return _read(str.__str__(cast(str, url)))
    except RefusedUrlError as refused:
        return REFUSALS[refused.code]


def _read(url: str) -> Identity:
    if len(url) > MAX_URL_CHARACTERS:
        raise RefusedUrlError(RefusalCode.TOO_LONG)
    text = trimmed(url)
    if not text:
        raise RefusedUrlError(RefusalCode.EMPTY)
    return person_at(profile_path(text), text)
