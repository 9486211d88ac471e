"""Where leads go when their deeds are over: gathered for many of one workspace, and written at once."""

from collections.abc import Mapping, Sequence, Set
from datetime import datetime
from typing import NamedTuple

import msgspec

from leadwright.campaigns.model import Counter
from leadwright.engine import calendar, lane_store, lanes, store
from leadwright.engine.batch import lane_kind
from leadwright.engine.courses import Route
from leadwright.engine.ledger import Ledger
from leadwright.engine.model import Rule, Status
from leadwright.engine.sequence import Sequence as Steps
from leadwright.engine.sequence import Step, StepType
from leadwright.engine.store import Mark, Place, Row
from leadwright.inbox import service as inbox
from leadwright.inbox.model import Pair
from leadwright.leads.progress import StatusChange
from leadwright.postgres.pool import Connection


class Standing(msgspec.Struct, frozen=True):
    """A lead at the end of a deed, with the status that it has by now."""

    row: Row
    campaign_id: str
    sender_id: str | None
    status: str
    simulated: bool = False


class _Stand(NamedTuple):
    """A step, since when the lead stands at it, and the version of the sequence that it is in."""

    step_id: str | None
    since: datetime
    version: int


class _Reached(msgspec.Struct, frozen=True):
    """A lead that has come to a message, to be sent once the person has accepted."""

    lead: Standing
    step: Step
    version: int


class _Move(msgspec.Struct, frozen=True):
    """A place whose lane is known by sender and kind, until all are."""

    place: Place
    lane: tuple[str | None, str]


class Movement:
    """Leads that the caller holds. Each is moved once. ``invited``: pairs that the same transaction found strangers."""

    def __init__(
        self,
        workspace_id: str,
        now: datetime,
        ledger: Ledger,
        routes: Mapping[str, Route],
        invited: Set[Pair] = frozenset(),
    ) -> None:
        self._workspace_id = workspace_id
        self._now = now
        self._ledger = ledger
        self._routes = routes
        self._invited = invited
        self._moves: dict[str, list[_Move]] = {}
        self._reached: list[_Reached] = []
        self._marks: list[Mark] = []

    def change(self, lead: Standing, after: str, step_id: str | None, reason: str | None = None) -> Standing:
        """Tells a change of status, and answers the lead as it is then."""
        self._ledger.change(
            StatusChange(
                lead.row.lead_id,
                lead.campaign_id,
                lead.row.linkedin_url,
                lead.status,
                after,
                lead.row.custom_status,
                step_id,
                lead.simulated,
                {"reason": reason} if reason else {},
            )
        )
        return Standing(lead.row, lead.campaign_id, lead.sender_id, after, lead.simulated)

    def follow(self, lead: Standing, step_id: str) -> None:
        """On to the step that follows, in the sequence as it is now; when none does, the lead is through."""
        found = self._following(lead, step_id)
        if found is None:
            self.finish(lead, Status.DONE)
            return
        step, version, left = found
        known_connected = left is StepType.MESSAGE
        if step.type is StepType.MESSAGE and not known_connected:
            self._reached.append(_Reached(lead, step, version))
        else:
            kind = lane_kind(step, own_zone=self._own_zone(lead))
            self._go(lead, step.id, version, kind, self._now + step.after)

    async def _await_acceptance(self, connection: Connection) -> None:
        """Leads whose message waits for the acceptance wait at once; the others are judged.

        None is missed: whoever tells an acceptance holds the lead too, so it was told before this reads, or finds the
        lead waiting. In a sequence that was edited the message may have been sent already, which is for judges to see.
        """
        pairs = [(each.lead.sender_id or "", each.lead.row.identity) for each in self._reached]
        unknown = [pair for pair in pairs if pair not in self._invited]
        known = await inbox.relationships(connection, self._workspace_id, unknown)
        for each, pair in zip(self._reached, pairs, strict=True):
            is_connected = pair in known and known[pair].connected_at is not None
            if is_connected or self._routes[each.lead.campaign_id].course.was_edited:
                self._go(each.lead, each.step.id, each.version, lanes.JUDGE, self._now)
            else:
                self._wait_for_acceptance(each)

    def _wait_for_acceptance(self, reached: _Reached) -> None:
        lead, step = reached.lead, reached.step
        rule = Rule.WAITING_FOR_ACCEPTANCE
        deadline = self._now + self._routes[lead.campaign_id].course.acceptance_timeout
        self._ledger.note(lead.row.lead_id, "held", step.id, {"rule": rule.value})
        self._go(lead, step.id, reached.version, lanes.JUDGE, deadline, rule)

    def _following(self, lead: Standing, step_id: str) -> tuple[Step, int, StepType | None] | None:
        route = self._routes[lead.campaign_id]
        for sequence, version in self._versions(route, lead.row):
            left = sequence.by_id(step_id)
            if left is not None:
                return None if left.next is None else (sequence.steps[left.next], version, left.type)
        return None

    @staticmethod
    def _versions(route: Route, row: Row) -> Sequence[tuple[Steps, int]]:
        """The present sequence, then the one that the lead stood in: for a step that an edit has taken out."""
        version = row.sequence_version or route.course.version
        earlier = route.earlier.get(version)
        present = (route.sequence, route.course.version)
        return [present] if earlier is None else [present, (earlier, version)]

    def _own_zone(self, lead: Standing) -> bool:
        schedule = self._routes[lead.campaign_id].course.schedule
        return schedule is not None and calendar.own_zone(lead.row.fields) is not None

    def finish(self, lead: Standing, status: str, reason: str | None = None) -> None:
        """The lead is through."""
        ended = self.change(lead, status, None, reason)
        self._ledger.count(lead.campaign_id, Counter.ACTIVE, -1)
        self._place(ended, lanes.JUDGE, state="done", due_at=self._now)

    def retry(self, lead: Standing, at: datetime) -> None:
        """The same step again, not before ``at``: to be planned anew."""
        route = self._routes[lead.campaign_id]
        step = route.step_of(lead.row)
        kind = lanes.JUDGE if step is None else lane_kind(step, own_zone=self._own_zone(lead))
        self._place(lead, kind, state="due", due_at=at)

    def stay(self, lead: Standing, rule: Rule | None) -> None:
        """The deed is not over yet: it goes on holding the lead."""
        self._place(lead, lanes.JUDGE, state="leased", due_at=self._now, rule=rule)

    def keep(self, lead: Standing) -> None:
        """Nothing moves, whatever was sent: the lead has been stopped, or stands at another step."""
        self._marks.append(Mark(lead.row.lead_id, lead.status, lead.row.contacted_at, lead.row.messages_sent))

    def _go(
        self, lead: Standing, step_id: str, version: int, kind: str, due_at: datetime, rule: Rule | None = None
    ) -> None:
        """To another step, which the lead reaches now."""
        self._put(lead, kind, _Stand(step_id, self._now, version), state="due", due_at=due_at, rule=rule)

    def _place(self, lead: Standing, kind: str, *, state: str, due_at: datetime, rule: Rule | None = None) -> None:
        """Where the lead is, at the step it stands at."""
        row = lead.row
        version = row.sequence_version or self._routes[lead.campaign_id].course.version
        at = _Stand(row.step_id, row.step_since or self._now, version)
        self._put(lead, kind, at, state=state, due_at=due_at, rule=rule)

    def _put(
        self, lead: Standing, kind: str, at: _Stand, *, state: str, due_at: datetime, rule: Rule | None = None
    ) -> None:
        row = lead.row
        place = Place(
            lead_id=row.lead_id,
            status=lead.status,
            state=state,
            step_id=at.step_id,
            step_since=at.since,
            sequence_version=at.version,
            sender_id=lead.sender_id,
            lane_id=0,
            due_at=due_at,
            hold_rule=rule,
            contacted_at=row.contacted_at,
            messages_sent=row.messages_sent,
        )
        self._moves.setdefault(lead.campaign_id, []).append(_Move(place, (lead.sender_id, kind)))

    async def write(self, connection: Connection) -> None:
        """Writes everything down: once, at the end."""
        if self._reached:
            await self._await_acceptance(connection)
        for campaign_id, moves in sorted(self._moves.items()):
            lane_ids = await lane_store.ensure(
                connection, self._workspace_id, campaign_id, [move.lane for move in moves]
            )
            for move in moves:
                move.place.lane_id = lane_ids[move.lane]
            places = [move.place for move in moves]
            await store.place(connection, self._workspace_id, campaign_id, places, self._now)
        if self._marks:
            await store.mark(connection, self._workspace_id, self._marks, self._now)
        await self._ledger.write(connection, self._now)
