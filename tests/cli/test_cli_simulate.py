"""A campaign played on the command line: the same each time, and refusals that say what is wrong."""

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

from leadwright import ids
from leadwright.accounts import service as accounts
from leadwright.campaigns import service as campaigns
from leadwright.campaigns.model import Settings as CampaignSettings
from leadwright.campaigns.schedule import Schedule, Weekday
from leadwright.crypto import SecretBox
from leadwright.identity import Identity, linkedin_identity
from leadwright.leads import adding
from leadwright.leads.model import AddLeads, OnDuplicate
from leadwright.outbound.allowed import AllowedHosts
from leadwright.people import service as people
from leadwright.postgres.pool import Connection, Database
from leadwright.senders import service as senders
from leadwright.senders.limits import Limits
from leadwright.senders.model import ChannelName
from leadwright.senders.model import Settings as SenderSettings

STEPS = {"steps": [{"id": "visit", "type": "visit_profile"}, {"id": "invite", "type": "connect", "note": "Hi {{x}}"}]}
GREETING = {"steps": [*STEPS["steps"], {"id": "hello", "type": "message", "text": "Hello {{x}}"}]}
SECRET = "a secret key that is long enough for tests"


def test_a_sequence_plays_the_same_each_time(unreachable, tmp_path: Path) -> None:
    file = tmp_path / "sequence.json"
    file.write_text(json.dumps(STEPS))
    command = ["simulate", "--file", file, "--leads", "5", "--start", "2026-03-02T09:00", "--json"]
    lines = json.loads(unreachable.done(*command))
    assert lines == json.loads(unreachable.done(*command))
    assert [line["what"] for line in lines].count("connect") == 5
    assert {line["text"] for line in lines if line["what"] == "connect"} == {"Hi [x]"}


def test_what_cannot_be_played(unreachable, tmp_path: Path) -> None:
    file = tmp_path / "sequence.json"
    assert unreachable("simulate").returncode == 2
    assert unreachable("simulate", "--file", file).returncode == 1
    file.write_text('{"steps": [{"type": "mesage"}]}')
    refused = unreachable("simulate", "--file", file)
    assert refused.returncode == 2
    assert "did you mean 'message'" in refused.stderr


def test_the_calendar_has_an_end(unreachable, tmp_path: Path) -> None:
    file = tmp_path / "sequence.json"
    file.write_text(json.dumps(STEPS))
    refused = unreachable("simulate", "--file", file, "--start", "9999-12-31")
    assert (refused.returncode, "a year up to 9000" in refused.stderr) == (2, True)


def test_a_sequence_that_could_not_be_started_is_refused_with_the_reason(unreachable, tmp_path: Path) -> None:
    file = tmp_path / "sequence.json"
    mail = {"id": "mail", "type": "email", "subject": "s", "text": "t"}
    for steps, reason in (([], "the sequence has no steps"), ([mail], "can do email")):
        file.write_text(json.dumps({"steps": steps}))
        refused = unreachable("simulate", "--file", file)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert reason in refused.stderr


async def stored_campaign(
    conninfo: str, names: Sequence[str] = (), hours: Sequence[Schedule | None] = (None, None)
) -> str:
    """A campaign with these leads, and a sender of the simulator whom everybody accepts; the hours of both."""
    database = Database(conninfo, size=1)
    await database.open()
    of_campaign, of_sender = hours
    url = "https://www.linkedin.com/in/sender"
    sender = SenderSettings(
        name="Sue",
        linkedin_url=url,
        identity=cast(Identity, linkedin_identity(url)),
        channel=ChannelName.SIMULATOR,
        limits=Limits({}, {}, timedelta()),
        config={"acceptRate": 1, "acceptAfter": {"seconds": 5}},
        schedule=of_sender,
    )
    keeping, now = senders.Keeping(SecretBox(SECRET), AllowedHosts()), datetime(2026, 3, 2, tzinfo=UTC)
    async with database.transaction() as connection:
        workspace = await accounts.default_workspace(connection)
        made = await senders.create(connection, workspace.id, keeping, sender, now)
        settings = CampaignSettings("C", sender_ids=(made.sender.id,), sequence=GREETING, schedule=of_campaign)
        campaign = (await campaigns.create(connection, workspace.id, settings, now)).id
        await add(connection, workspace.id, ids.public(ids.Prefix.CAMPAIGN, campaign), names, now)
    await database.close()
    return ids.public(ids.Prefix.CAMPAIGN, campaign)


async def add(connection: Connection, workspace_id: str, campaign: str, names: Sequence[str], now: datetime) -> None:
    held = people.Held(aliases=True, suppressions=True)
    await people.hold(connection, workspace_id)
    request = AddLeads(campaign, [{"linkedinUrl": f"in/{name}", "x": "you"} for name in names], OnDuplicate.SKIP)
    await adding.add(connection, workspace_id, request, api_key_id=ids.new_id(), held=held, now=now)


async def test_a_campaign_plays_with_the_people_of_its_sender_and_the_leads_that_it_has(leadwright) -> None:
    campaign = await stored_campaign(leadwright.settings["database_url"], ["ada", "bob", "eve"])
    commands = leadwright.but(secret_key=SECRET)
    shown = await asyncio.to_thread(commands, "simulate", campaign, "--start", "2026-03-02T09:00", "--leads", "50")
    assert shown.returncode == 0, shown.stderr
    assert "The campaign has 3 leads, not 50" in shown.stderr
    assert "3 accepted, 3 connect, 3 done, 3 message" in shown.stderr
    told = await asyncio.to_thread(commands, "forecast", campaign)
    assert "Assumed: 100% accept (simulator), 10% of those who get a message reply (simulator)." in told.stderr


async def test_when_nothing_happens_it_fails_and_says_why(leadwright) -> None:
    hours = [Schedule("UTC", (day,), opens=9 * 60, closes=17 * 60) for day in (Weekday.SUNDAY, Weekday.MONDAY)]
    campaign = await stored_campaign(leadwright.settings["database_url"], hours=hours)
    shown = await asyncio.to_thread(leadwright.but(secret_key=SECRET), "simulate", campaign)
    assert (shown.returncode, shown.stdout) == (1, "")
    assert "the hours of the campaign and of its senders never meet" in shown.stderr
