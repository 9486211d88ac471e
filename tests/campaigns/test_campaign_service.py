"""Campaigns in the database: statuses and their events, versions of sequences, and who waits for whom."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg import Rollback

from leadwright import ids
from leadwright.accounts.model import Workspace
from leadwright.campaigns import service
from leadwright.campaigns.model import Action, Actor, Campaign, Settings, Status
from leadwright.errors import InvalidRequest, NotFound
from leadwright.postgres.pool import BareIdLoader, Connection, Database

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
VISIT = {"steps": [{"id": "visit", "type": "visit_profile"}]}
FOLLOW = {"steps": [{"id": "follow", "type": "follow"}]}
ADDED = {"leads": 1, "active": 1}
THROUGH = {"active": -1}

MakeCampaign = Callable[..., Awaitable[str]]
UntilBlocked = Callable[[int], Awaitable[None]]


async def present(database: Database, workspace: Workspace, campaign_id: str) -> Campaign:
    async with database.session() as connection:
        return (await service.read(connection, workspace.id, campaign_id)).campaign


async def events(database: Database, campaign_id: str) -> list[tuple[str, dict[str, Any]]]:
    async with database.session() as connection:
        cursor = await connection.execute(
            "SELECT type, data FROM event WHERE campaign_id = %s ORDER BY seq", (campaign_id,)
        )
        return await cursor.fetchall()


async def count(database: Database, workspace: Workspace, campaign_id: str, deltas: dict[str, int]) -> None:
    async with database.transaction() as connection:
        await service.add_counts(connection, workspace.id, campaign_id, deltas)


async def hold_as_adding_does(connection: Connection, campaign_id: str) -> None:
    await connection.execute("SELECT 1 FROM campaign WHERE id = %s FOR KEY SHARE", (campaign_id,))


async def finish_if_through(database: Database, workspace: Workspace, campaign_id: str) -> bool:
    async with database.transaction() as connection:
        return await service.finish_if_through(connection, workspace.id, campaign_id, LATER)


@pytest.fixture
async def through(database: Database, workspace: Workspace, make_campaign: MakeCampaign) -> str:
    """A campaign that has finished by itself."""
    campaign_id = await make_campaign(Action.START)
    await count(database, workspace, campaign_id, ADDED)
    await count(database, workspace, campaign_id, THROUGH)
    assert await finish_if_through(database, workspace, campaign_id)
    return campaign_id


PATHS: dict[Status, tuple[Action, ...]] = {
    Status.DRAFT: (),
    Status.STARTED: (Action.START,),
    Status.PAUSED: (Action.START, Action.PAUSE),
    Status.FINISHED: (Action.START, Action.FINISH),
}
ALLOWED = {
    (Status.DRAFT, Action.START): Status.STARTED,
    (Status.STARTED, Action.PAUSE): Status.PAUSED,
    (Status.PAUSED, Action.RESUME): Status.STARTED,
    (Status.STARTED, Action.FINISH): Status.FINISHED,
    (Status.PAUSED, Action.FINISH): Status.FINISHED,
}


@pytest.mark.parametrize("action", list(Action))
@pytest.mark.parametrize("status", list(Status))
async def test_each_action_goes_where_it_may_and_nowhere_else(
    database: Database, workspace: Workspace, make_campaign: MakeCampaign, status: Status, action: Action
) -> None:
    campaign_id = await make_campaign(*PATHS[status])
    target = ALLOWED.get((status, action))
    before = len(await events(database, campaign_id))
    async with database.transaction() as connection:
        if target is None:
            with pytest.raises(InvalidRequest, match=r"^Invalid action or campaign state$") as refused:
                await service.act(connection, workspace.id, campaign_id, action, LATER)
            assert str(status) in refused.value.details[0].message
        else:
            assert await service.act(connection, workspace.id, campaign_id, action, LATER) is target
    assert (await present(database, workspace, campaign_id)).status is (target or status)
    assert len(await events(database, campaign_id)) == before + (target is not None)


async def test_statuses_are_told_as_events_in_their_order(
    database: Database,
    workspace: Workspace,
    make_campaign: MakeCampaign,
    make_sender: Callable[[], Awaitable[str]],
) -> None:
    ready = Settings("Founders", sender_ids=(await make_sender(),), sequence=VISIT)
    campaign_id = await make_campaign(settings=ready)
    await count(database, workspace, campaign_id, {"leads": 3, "active": 3, "messages_sent": 2})
    async with database.transaction() as connection:
        for action in (Action.START, Action.PAUSE, Action.RESUME, Action.FINISH):
            await service.act(connection, workspace.id, campaign_id, action, NOW)
    about = {"campaignId": f"camp_{campaign_id}", "campaignName": "Founders"}
    at = "2026-03-01T09:00:00.000Z"
    totals = {
        "totalLeads": 3,
        "leadsContacted": 0,
        "connectionsSent": 0,
        "connectionsAccepted": 0,
        "messagesSent": 2,
        "repliesReceived": 0,
    }
    assert await events(database, campaign_id) == [
        ("campaign.started", {**about, "totalLeads": 3, "startedAt": at}),
        ("campaign.paused", {**about, "pausedAt": at, "pausedBy": "api"}),
        ("campaign.resumed", {**about, "resumedAt": at, "resumedBy": "api"}),
        ("campaign.finished", {**about, "finishedAt": at, "totals": totals}),
    ]
    finished = await present(database, workspace, campaign_id)
    assert (finished.finished_by, finished.started_at) == (Actor.API, NOW)


async def test_an_action_that_is_undone_is_not_told(
    database: Database, workspace: Workspace, make_campaign: MakeCampaign
) -> None:
    campaign_id = await make_campaign()
    async with database.transaction() as connection:
        await service.act(connection, workspace.id, campaign_id, Action.START, NOW)
        raise Rollback
    assert await events(database, campaign_id) == []


@pytest.mark.parametrize(
    ("status", "deltas"),
    [
        (Status.STARTED, {}),
        (Status.STARTED, {"leads": 2, "active": 1}),
        (Status.PAUSED, {"leads": 1}),
        (Status.DRAFT, {"leads": 1}),
        (Status.FINISHED, {"leads": 1}),
    ],
)
async def test_a_campaign_finishes_by_itself_only_when_started_and_all_leads_are_through(
    database: Database,
    workspace: Workspace,
    make_campaign: MakeCampaign,
    status: Status,
    deltas: dict[str, int],
) -> None:
    campaign_id = await make_campaign(*PATHS[status])
    await count(database, workspace, campaign_id, deltas)
    assert not await finish_if_through(database, workspace, campaign_id)
    assert (await present(database, workspace, campaign_id)).status is status


async def test_a_campaign_that_finished_by_itself_goes_on_with_new_leads(
    database: Database, workspace: Workspace, through: str
) -> None:
    finished = await present(database, workspace, through)
    assert (finished.status, finished.finished_by) == (Status.FINISHED, Actor.SYSTEM)
    async with database.transaction() as connection:
        assert await service.resume_after_adding(connection, workspace.id, through, LATER)
        assert not await service.resume_after_adding(connection, workspace.id, through, LATER)
    resumed = await present(database, workspace, through)
    assert (resumed.status, resumed.finished_by, resumed.started_at) == (Status.STARTED, None, NOW)
    told = await events(database, through)
    assert [kind for kind, _ in told] == ["campaign.started", "campaign.finished", "campaign.resumed"]
    assert told[-1][1]["resumedBy"] == "system"


@pytest.mark.parametrize("status", list(Status))
async def test_new_leads_resume_nothing_that_a_person_left_so(
    database: Database, workspace: Workspace, make_campaign: MakeCampaign, status: Status
) -> None:
    campaign_id = await make_campaign(*PATHS[status])
    async with database.transaction() as connection:
        assert not await service.resume_after_adding(connection, workspace.id, campaign_id, LATER)
    assert (await present(database, workspace, campaign_id)).status is status


async def test_a_person_cannot_undo_or_repeat_a_finish(database: Database, workspace: Workspace, through: str) -> None:
    async with database.transaction() as connection:
        for action in Action:
            with pytest.raises(InvalidRequest):
                await service.act(connection, workspace.id, through, action, LATER)


async def test_pausing_and_editing_do_not_wait_for_an_import(
    database: Database, workspace: Workspace, make_campaign: MakeCampaign
) -> None:
    campaign_id = await make_campaign(Action.START)
    async with database.transaction() as importing:
        await hold_as_adding_does(importing, campaign_id)
        async with database.transaction() as connection:
            await connection.execute("SELECT set_config('lock_timeout', '5s', true)")
            await service.act(connection, workspace.id, campaign_id, Action.PAUSE, LATER)
            renamed = await service.edit(connection, workspace.id, campaign_id, lambda s: replace(s, name="New"), LATER)
        assert renamed.campaign.settings.name == "New"
        cursor = await importing.execute("SELECT status FROM campaign WHERE id = %s", (campaign_id,))
        assert await cursor.fetchone() == ("paused",)


async def test_finishing_by_itself_waits_for_an_import_and_sees_its_leads(
    database: Database, workspace: Workspace, make_campaign: MakeCampaign, until_blocked: UntilBlocked
) -> None:
    campaign_id = await make_campaign(Action.START)
    await count(database, workspace, campaign_id, {"leads": 1})

    async def finish(connection: Connection) -> bool:
        async with connection.transaction():
            return await service.finish_if_through(connection, workspace.id, campaign_id, LATER)

    async with database.session() as finishing:
        async with database.transaction() as importing:
            await hold_as_adding_does(importing, campaign_id)
            finished = asyncio.create_task(finish(finishing))
            await until_blocked(finishing.info.backend_pid)
            await service.add_counts(importing, workspace.id, campaign_id, ADDED)
        assert not await finished


async def test_two_imports_resume_once_while_a_deletion_waits_for_both(
    database: Database, workspace: Workspace, through: str, until_blocked: UntilBlocked
) -> None:
    async def delete(connection: Connection) -> None:
        async with connection.transaction():
            await service.delete(connection, workspace.id, through)

    async with database.session() as deleting, database.session() as second:
        async with second.transaction():
            async with database.transaction() as first:
                await hold_as_adding_does(first, through)
                await hold_as_adding_does(second, through)
                deletion = asyncio.create_task(delete(deleting))
                await until_blocked(deleting.info.backend_pid)
                assert await service.resume_after_adding(first, workspace.id, through, LATER)
                resuming = asyncio.create_task(service.resume_after_adding(second, workspace.id, through, LATER))
                await until_blocked(second.info.backend_pid)
            assert not await resuming
        await deletion
    with pytest.raises(NotFound, match=r"^Campaign not found$"):
        await present(database, workspace, through)


async def test_edits_at_the_same_time_both_hold(
    database: Database, workspace: Workspace, make_campaign: MakeCampaign, until_blocked: UntilBlocked
) -> None:
    campaign_id = await make_campaign()

    async def rename(connection: Connection) -> None:
        async with connection.transaction():
            await service.edit(connection, workspace.id, campaign_id, lambda s: replace(s, name="Renamed"), LATER)

    async with database.session() as renaming:
        async with database.transaction() as connection:
            await service.edit(connection, workspace.id, campaign_id, lambda s: replace(s, sequence=VISIT), LATER)
            renamed = asyncio.create_task(rename(renaming))
            await until_blocked(renaming.info.backend_pid)
        await renamed
    after = await present(database, workspace, campaign_id)
    assert (after.settings.name, after.settings.sequence) == ("Renamed", VISIT)
    assert after.sequence_version == 2


async def test_a_sequence_that_differs_is_a_new_version_and_the_old_one_is_kept(
    database: Database, workspace: Workspace, make_campaign: MakeCampaign
) -> None:
    campaign_id = await make_campaign(settings=Settings("Campaign", sequence=VISIT))
    versions: list[int] = []
    async with database.transaction() as connection:
        for sequence in (VISIT, FOLLOW, FOLLOW, VISIT):
            edited = await service.edit(
                connection, workspace.id, campaign_id, lambda s, new=sequence: replace(s, sequence=new), LATER
            )
            assert edited.campaign.settings.sequence == sequence
            versions.append(edited.campaign.sequence_version)
        cursor = await connection.execute(
            "SELECT version, sequence FROM campaign_sequence WHERE campaign_id = %s ORDER BY version",
            (campaign_id,),
        )
        kept = await cursor.fetchall()
        compiled = await service.sequence(connection, workspace.id, campaign_id)
    assert versions == [1, 2, 2, 3]
    assert kept == [(1, VISIT), (2, FOLLOW), (3, VISIT)]
    assert [step.id for step in compiled.steps] == ["visit"]


async def test_a_new_campaign_has_a_lane_where_its_leads_wait(
    database: Database, workspace: Workspace, make_campaign: MakeCampaign
) -> None:
    campaign_id = await make_campaign()
    async with database.session() as connection:
        cursor = await connection.execute(
            "SELECT id, sender_id, kind FROM lane WHERE workspace_id = %s AND campaign_id = %s",
            (workspace.id, campaign_id),
        )
        lanes = await cursor.fetchall()
    entry = (await present(database, workspace, campaign_id)).entry_lane_id
    assert lanes == [(entry, None, "enter")]


async def test_deleting_leaves_events_and_nothing_else(
    database: Database, workspace: Workspace, make_campaign: MakeCampaign
) -> None:
    campaign_id = await make_campaign(Action.START)
    other_id = await make_campaign()
    await count(database, workspace, campaign_id, ADDED)
    async with database.transaction() as connection:
        await service.delete(connection, workspace.id, campaign_id)
        with pytest.raises(NotFound):
            await service.delete(connection, workspace.id, campaign_id)
        cursor = await connection.execute(
            """
            SELECT (SELECT count(*) FROM campaign WHERE id = %(id)s),
                (SELECT count(*) FROM campaign_sequence WHERE campaign_id = %(id)s),
                (SELECT count(*) FROM campaign_counter WHERE campaign_id = %(id)s),
                (SELECT count(*) FROM campaign_counter_delta WHERE campaign_id = %(id)s),
                (SELECT count(*) FROM lane WHERE campaign_id = %(id)s)
            """,
            {"id": campaign_id},
        )
        assert await cursor.fetchone() == (0, 0, 0, 0, 0)
        assert await service.exists(connection, workspace.id, other_id)
    assert [kind for kind, _ in await events(database, campaign_id)] == ["campaign.started"]


async def test_another_workspace_cannot_touch_a_campaign(
    database: Database, workspace: Workspace, other_workspace: Workspace, make_campaign: MakeCampaign
) -> None:
    campaign_id, stranger = await make_campaign(), other_workspace.id
    before = await present(database, workspace, campaign_id)
    async with database.transaction() as connection:
        with pytest.raises(NotFound):
            await service.read(connection, stranger, campaign_id)
        with pytest.raises(NotFound):
            await service.act(connection, stranger, campaign_id, Action.START, LATER)
        with pytest.raises(NotFound):
            await service.edit(connection, stranger, campaign_id, lambda s: s, LATER)
        with pytest.raises(NotFound):
            await service.delete(connection, stranger, campaign_id)
        assert not await service.exists(connection, stranger, campaign_id)
        assert not await service.finish_if_through(connection, stranger, campaign_id, LATER)
    assert await present(database, workspace, campaign_id) == before


async def test_a_sender_must_exist(database: Database, workspace: Workspace, make_campaign: MakeCampaign) -> None:
    unknown = Settings("Campaign", sender_ids=(ids.new_id(),))
    with pytest.raises(InvalidRequest, match=r"^Invalid request or sender not found$"):
        await make_campaign(settings=unknown)


class CountingConnection(Connection):
    """A connection that knows how many statements it has run."""

    statements = 0

    async def execute(self, *arguments: Any, **options: Any) -> Any:
        self.statements += 1
        return await super().execute(*arguments, **options)


@pytest.fixture
async def counting(database: Database) -> AsyncIterator[CountingConnection]:
    async with await CountingConnection.connect(database.conninfo, autocommit=True) as connection:
        connection.adapters.register_loader("uuid", BareIdLoader)
        yield connection


async def test_a_page_costs_three_statements_however_long_it_is(
    counting: CountingConnection, workspace: Workspace, make_campaign: MakeCampaign
) -> None:
    for _ in range(12):
        await make_campaign()
    for limit in (1, 12):
        counting.statements = 0
        shown, total = await service.page(counting, workspace.id, status=None, after=None, offset=0, limit=limit)
        assert (len(shown), counting.statements) == (limit, 3)
        assert total.rows >= 12
