"""Commands and servers on a data folder with its embedded database."""

import json
import signal

import httpx

ROW = {"linkedinUrl": "https://www.linkedin.com/in/john-doe", "firstName": "John", "customScore": 85}


def call(server, key: str, method: str, path: str, body: object = None) -> httpx.Response:
    return httpx.request(method, f"{server.url}{path}", headers={"X-API-Key": key}, json=body, trust_env=False)


def test_a_new_folder_two_servers_a_kill_and_a_move(embedded, tmp_path) -> None:
    """One story, since each new cluster costs seconds: what is acknowledged survives all of it."""
    key = embedded.done("keys", "create", "--name", "crm").splitlines()[-1]
    with embedded.serving() as first, embedded.serving() as second:
        made = call(first, key, "POST", "/v1/campaigns", {"name": "Founders"}).json()
        added = call(second, key, "POST", "/v1/leads", {"campaignId": made["id"], "leads": [ROW]})
        assert added.json()["leadsAdded"] == 1
        first.process.kill()
        first.process.wait()
        assert call(second, key, "GET", "/v1/leads").json()["pagination"]["total"] == 1
        second.process.kill()
        second.process.wait()
    (campaign,) = json.loads(embedded.done("campaigns", "list", "--json"))
    assert campaign["totalLeads"] == 1
    _moves_to_a_new_folder(embedded, key, str(tmp_path / "all.dump"))


def _moves_to_a_new_folder(old, key: str, file: str) -> None:
    assert old.done("db", "dump", file) == f"{file}\n"
    new = old.but(data_dir=old.settings["data_dir"] + "-new")
    try:
        new.done("db", "restore", file)
        with new.serving() as server:
            (lead,) = call(server, key, "GET", "/v1/leads?full=true").json()["leads"]
            assert (lead["linkedinUrl"], lead["data"]) == (ROW["linkedinUrl"], {"customScore": 85})
            assert server.end(signal.SIGTERM) == 0
    finally:
        new.remove()
