"""What keeps a campaign from working: asked before it is started, and of an edit of one that was."""

from collections.abc import Sequence

from leadwright.campaigns.model import Campaign, Settings, Status
from leadwright.engine.hands import hands
from leadwright.engine.readiness import Obstacle, obstacles
from leadwright.errors import Detail, InvalidRequest
from leadwright.postgres.pool import Connection

_INVALID_ACTION = "Invalid action or campaign state"
_WORKED_BY = ("sequence", "sender_ids", "schedule")


async def in_the_way(connection: Connection, workspace_id: str, settings: Settings) -> list[Obstacle]:
    """Everything that does."""
    return obstacles(settings.sequence, await hands(connection, workspace_id, settings.sender_ids), settings.schedule)


async def require_ready(connection: Connection, workspace_id: str, settings: Settings) -> None:
    """Raises InvalidRequest when anything does."""
    if found := await in_the_way(connection, workspace_id, settings):
        raise _cannot_work(found)


async def require_still_working(connection: Connection, workspace_id: str, campaign: Campaign, after: Settings) -> None:
    """Raises InvalidRequest for an edit that takes away every step of what is no draft, and for one that newly keeps
    a started campaign from working: what was in the way before may be mended bit by bit."""
    before = campaign.settings
    if campaign.status is Status.DRAFT or all(getattr(before, name) == getattr(after, name) for name in _WORKED_BY):
        return
    if before.sequence != after.sequence and not after.sequence["steps"]:
        message = f"expected at least one step, since the campaign is {campaign.status}"
        raise InvalidRequest.of([Detail("sequence", message)])
    if campaign.status is Status.STARTED:
        known = {each.message for each in await in_the_way(connection, workspace_id, before)}
        found = [each for each in await in_the_way(connection, workspace_id, after) if each.message not in known]
        if found:
            raise InvalidRequest.of(_details(found))


def invalid_action(reason: str) -> InvalidRequest:
    """The sentence that clients know; what was wrong in particular stands in the details."""
    details = [Detail("action", reason)]
    return InvalidRequest(_INVALID_ACTION, code="invalid_campaign_action", details=details)


def _cannot_work(found: Sequence[Obstacle]) -> InvalidRequest:
    """The sentence goes on with the first thing in the way: clients show it to people, and few show the details."""
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    message = f"{_INVALID_ACTION}: {found[0].message}{more}"
    return InvalidRequest(message, code="invalid_campaign_action", details=_details(found))


def _details(found: Sequence[Obstacle]) -> list[Detail]:
    return [Detail(each.path, each.message) for each in found]
