"""When a key ends, as a person writes it: a date, a moment, or a span from now; pure."""

import re
from datetime import UTC, datetime, timedelta

_SPAN = re.compile(r"(\d{1,6})([wdhm])")
_UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes"}
EXPECTED = "expected a span such as 30d, 12h or 2w, or a date such as 2030-12-31 or 2030-12-31T18:00:00Z"


def read_expiry(text: str, now: datetime) -> datetime:
    """Without a zone it is UTC; a date alone is its beginning. Raises ValueError saying what was expected."""
    span = _SPAN.fullmatch(text.strip())
    try:
        if span:
            return now + timedelta(**{_UNITS[span[2]]: int(span[1])})
        moment = datetime.fromisoformat(text.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(EXPECTED) from error
