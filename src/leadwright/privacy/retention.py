"""Forgetting by age what the settings say: a background duty that takes small bites and waits for nobody."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from leadwright.accounts import service as accounts
from leadwright.postgres.pool import Connection, Database
from leadwright.privacy import retention_store as store
from leadwright.settings import Settings

ROWS_AT_ONCE = 1_000

Forget = Callable[[Connection, datetime, int], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Days:
    """How many days each kind of record stays; None for ever."""

    history: int | None = None
    events: int | None = None
    messages: int | None = None
    imports: int | None = None
    audit: int | None = None

    @classmethod
    def of(cls, settings: Settings) -> "Days":
        return cls(
            settings.history_days,
            settings.event_days,
            settings.message_days,
            settings.import_days,
            settings.audit_days,
        )

    def wanted(self) -> list[tuple[int, Forget]]:
        """What is to be forgotten after how many days, and how."""
        by_kind: list[tuple[int | None, Forget]] = [
            (self.history, store.forget_history),
            (self.events, store.forget_events),
            (self.messages, store.forget_messages),
            (self.messages, store.forget_last_messages),
            (self.messages, store.forget_texts_of_deeds),
            (self.imports, store.forget_import_rows),
            (self.audit, accounts.forget_audit),
        ]
        return [(days, forget) for days, forget in by_kind if days is not None]


async def forget_old(database: Database, days: Days, now: datetime, *, rows: int = ROWS_AT_ONCE) -> bool:
    """One bite of each kind, each in a transaction of its own; whether there may be more.

    False also while another process has the duty. Rows that somebody else holds are left for the next round.
    """
    more = False
    for age, forget in days.wanted():
        async with database.transaction() as connection:
            if not await store.take_duty(connection):
                return False
            more |= await forget(connection, now - timedelta(days=age), rows) >= rows
    return more
