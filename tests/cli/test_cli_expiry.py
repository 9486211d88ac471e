"""When a key ends."""

from datetime import UTC, datetime, timedelta

import pytest

from leadwright.cli.expiry import read_expiry

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("30d", NOW + timedelta(days=30)),
        ("12h", NOW + timedelta(hours=12)),
        ("2w", NOW + timedelta(weeks=2)),
        (" 90m ", NOW + timedelta(minutes=90)),
        ("2030-12-31", datetime(2030, 12, 31, tzinfo=UTC)),
        ("2030-12-31T18:00:00", datetime(2030, 12, 31, 18, tzinfo=UTC)),
        ("2030-12-31T18:00:00Z", datetime(2030, 12, 31, 18, tzinfo=UTC)),
        ("2030-12-31T18:00:00+02:00", datetime(2030, 12, 31, 16, tzinfo=UTC)),
    ],
)
def test_what_is_understood(text: str, moment: datetime) -> None:
    assert read_expiry(text, NOW) == moment


@pytest.mark.parametrize("text", ["", "never", "30", "d", "-1d", "1.5h", "999999w", "2030-13-01", "9999999d"])
def test_what_is_not(text: str) -> None:
    with pytest.raises(ValueError, match="expected a span such as 30d"):
        read_expiry(text, NOW)
