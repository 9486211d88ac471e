"""Finding the record of an add call."""

from leadwright.campaigns import service as campaigns
from leadwright.errors import NotFound
from leadwright.imports import store
from leadwright.imports.model import Import, RowOutcome
from leadwright.pages import Page
from leadwright.postgres.counting import Total
from leadwright.postgres.pool import Connection


async def read(connection: Connection, workspace_id: str, import_id: str | None) -> tuple[Import, list[RowOutcome]]:
    """Raises NotFound."""
    found = await store.one(connection, workspace_id, import_id) if import_id else None
    if found is None:
        raise NotFound("Import not found", code="import_not_found")
    return found, await store.outcomes(connection, workspace_id, found)


async def page(
    connection: Connection, workspace_id: str, campaign_id: str | None, page: Page
) -> tuple[list[Import], Total]:
    """One import more than the page shows, when there is one, and how many there are.

    Raises NotFound for an unknown campaign.
    """
    if campaign_id is not None and not await campaigns.exists(connection, workspace_id, campaign_id):
        raise campaigns.not_found()
    fetched = await store.page(
        connection, workspace_id, campaign_id, after=page.after, offset=page.offset, limit=page.fetch
    )
    return fetched, await store.count(connection, workspace_id, campaign_id)
