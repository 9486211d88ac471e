"""Trying an add call: the very same path, undone at its end, with warnings about what the templates would lack."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from leadwright import ids
from leadwright.campaigns import service as campaigns
from leadwright.leads import service
from leadwright.leads.model import NewLead, parse_row
from leadwright.leads.wire import AddLeads
from leadwright.postgres.pool import Connection


@dataclass(frozen=True, slots=True)
class Lack:
    """A step needs a field that these rows do not have, and has no fallback for it."""

    step_id: str
    field: str
    rows: tuple[int, ...]
