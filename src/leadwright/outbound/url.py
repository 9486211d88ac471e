"""What a URL must look like before anything is sent there; pure: names are resolved only when connecting."""

import re
from ipaddress import IPv4Address, ip_address
from urllib.parse import SplitResult, urlsplit

from leadwright.outbound.addresses import Address, refusal
from leadwright.outbound.allowed import AllowedHosts

LONGEST_URL = 2048
_LOCAL_NAMES = ("localhost", "local", "internal", "localdomain", "home.arpa")
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")


class UrlRefused(ValueError):
    """``code`` is a stable word; the sentence says what was expected."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def check_url(url: str, allowed: AllowedHosts) -> None:
    """Raises UrlRefused for a URL that nothing may be sent to. One that names a host may still resolve to anywhere:
    that is looked at when connecting, each time."""
    parts = _split(url)
    host = parts.hostname or ""
    named = allowed.permits_host(host)
    if parts.scheme == "http" and not named:
        raise UrlRefused("https_required", "expected an https address")
    address = address_in(host)
    if named:
        return
    if address is not None:
        why = refusal(address)
        if why is not None and not allowed.permits_address(address):
            raise UrlRefused("address_refused", f"{host} is not a public address ({why})")
        return
    _check_name(host)


def same_origin(one: str, other: str) -> bool:
    """Whether what is sent to the one reaches whoever gets what is sent to the other: scheme, host and port agree."""
    return _origin(one) == _origin(other)


def _origin(url: str) -> tuple[str, str | None, int]:
    parts = _split(url)
    return parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)


def _split(url: str) -> SplitResult:
    if len(url) > LONGEST_URL:
        raise UrlRefused("url_too_long", f"expected at most {LONGEST_URL} characters")
    if not url.isprintable() or " " in url or "\\" in url:
        raise UrlRefused("url_malformed", "expected an address without spaces, backslashes or control characters")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise UrlRefused("url_malformed", "expected an address such as https://example.com/hooks") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise UrlRefused("url_malformed", "expected an address such as https://example.com/hooks")
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        raise UrlRefused("userinfo", "expected an address without a user name or password; use a header for those")
    if parts.fragment or url.endswith("#"):
        raise UrlRefused("url_malformed", "expected an address without a #fragment")
    return parts


def address_in(host: str) -> Address | None:
    """The address that a host is, in any spelling that a resolver would take: ``0x7f.1`` and ``2130706433`` too."""
    bare = host.strip("[]").rstrip(".").partition("%")[0]
    try:
        return ip_address(bare)
    except ValueError:
        return _spelled_v4(bare.lower())


def _spelled_v4(host: str) -> IPv4Address | None:
    """One to four numbers, decimal, octal or hexadecimal; the last one fills what is left (inet_aton)."""
    parts = host.split(".")
    if not 1 <= len(parts) <= 4 or not all(_NUMBER.fullmatch(part) for part in parts):
        return None
    try:
        numbers = [_number(part) for part in parts]
    except ValueError:
        return None
    if any(number > 255 for number in numbers[:-1]) or numbers[-1] >= 256 ** (5 - len(numbers)):
        return None
    value = numbers[-1]
    for place, number in enumerate(numbers[:-1]):
        value += number << (8 * (3 - place))
    return IPv4Address(value)


def _number(text: str) -> int:
    if text.startswith("0x"):
        return int(text[2:] or "0", 16)
    return int(text, 8) if len(text) > 1 and text.startswith("0") else int(text)


def _check_name(host: str) -> None:
    name = host.rstrip(".").lower()
    try:
        ascii_name = name.encode("idna").decode() if not name.isascii() else name
    except UnicodeError:
        raise UrlRefused("url_malformed", f"'{host}' is not a host name") from None
    labels = ascii_name.split(".")
    if len(ascii_name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise UrlRefused("url_malformed", f"'{host}' is not a host name")
    if len(labels) == 1 or any(ascii_name == local or ascii_name.endswith(f".{local}") for local in _LOCAL_NAMES):
        raise UrlRefused("address_refused", f"'{host}' is a name of a local network")
    if labels[-1].isdigit():
        raise UrlRefused("address_refused", f"'{host}' is not an address")
