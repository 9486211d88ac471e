"""The two signatures that every delivery carries, so that each known kind of receiver accepts it.

``Webhook-Signature: t=<seconds>,s=<hex>`` is keyed with the secret as it is written, over ``<t>.<body>``. The ``svix-``
headers are keyed with the bytes that the secret's base64 stands for, over ``<id>.<t>.<body>``.
"""

import base64
import hashlib
import hmac
import secrets
from typing import Literal

SECRET_PREFIX = "whsec_"  # noqa: S105 -- how secrets begin, not one
_SECRET_BYTES = 32

Which = Literal["current", "previous"]


def new_secret() -> str:
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


class Signer:
    """Signs with one secret, or while it is being rotated with two. The keyed states are made once."""

    def __init__(self, secret: str, previous: str | None = None) -> None:
        self._literal = {"current": _keyed(secret.encode())}
        self._decoded = [_keyed(_decoded(secret))]
        if previous is not None:
            self._literal["previous"] = _keyed(previous.encode())
            self._decoded.append(_keyed(_decoded(previous)))

    @property
    def rotating(self) -> bool:
        return len(self._decoded) > 1

    def headers(self, event_id: str, body: bytes, timestamp: int, *, primary: Which = "current") -> dict[str, str]:
        """``primary``: the secret of ``Webhook-Signature``, which holds one only, since parsers disagree on which of
        two they read. ``svix-signature`` holds one of each secret. ``timestamp`` in Unix seconds."""
        stamp = str(timestamp)
        signed = b"%b.%b" % (stamp.encode(), body)
        literal = _mac(self._literal.get(primary, self._literal["current"]), signed).hex()
        with_id = b"%b.%b" % (event_id.encode(), signed)
        decoded = " ".join(f"v1,{base64.b64encode(_mac(key, with_id)).decode()}" for key in self._decoded)
        return {
            "Webhook-Signature": f"t={stamp},s={literal}",
            "svix-id": event_id,
            "svix-timestamp": stamp,
            "svix-signature": decoded,
        }


def _keyed(key: bytes) -> "hmac.HMAC":
    return hmac.new(key, digestmod=hashlib.sha256)


def _mac(keyed: "hmac.HMAC", signed: bytes) -> bytes:
    copy = keyed.copy()
    copy.update(signed)
    return copy.digest()


def _decoded(secret: str) -> bytes:
    """The bytes that svix libraries take for the key. Text that is no base64 stands for itself."""
    text = secret.removeprefix(SECRET_PREFIX)
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return text.encode()
