"""Commands that work on a server by its address and a key."""

import asyncio
import json
from typing import Any

import pytest


@pytest.fixture
def remote(unreachable: Any, base_url: str, headers: dict[str, str]) -> Any:
    """Runs a command against the module's server; without a database of its own, which would not be there."""
    commands = unreachable.but(url=base_url, api_key=headers["X-API-Key"])

    async def run(*arguments: Any) -> Any:
        return await asyncio.to_thread(commands, *arguments)

    return run


@pytest.fixture
async def campaign(client: Any) -> str:
    return (await client.post("/v1/campaigns", json={"name": "From a file"})).json()["id"]


async def leads_of(client: Any, campaign: str) -> list[dict[str, Any]]:
    return (await client.get(f"/v1/leads?campaignId={campaign}&full=1&limit=100")).json()["leads"]


async def test_a_csv_file_is_added_and_every_row_accounted_for(remote, client, campaign, tmp_path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(
        "\ufeffProfile URL,firstName,Job Title,score\r\n"
        "https://www.linkedin.com/in/jane,Jane,CEO,85\r\n"
        'https://www.linkedin.com/in/john,,"Head, Sales",\r\n'
        "https://example.com/eve,Eve,,\r\n"
        "https://uk.linkedin.com/in/Jane/,Jane,,\r\n"
        "in/too,many,cells,here,now\r\n",
        "utf-8",
    )
    done = await remote("leads", "add", campaign, file, "--column", "Profile URL=linkedinUrl", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert [report[name] for name in ("rows", "added", "updated", "duplicates", "invalid")] == [5, 2, 0, 1, 2]
    assert [(row["line"], row["code"]) for row in report["refused"]] == [(4, "wrong_host"), (6, "unreadable")]
    jane, john = await leads_of(client, campaign)
    assert (jane["firstName"], jane["data"]) == ("Jane", {"Job Title": "CEO", "score": "85"})
    assert (john["firstName"], john["data"]) == (None, {"Job Title": "Head, Sales"})


async def test_json_lines_keep_their_types_and_a_second_run_adds_nobody(remote, client, campaign, tmp_path) -> None:
    file = tmp_path / "people.jsonl"
    rows = [json.dumps({"linkedinUrl": f"in/p{n}", "score": n}) for n in range(250)]
    file.write_text("\n".join([*rows, "{broken", "[]", ""]))
    first = await remote("leads", "add", campaign, file, "--refused", tmp_path / "refused.jsonl")
    assert first.returncode == 0, first.stderr
    assert first.stdout.splitlines() == ["rows\tadded\tupdated\tduplicates\tinvalid", "252\t250\t0\t0\t2"]
    refused = [json.loads(line) for line in (tmp_path / "refused.jsonl").read_text().splitlines()]
    assert [(row["line"], row["code"]) for row in refused] == [(251, "unreadable"), (252, "unreadable")]
    again = await remote("leads", "add", campaign, file)
    assert again.stdout.splitlines()[1] == "252\t0\t0\t250\t2"
    assert "line 251: the line is not JSON" in again.stderr
    assert [lead["data"]["score"] for lead in await leads_of(client, campaign)] == list(range(100))


async def test_a_dry_run_changes_nothing(remote, client, campaign, tmp_path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("linkedinUrl\nin/jane\n")
    assert (await remote("leads", "add", campaign, file, "--dry-run")).stdout.splitlines()[1] == "1\t1\t0\t0\t0"
    assert await leads_of(client, campaign) == []


async def test_rows_too_large_for_one_request_go_in_several(remote, client, campaign, tmp_path) -> None:
    file = tmp_path / "people.jsonl"
    long = {f"field{n}": "x" * 9_000 for n in range(10)}
    file.write_text("\n".join(json.dumps({"linkedinUrl": f"in/p{n}", **long}) for n in range(60)))
    assert (await remote("leads", "add", campaign, file)).stdout.splitlines()[1] == "60\t60\t0\t0\t0"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["leads", "add", "camp_x", "people.csv"], 1, "No such file or directory"),
        (["leads", "add", "camp_x", "people"], 2, "there is no file people"),
        (["leads", "add", "camp_x", "people", "--format", "xml"], 2, "expected one of csv, jsonl"),
        (["leads", "add", "camp_x", "a.csv", "--on-duplicate", "merge"], 2, "expected one of skip, fill, overwrite"),
        (["leads", "add", "camp_x", "a.csv", "--column", "x"], 2, "expected NAME=FIELD"),
        (["keys", "create", "--name", "x", "--workspace", "ws_1"], 2, "the workspace of --key alone"),
        (["keys", "revoke", "key_x"], 1, "The server says: Key not found"),
        (["campaigns", "list", "--key", "lw_live_wrong"], 1, "The server says: Invalid API key"),
        (["campaigns", "list", "--url", "nowhere"], 1, "url: expected an address"),
        (["campaigns", "list", "--key", ""], 1, "wants an API key"),
    ],
)
async def test_what_is_wrong_is_one_line(remote, arguments, code, said) -> None:
    refused = await remote(*arguments)
    assert refused.returncode == code
    assert said in refused.stderr
    assert "Traceback" not in refused.stderr


async def test_leads_are_added_on_a_server_only(unreachable, tmp_path) -> None:
    (tmp_path / "people.csv").write_text("linkedinUrl\n")
    refused = await asyncio.to_thread(unreachable, "leads", "add", "camp_x", tmp_path / "people.csv")
    assert (refused.returncode, "--url" in refused.stderr) == (1, True)


async def test_a_file_of_other_columns_says_which_there_are(remote, campaign, tmp_path) -> None:
    (tmp_path / "people.csv").write_text("Name,Profile\nJane,in/jane\n")
    refused = await remote("leads", "add", campaign, tmp_path / "people.csv")
    assert refused.returncode == 2
    assert "Name, Profile" in refused.stderr


async def test_keys_of_a_server(remote, client) -> None:
    made = await remote("keys", "create", "--name", "crm", "--scope", "leads:read", "--expires", "2099-01-01")
    assert made.returncode == 0, made.stderr
    key = made.stdout.splitlines()[-1]
    assert (await client.get("/v1/leads", headers={"X-API-Key": key})).status_code == 200
    [listed] = [row for row in json.loads((await remote("keys", "list", "--json")).stdout) if row["name"] == "crm"]
    assert (listed["scopes"], listed["expiresAt"]) == (["leads:read"], "2099-01-01T00:00:00.000Z")
    assert listed["workspaceId"].startswith("ws_")
    assert (await remote("keys", "revoke", listed["id"])).returncode == 0
    assert (await client.get("/v1/leads", headers={"X-API-Key": key})).status_code == 401
    assert listed["id"] in (await remote("keys", "list")).stdout


async def test_a_forecast_of_a_server(remote, client, campaign) -> None:
    told = await remote("forecast", campaign, "--days", "3", "--accept-rate", "1", "--json")
    assert told.returncode == 0, told.stderr
    answer = await client.get(f"/v1/campaigns/{campaign}/forecast", params={"days": 3, "acceptRate": 1})
    moments = {"asOf": ""}
    assert json.loads(told.stdout) | moments == answer.json() | moments
    assert "as if it were running" in (await remote("forecast", campaign)).stderr
    assert "Campaign not found" in (await remote("forecast", "camp_x")).stderr


async def test_campaigns_of_a_server(remote, campaign) -> None:
    listed = json.loads((await remote("campaigns", "list", "--json")).stdout)
    assert campaign in [row["id"] for row in listed]
    assert set(listed[0]) == {"id", "name", "status", "totalLeads", "workspaceId", "createdAt"}
