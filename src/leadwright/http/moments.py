"""Times as callers write them, with any offset; inside they are UTC, which PostgreSQL can store whatever the offset."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, Field

EARLIEST_DEED = datetime(1970, 1, 1, tzinfo=UTC)


def in_utc(moment: datetime) -> datetime:
    """Raises ValueError for a time that is in no year from 1 to 9999 of UTC."""
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("expected a time that is in a year from 1 to 9999 in UTC") from error


def _of_a_deed(moment: datetime) -> datetime:
    found = in_utc(moment)
    if found < EARLIEST_DEED:
        raise ValueError("expected a time from 1970 on")
    return found


Moment = Annotated[AwareDatetime, AfterValidator(in_utc)]
PastMoment = Annotated[AwareDatetime, AfterValidator(_of_a_deed), Field(examples=["2026-03-02T09:00:00.000Z"])]
"""When something was done. Steps count from it in any time zone, for which the first years have no room."""
