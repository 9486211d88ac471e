"""``skipIf``: people whom a request leaves alone, counted as duplicates with codes of their own."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadwright import ids
from leadwright.accounts.model import Workspace
from leadwright.identity import Identity, IdentityKind
from leadwright.inbox import service as inbox
from leadwright.inbox.model import Direction, NewMessage
from leadwright.leads.courtesy_fields import read_skip_if, skip_faults
from leadwright.leads.model import SkipIf
from leadwright.people import service as people
from leadwright.postgres.pool import Database

STEPS = {"steps": [{"id": "hello", "type": "message", "text": "Hello"}]}


async def campaign(client: httpx.AsyncClient, *, started: bool = False) -> str:
    made = (await client.post("/v1/campaigns", json={"name": "Courtesy", "sequence": STEPS})).json()["id"]
    if started:
        answer = await client.patch(f"/v1/campaigns/{made}", json={"action": "start"})
        assert answer.status_code == 200, answer.text
    return made


async def add(client: httpx.AsyncClient, to: str, *rows: dict[str, Any], skip_if: Any = None, **more: Any) -> Any:
    body = {"campaignId": to, "leads": list(rows), **more}
    answer = await client.post("/v1/leads?report=full", json=body | ({"skipIf": skip_if} if skip_if else {}))
    assert answer.status_code == 200, answer.text
    told = answer.json()
    counts = (told["leadsAdded"], told["duplicatesSkipped"], told["invalidEntries"], told.get("leadsUpdated", 0))
    assert sum(counts) == len(rows)
    return told


def codes(told: Any) -> list[tuple[str, str | None]]:
    return [(result["outcome"], result["code"]) for result in told["results"]]


def row(name: str, **fields: Any) -> dict[str, Any]:
    return {"linkedinUrl": f"https://www.linkedin.com/in/{name}", **fields}


async def mark_started(database: Database, campaign_id: str) -> None:
    async with database.transaction() as connection:
        await connection.execute(
            "UPDATE campaign SET status = 'started' WHERE id = %s", (ids.bare(ids.Prefix.CAMPAIGN, campaign_id),)
        )


async def test_who_is_on_the_way_in_a_started_campaign(client: httpx.AsyncClient, database: Database) -> None:
    there, draft, here = await campaign(client), await campaign(client), await campaign(client)
    await mark_started(database, there)
    told = await add(client, there, row("a-active"), row("a-stopped"))
    await add(client, draft, row("a-draft"))
    await client.delete(f"/v1/leads/{told['results'][1]['leadId']}")
    rows = [row("a-active"), row("a-stopped"), row("a-draft"), row("a-new"), row("A-ACTIVE")]
    told = await add(client, here, *rows, skip_if={"inActiveCampaign": True})
    skipped = ("duplicate", "in_active_campaign")
    assert codes(told) == [skipped, ("added", None), ("added", None), ("added", None), skipped]
    outcomes = (await client.get(f"/v1/imports/{told['importId']}")).json()["outcomes"]
    assert [(o["index"], o["outcome"], o["code"]) for o in outcomes] == [(0, *skipped), (4, *skipped)]
    assert codes(await add(client, here, row("a-active")))[0][0] == "added"


async def test_who_was_contacted_within_days(
    client: httpx.AsyncClient, database: Database, workspace: Workspace
) -> None:
    here = await campaign(client)
    now = datetime.now(UTC)
    async with database.transaction() as connection:
        for name, days, state, kind in (
            ("c-yesterday", 1, "done", "message"),
            ("c-long-ago", 40, "done", "connect"),
            ("c-failed", 1, "failed", "message"),
            ("c-visited", 1, "done", "visit_profile"),
        ):
            await connection.execute(
                """
                INSERT INTO action (workspace_id, id, sender_id, identity_kind, identity_key, linkedin_url, kind,
                    content, state, due_at, planned_at, finished_at)
                VALUES (%s, %s, %s, 'slug', %s, '', %s, '{}', %s, now(), now(), %s)
                """,
                (workspace.id, ids.new_id(), ids.new_id(), name, kind, state, now - timedelta(days=days)),
            )
        await connection.execute(
            """
            INSERT INTO relationship (workspace_id, sender_id, identity_kind, identity_key, last_sent_at)
            VALUES (%s, %s, 'slug', 'c-written', %s)
            """,
            (workspace.id, ids.new_id(), now - timedelta(days=3)),
        )
    names = ("c-yesterday", "c-long-ago", "c-failed", "c-visited", "c-written")
    told = await add(client, here, *map(row, names), skip_if={"contactedWithinDays": 30})
    skipped = ("duplicate", "contacted_recently")
    assert codes(told) == [skipped, *[("added", None)] * 3, skipped]
    assert (await add(client, here, row("c-yesterday")))["leadsAdded"] == 1


async def test_whose_colleague_has_replied(client: httpx.AsyncClient, database: Database, workspace: Workspace) -> None:
    there, here = await campaign(client), await campaign(client)
    told = await add(client, there, row("r-first", company="Acme  Straße"), row("r-silent", company="Quiet"))
    lead_id = ids.bare(ids.Prefix.LEAD, told["results"][0]["leadId"])
    identity = Identity(IdentityKind.SLUG, "r-first")
    async with database.transaction() as connection:
        await people.hold_canonical(connection, workspace.id, [identity])
        message = NewMessage(
            ids.new_id(), identity, "in/r-first", "R", Direction.RECEIVED, "Yes", datetime.now(UTC), None, lead_id, None
        )
        await inbox.keep_messages(connection, workspace.id, [message])
    rows = [
        row("r-next", company="ACME STRASSE"),
        row("r-other", company="Acme"),
        row("r-none"),
        row("r-quiet", company="Quiet"),
    ]
    told = await add(client, here, *rows, skip_if={"sameCompanyReplied": True})
    assert codes(told) == [("duplicate", "same_company_replied"), *[("added", None)] * 3]


async def test_who_is_in_the_campaign_or_suppressed_is_told_as_ever(
    client: httpx.AsyncClient, database: Database
) -> None:
    there, here = await campaign(client), await campaign(client)
    await mark_started(database, there)
    people_there = [row("p-here", title="Old"), row("p-suppressed"), row("p-there")]
    await add(client, there, *people_there)
    await add(client, here, row("p-here"))
    await client.post("/v1/suppressions", json={"entries": [{"linkedinUrl": "in/p-suppressed"}]})
    rules = {"inActiveCampaign": True, "contactedWithinDays": 9, "sameCompanyReplied": True}
    told = await add(client, here, *people_there, {"linkedinUrl": "x"}, skip_if=rules, onDuplicate="fill")
    assert [outcome for outcome, _ in codes(told)] == ["updated", "suppressed", "duplicate", "invalid"]
    assert codes(told)[2] == ("duplicate", "in_active_campaign")
    assert codes(await add(client, here, row("p-here"), skip_if=rules)) == [("duplicate", "duplicate")]


async def test_a_dry_run_tells_the_same_and_another_workspaces_leads_do_not_count(
    client: httpx.AsyncClient, database: Database, anonymous: httpx.AsyncClient, other_headers: dict[str, str]
) -> None:
    theirs = (await anonymous.post("/v1/campaigns", json={"name": "x"}, headers=other_headers)).json()["id"]
    await anonymous.post("/v1/leads", json={"campaignId": theirs, "leads": [row("w-person")]}, headers=other_headers)
    await mark_started(database, theirs)
    here = await campaign(client)
    body = {"campaignId": here, "leads": [row("w-person")], "skipIf": {"inActiveCampaign": True}}
    told = (await client.post("/v1/leads?report=full&dryRun=true", json=body)).json()
    assert codes(told) == [("added", None)]


@pytest.mark.parametrize(
    "rules",
    [
        [],
        "x",
        {"contactedWithinDays": 0},
        {"contactedWithinDays": 3651},
        {"contactedWithinDays": True},
        {"contactedWithinDays": 1.5},
        {"contactedWithinDays": 1e308},
        {"inActiveCampaign": "yes"},
        {"sameCompanyReplied": 1},
        {"inactiveCampaign": True},
    ],
)
async def test_bad_rules_are_refused_and_change_nothing(client: httpx.AsyncClient, rules: Any) -> None:
    here = await campaign(client)
    answer = await client.post("/v1/leads", json={"campaignId": here, "leads": [row("b-person")], "skipIf": rules})
    assert answer.status_code == 400
    assert [detail["path"] for detail in answer.json()["details"]] == ["skipIf"]
    assert (await client.get(f"/v1/campaigns/{here}")).json()["totalLeads"] == 0


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "contactedWithinDays": st.none() | st.integers(1, 3650),
            "inActiveCampaign": st.none() | st.booleans(),
            "sameCompanyReplied": st.none() | st.booleans(),
        },
    )
)
def test_rules_are_read_as_they_stand_and_none_is_nothing(rules: dict[str, Any]) -> None:
    assert skip_faults(rules) == []
    read = read_skip_if(rules)
    assert (read is None) == (not any(rules.values()))
    days, active, colleague = (
        rules.get(name) for name in ("contactedWithinDays", "inActiveCampaign", "sameCompanyReplied")
    )
    assert (read or SkipIf()) == SkipIf(days, bool(active), bool(colleague))
