"""What the senders of one planning transaction may still do, handed out to leads."""

from collections import Counter as Tally
from collections.abc import Iterable, Sequence
from datetime import datetime

from leadwright.engine.store import Row
from leadwright.postgres.pool import Connection
from leadwright.senders import quotas
from leadwright.senders.limits import QuotaKind
from leadwright.senders.model import Sender
from leadwright.senders.quotas import Room, Taken
from leadwright.templates import seed_of


class Allotment:
    """``hold`` locks what there is, ``use`` hands it out, ``write`` takes what was handed out."""

    def __init__(self, workspace_id: str, now: datetime) -> None:
        self._workspace_id = workspace_id
        self._now = now
        self._rooms: dict[tuple[str, QuotaKind], Room] = {}
        self._used: Tally[tuple[str, QuotaKind]] = Tally()
        self._paced: dict[str, datetime] = {}

    async def hold(self, connection: Connection, wanted: Iterable[tuple[Sender, QuotaKind, int]]) -> None:
        self._rooms.update(await quotas.hold(connection, self._workspace_id, wanted, self._now))

    def left(self, sender_id: str, kind: QuotaKind) -> int:
        room = self._rooms.get((sender_id, kind))
        return 0 if room is None else room.granted - self._used[sender_id, kind]

    def use(self, sender_id: str, kind: QuotaKind) -> Sequence[Taken] | None:
        """What one deed takes; None when there is no room for it, or none was held."""
        if self.left(sender_id, kind) <= 0:
            return None
        self._used[sender_id, kind] += 1
        return self._rooms[sender_id, kind].taken

    def spread(
        self, rows: Sequence[Row], senders: Sequence[Sender], kind: QuotaKind | None
    ) -> list[tuple[Row, Sender]]:
        """A sender for each lead, while there is one with room; always the one with the most, chance decides ties."""
        if kind is None:
            return [(row, senders[seed_of(row.lead_id, "sender") % len(senders)]) for row in rows]
        left = {sender.id: self.left(sender.id, kind) for sender in senders}
        assigned: list[tuple[Row, Sender]] = []
        for row in rows:
            chosen = max(senders, key=lambda sender: (left[sender.id], seed_of(row.lead_id, sender.id)))
            if left[chosen.id] <= 0:
                break
            left[chosen.id] -= 1
            assigned.append((row, chosen))
        return assigned

    async def write(self, connection: Connection) -> None:
        """Takes what was used, in the transaction that plans the deeds."""
        used = [(self._rooms[key], count) for key, count in self._used.items()]
        self._paced.update(await quotas.take(connection, self._workspace_id, used, self._now))

    def next_at(self, sender_id: str, kind: QuotaKind) -> datetime | None:
        """When the sender may do more of the kind, after ``write``; None: at once."""
        room = self._rooms.get((sender_id, kind))
        if room is None or self.left(sender_id, kind) > 0:
            return None
        if room.next_at is None:
            return self._paced.get(sender_id)
        return max(room.next_at, self._paced.get(sender_id, room.next_at))
