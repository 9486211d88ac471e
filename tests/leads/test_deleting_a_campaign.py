"""A campaign's leads go in pieces and all at once: until the commit everything is there, after it nothing."""

import pytest

from leadwright import ids
from leadwright.leads import deletion_store


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deletion_store, "DELETED_AT_ONCE", 3)


async def left(database, campaign: str) -> list[int]:
    bare = ids.bare(ids.Prefix.CAMPAIGN, campaign)
    async with database.session() as connection:
        cursor = await connection.execute(
            """
            SELECT (SELECT count(*) FROM lead WHERE campaign_id = %(id)s),
                   (SELECT count(*) FROM enrolment WHERE campaign_id = %(id)s),
                   (SELECT count(*) FROM lead_import WHERE campaign_id = %(id)s),
                   (SELECT count(*) FROM lead_import_outcome o WHERE NOT EXISTS (
                        SELECT FROM lead_import i WHERE i.id = o.import_id)),
                   (SELECT count(*) FROM history h WHERE NOT EXISTS (SELECT FROM lead l WHERE l.id = h.lead_id))
            """,
            {"id": bare},
        )
        return list(await cursor.fetchone() or ())


async def fill(client, add, campaign: str) -> None:
    """Ten leads in ten imports with a duplicate each, four of them with an enrolment and a history."""
    for number in range(10):
        await add(campaign, [f"in/person-{number}", f"in/person-{number}"])
    listed = (await client.get(f"/v1/leads?campaignId={campaign}")).json()["leads"]
    for lead in listed[::3]:
        answer = await client.patch(f"/v1/leads/{lead['id']}/status", json={"status": "DONE"})
        assert answer.status_code == 200


async def test_every_row_goes_and_other_campaigns_keep_theirs(client, database, make_campaign, add):
    doomed, kept = await make_campaign(), await make_campaign()
    for campaign in (doomed, kept):
        await fill(client, add, campaign)
    assert await left(database, doomed) == await left(database, kept) == [10, 4, 10, 0, 0]
    assert (await client.delete(f"/v1/campaigns/{doomed}")).status_code == 200
    assert await left(database, doomed) == [0, 0, 0, 0, 0]
    assert await left(database, kept) == [10, 4, 10, 0, 0]


async def test_one_that_is_interrupted_leaves_everything(client, database, workspace, campaign, add):
    await fill(client, add, campaign)
    bare = ids.bare(ids.Prefix.CAMPAIGN, campaign)
    async with database.session() as connection:
        await connection.execute("BEGIN")
        await deletion_store.delete_of_campaign(connection, workspace.id, bare)
        cursor = await connection.execute("SELECT count(*) FROM lead WHERE campaign_id = %s", (bare,))
        assert await cursor.fetchone() == (0,)
        assert (await left(database, campaign))[0] == 10
        await connection.execute("ROLLBACK")
    assert await left(database, campaign) == [10, 4, 10, 0, 0]
