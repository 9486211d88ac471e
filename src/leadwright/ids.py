"""Ids: random UUIDs whose first 48 bits are a time, shown with a prefix that says what they name.

Inside the program and in the database an id is bare: 32 lower-case hexadecimal characters. Only the wire shows
the prefix. Time-ordered ids keep the B-trees dense; 62 random bits (RFC 9562, version 7) keep them unguessable.
"""

import os
import re
import time
from datetime import datetime
from enum import StrEnum


class Prefix(StrEnum):
    WORKSPACE = "ws"
    API_KEY = "key"
    CAMPAIGN = "camp"
    LEAD = "lead"
    IMPORT = "imp"
    SENDER = "sender"
    EVENT = "evt"
    SUPPRESSION = "supp"
    WEBHOOK = "wh"
    DELIVERY = "dlv"
    MESSAGE = "msg"
    CONVERSATION = "conv"
    CONNECTION = "conn"
    TASK = "task"
    ACTION = "act"
    REQUEST = "req"


MOST_AT_ONCE = 0x1000 - 0xFF
"""A 12-bit counter that starts anywhere in its first sixteenth counts so far."""
_BARE = re.compile(r"[0-9a-f]{32}")


def new_id() -> str:
    """A bare id: UUID version 7 as 32 hexadecimal characters."""
    return new_ids(1)[0]


def new_ids(count: int) -> list[str]:
    """``count`` bare ids, ascending in the order of the list (one millisecond, a 12-bit counter, 62 random bits).

    Raises ValueError for more than MOST_AT_ONCE.
    """
    if count > MOST_AT_ONCE:
        raise ValueError(f"at most {MOST_AT_ONCE} ids can be made at once")
    if count < 1:
        return []
    moment = f"{time.time_ns() // 1_000_000:012x}"
    noise = os.urandom(10 * count).hex()
    first = int(noise[:2], 16)
    return [
        f"{moment}7{first + i:03x}{_VARIANT[noise[20 * i + 2]]}{noise[20 * i + 3 : 20 * i + 18]}" for i in range(count)
    ]


_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


def least_at(moment: datetime, *, seconds: int = 0) -> str:
    """Not above any bare id that is made at a time, so many seconds later, or after that."""
    return f"{max(0, int(moment.timestamp() * 1000) + 1000 * seconds):012x}7{0:019x}"


def public(prefix: Prefix, bare: str) -> str:
    """The id as the wire shows it, for example ``lead_0199…``."""
    return prefix + "_" + bare


def bare(prefix: Prefix, text: object) -> str | None:
    """The bare id in a wire id, or None when the text cannot be an id of that kind (an unknown id, to a caller)."""
    if not isinstance(text, str) or not text.startswith(prefix.value + "_"):
        return None
    rest = text[len(prefix.value) + 1 :]
    return rest if _BARE.fullmatch(rest) else None
