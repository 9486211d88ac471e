"""From what a caller sent to the path of a page on LinkedIn: edges, scheme, user-info, host and port."""

import re
import unicodedata

from leadwright.identity.model import RefusalCode, RefusedUrlError

# re.ASCII: without it [a-z] and "k" also match the Kelvin sign, the long s and the dotless i.
_FLAGS = re.IGNORECASE | re.ASCII

_PORT = r"\.?(?::(?:443|80)?)?"
_LINKEDIN_HOST = rf"(?:(?:www|m|touch|[a-z]{{2}})\.){{0,2}}linkedin\.com{_PORT}"
_LINKEDIN_PATH = re.compile(rf"(?:(?:https?:)?//)?{_LINKEDIN_HOST}(?![^/?#])([^?#]*)", _FLAGS)
_BARE_PATH = re.compile(r"/?(in(?![^/?#])[^?#]*)", _FLAGS)

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):(//)?", _FLAGS)
_AUTHORITY_END = re.compile(r"[/?#]")
_LINKEDIN = re.compile(_LINKEDIN_HOST, _FLAGS)
_SHORT_LINK = re.compile(rf"(?:www\.)?lnkd\.in{_PORT}", _FLAGS)
# The other three are the full stops that browsers read as a dot in a host.
_DOTTED = re.compile(r"\w[.\u3002\uff0e\uff61]\w")

_JOINERS = str.maketrans("", "", "\u200c\u200d")

# Nothing is seen of these either, though Unicode counts them among letters, marks and symbols: fillers, the blank
# Braille cell, the grapheme joiner, variation selectors.
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_SELECTORS = "\ufe0e\ufe0f"


def trimmed(text: str) -> str:
    """Without the white space and invisible format characters at both ends."""
    start, end = 0, len(text)
    while start < end and _is_invisible(text[start]):
        start += 1
    while start < end and _is_invisible(text[end - 1]) and not _selects(text, end - 1):
        end -= 1
    return text[start:end]


def _is_invisible(character: str) -> bool:
    if character.isprintable():
        return character == " " or _BLANK.match(character) is not None
    return character.isspace() or unicodedata.category(character) == "Cf"


def _selects(text: str, place: int) -> bool:
    """Whether this selector says how the symbol before it is drawn: part of a name, for names have emoji."""
    if text[place] not in _SELECTORS or place == 0:
        return False
    before = text[place - 1]
    is_keycap = before in "0123456789#*" and text[place + 1 : place + 2] == "\u20e3"
    return is_keycap or (not before.isascii() and unicodedata.category(before)[0] in "SP")


def is_visible(text: str) -> bool:
    """Whether nothing in it is white space, blank, control, format, surrogate, private or unassigned.

    The two joiners pass: Persian and Indic words are spelled with them. Unassigned code points do not,
    so no key changes when a later Unicode gives one of them a lower case.
    """
    if text.isascii():
        return " " not in text and text.isprintable()
    blank = next((found for found in _BLANK.finditer(text) if not _selects(text, found.start())), None)
    return blank is None and " " not in text and text.translate(_JOINERS).isprintable()


def profile_path(text: str) -> str:
    """The path, beginning with `/` or empty, still percent-encoded, of an address on LinkedIn.

    Raises RefusedUrlError when the text is no such address.
    """
    if found := _LINKEDIN_PATH.match(text):
        return found[1]
    if found := _BARE_PATH.match(text):
        return f"/{found[1]}"
    raise RefusedUrlError(_refusal(text))


def _refusal(text: str) -> RefusalCode:
    """Why a text is no address on LinkedIn."""
    if text.startswith("//"):
        return _refusal_of_authority(_authority(text[2:]))
    scheme = _SCHEME.match(text)
    if scheme is not None and scheme[2]:
        if scheme[1].lower() not in ("http", "https"):
            return RefusalCode.BAD_SCHEME
        return _refusal_of_authority(_authority(text[scheme.end() :]))
    # "example.com:443/in/…" begins like a scheme; no scheme in use has a dot.
    if scheme is not None and "." not in scheme[1]:
        return _refusal_of_lone_scheme(scheme[1].lower(), text)
    return _refusal_without_scheme(text)


def _authority(address: str) -> str:
    return _AUTHORITY_END.split(address, maxsplit=1)[0]


def _refusal_of_authority(authority: str) -> RefusalCode:
    """Of what stands between the two slashes and the path."""
    if not authority:
        return RefusalCode.NOT_A_URL
    if "\\" in authority or not is_visible(authority):
        return RefusalCode.BAD_CHARACTER
    if "@" in authority:
        return RefusalCode.USERINFO
    return RefusalCode.SHORT_LINK if _SHORT_LINK.fullmatch(authority) else RefusalCode.WRONG_HOST


def _refusal_of_lone_scheme(scheme: str, text: str) -> RefusalCode:
    """Of `word:` without the two slashes: `mailto:…`, `urn:…`, `https:/…`, or a user name and password."""
    authority = _authority(text)
    if "@" in authority and authority != text and _LINKEDIN.fullmatch(authority.rpartition("@")[2]):
        return RefusalCode.USERINFO
    if scheme in ("http", "https"):
        slashes = text[len(scheme) + 1 :][:2]
        return RefusalCode.BAD_CHARACTER if "\\" in slashes else RefusalCode.NOT_A_URL
    return RefusalCode.NOT_A_URL if scheme == "urn" else RefusalCode.BAD_SCHEME


def _refusal_without_scheme(text: str) -> RefusalCode:
    authority = _authority(text)
    if _LINKEDIN.fullmatch(authority.partition("\\")[0]):
        return RefusalCode.BAD_CHARACTER
    is_mail_address = "@" in authority and authority == text
    if is_mail_address or not _DOTTED.search(authority) or not is_visible(authority):
        return RefusalCode.NOT_A_URL
    return _refusal_of_authority(authority)
