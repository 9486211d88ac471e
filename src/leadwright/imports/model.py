"""What is known of one add call and of its rows; pure."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Import:
    """The counters of one add call: ``received`` is the sum of the other four."""

    id: str
    campaign_id: str
    api_key_id: str
    received: int
    added: int
    updated: int
    duplicates: int
    invalid: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class RowOutcome:
    """A row that was not added. ``lead_id`` is the lead that its person is, if there is one now.

    Of an invalid row only its place and its fault are kept: its address may be a person's whom erasing cannot find.
    """

    row_index: int
    outcome: str
    code: str | None
    identity_key: str | None
    lead_id: str | None
