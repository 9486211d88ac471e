"""``leadwright keys``, ``workspaces`` and ``campaigns``."""

import json
import re

import httpx
import pytest

KEY = re.compile(r"lw_live_[A-Za-z0-9]{36}")


def test_a_key_is_alone_on_the_last_line_and_in_the_list(leadwright) -> None:
    made = leadwright("keys", "create", "--name", "crm", "--scope", "leads:write", "--scope", "leads:read")
    key = made.stdout.splitlines()[-1]
    assert KEY.fullmatch(key)
    assert key not in made.stderr
    listed = json.loads(leadwright.done("keys", "list", "--json"))
    assert [(each["name"], each["prefix"], each["scopes"]) for each in listed] == [
        ("crm", key[:12], ["leads:read", "leads:write"])
    ]
    assert listed[0]["id"].startswith("key_")
    assert listed[0]["id"] in made.stderr
    assert listed[0]["expiresAt"] is None
    assert listed[0]["revokedAt"] is None
    assert key not in leadwright.done("keys", "list")


def test_a_key_for_another_workspace_with_an_end(leadwright) -> None:
    workspace = leadwright.done("workspaces", "create", "--name", "Agency").splitlines()[-1]
    leadwright.done("keys", "create", "--name", "short", "--workspace", workspace, "--expires", "2099-01-01")
    (listed,) = json.loads(leadwright.done("keys", "list", "--json"))
    assert listed["workspaceId"] == workspace
    assert listed["scopes"] == ["*"]
    assert listed["expiresAt"] == "2099-01-01T00:00:00.000Z"
    names = [each["name"] for each in json.loads(leadwright.done("workspaces", "list", "--json"))]
    assert names == ["Default", "Agency"]
    assert leadwright.done("workspaces", "list").splitlines()[2].split("\t")[:2] == [workspace, "Agency"]


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--name", "x", "--scope", "everything"], 2, "scope 'everything' does not exist; expected one of: "),
        (["--name", "x", "--expires", "soon"], 2, "expected a span such as 30d"),
        (["--name", "x", "--expires", "2001-01-01"], 2, "expected a time in the future"),
        (["--name", "  "], 2, "name: expected 1 to 200 characters"),
        (["--name", "x", "--workspace", "ws_nope"], 1, "Workspace not found"),
        (["--name", "x", "--workspace", f"ws_{'0' * 32}"], 1, "Workspace not found"),
    ],
)
def test_what_cannot_be_made(leadwright, options: list[str], code: int, said: str) -> None:
    refused = leadwright("keys", "create", *options)
    assert (refused.returncode, refused.stdout) == (code, "")
    assert said in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("key_id", ["nope", f"key_{'0' * 32}"])
def test_a_key_that_does_not_exist_cannot_be_revoked(leadwright, key_id: str) -> None:
    refused = leadwright("keys", "revoke", key_id)
    assert (refused.returncode, refused.stderr) == (1, "leadwright: Key not found\n")


def test_revoking_takes_effect_at_once_on_a_running_server(leadwright) -> None:
    key = leadwright.done("keys", "create", "--name", "crm").splitlines()[-1]
    (listed,) = json.loads(leadwright.done("keys", "list", "--json"))
    with (
        leadwright.serving() as server,
        httpx.Client(base_url=server.url, headers={"X-API-Key": key}, trust_env=False) as client,
    ):
        assert client.get("/v1/leads").status_code == 200
        leadwright.done("keys", "revoke", listed["id"])
        assert client.get("/v1/leads").status_code == 401


def test_campaigns_of_all_workspaces_or_of_one(leadwright) -> None:
    key = leadwright.done("keys", "create", "--name", "crm").splitlines()[-1]
    workspace = json.loads(leadwright.done("workspaces", "list", "--json"))[0]["id"]
    other = leadwright.done("workspaces", "create", "--name", "Other").strip()
    with leadwright.serving() as server:
        body = {"name": "Founders\x1b[2J"}
        made = httpx.post(f"{server.url}/v1/campaigns", headers={"X-API-Key": key}, json=body, trust_env=False)
    assert made.status_code == 201
    (listed,) = json.loads(leadwright.done("campaigns", "list", "--json"))
    assert listed | {"createdAt": ""} == {
        "id": made.json()["id"],
        "name": body["name"],
        "status": "draft",
        "totalLeads": 0,
        "workspaceId": workspace,
        "createdAt": "",
    }
    assert r"Founders\x1b[2J" in leadwright.done("campaigns", "list", "--workspace", workspace)
    assert json.loads(leadwright.done("campaigns", "list", "--workspace", other, "--json")) == []
    assert leadwright("campaigns", "list", "--workspace", "ws_nope").returncode == 1
