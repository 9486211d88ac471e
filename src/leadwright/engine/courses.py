"""Campaigns as leads walk through them: settings, compiled sequences, and where an edit leaves a lead."""

from collections import OrderedDict
from dataclasses import dataclass

from leadwright.engine import store
from leadwright.engine.model import Policy
from leadwright.engine.sequence import Sequence, Step, parse_sequence, position_after_edit
from leadwright.engine.store import Course, Row
from leadwright.postgres.pool import Connection

KEPT_SEQUENCES = 500


@dataclass(frozen=True, slots=True)
class Route:
    """A campaign's course with its present sequence, and the versions that the leads at hand stand in."""

    course: Course
    sequence: Sequence
    earlier: dict[int, Sequence]

    @property
    def policy(self) -> Policy:
        return Policy(self.course.skips_missing, self.course.acceptance_timeout)

    def step_of(self, row: Row) -> Step | None:
        """The step a lead stands at, which an edit may have moved; None when it is through."""
        if row.step_id is None:
            return self.sequence.start
        old = self.earlier.get(row.sequence_version or self.course.version)
        if old is None or old.by_id(row.step_id) is None:
            return self.sequence.by_id(row.step_id)
        return position_after_edit(old, row.step_id, self.sequence)


class Sequences:
    """Compiled sequences of one process, the most recently used kept. A version never changes, so none goes stale."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, int], Sequence] = OrderedDict()

    async def version(self, connection: Connection, workspace_id: str, campaign_id: str, version: int) -> Sequence:
        key = (campaign_id, version)
        found = self._kept.get(key)
        if found is None:
            source = await store.sequence_source(connection, workspace_id, campaign_id, version)
            found = self._kept[key] = parse_sequence(source)
            if len(self._kept) > KEPT_SEQUENCES:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return found

    async def route(self, connection: Connection, workspace_id: str, course: Course, rows: list[Row]) -> Route:
        """The way of a campaign for these leads."""
        versions = {row.sequence_version for row in rows if row.sequence_version is not None} - {course.version}
        earlier = {
            version: await self.version(connection, workspace_id, course.id, version) for version in sorted(versions)
        }
        present = await self.version(connection, workspace_id, course.id, course.version)
        return Route(course, present, earlier)
