"""Real answers are exactly what the document says of them: every field that is sent stands there, and no other."""

import copy
import json
from typing import Any

import httpx
import jsonschema_rs
import pytest
from tests.starting import add_sender

JSON = dict[str, Any]

PERSON = "https://www.linkedin.com/in/jane-smith"
ROWS: list[Any] = [
    {"linkedinUrl": PERSON, "firstName": "Jane", "industry": "Software", "score": 85, "vip": True, "x": None},
    {"linkedinUrl": "linkedin.com/in/Jane-Smith/", "customFields": {"score": 90}},
    {"linkedinUrl": "https://example.com/jane"},
    {"linkedinUrl": "linkedin.com/in/stop-me"},
    "not a lead",
]


def closed(node: Any) -> Any:
    """A schema in which what it does not name is not allowed."""
    if isinstance(node, list):
        return [closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    shut = {name: closed(value) for name, value in node.items()}
    if isinstance(node.get("properties"), dict) and "type" in node:
        shut.setdefault("additionalProperties", False)
    return shut


class Documented:
    """Asks the server, and holds each answer against the document."""

    def __init__(self, client: httpx.AsyncClient, document: JSON) -> None:
        self._client = client
        self._paths = document["paths"]
        self._components = closed(copy.deepcopy(document["components"]))

    async def __call__(self, method: str, path: str, template: str = "", **asked: Any) -> JSON:
        answer = await self._client.request(method, path, **asked)
        operation = self._paths[template or path][method.lower()]
        assert str(answer.status_code) in operation["responses"], answer.text
        response = operation["responses"][str(answer.status_code)]
        schema = closed(response["content"]["application/json"]["schema"])
        jsonschema_rs.validator_for(schema | {"components": self._components}).validate(answer.json())
        for header, reference in response["headers"].items():
            described = self._components["headers"][reference["$ref"].rpartition("/")[2]]
            assert header in answer.headers or not described.get("required")
        return answer.json()


@pytest.fixture
def ask(client: httpx.AsyncClient, document: JSON) -> Documented:
    return Documented(client, document)


@pytest.fixture
async def campaign(ask: Documented, client: httpx.AsyncClient) -> str:
    """A campaign with a sequence and a schedule, and somebody on the do-not-contact list."""
    steps = [{"id": "invite", "type": "connect", "note": "Hi {{firstName}}"}]
    schedule = {"timeZone": "Europe/Berlin", "days": ["mon"], "from": "09:00", "to": "17:30"}
    senders = [await add_sender(client)]
    body = {"name": "Documented", "sequence": {"steps": steps}, "schedule": schedule, "senderIds": senders}
    entries = [{"linkedinUrl": "linkedin.com/in/stop-me"}, {"email": "a@x.example"}, {"company": "Acme"}, 5]
    await ask("POST", "/v1/suppressions", json={"entries": entries, "reason": "asked"})
    return (await ask("POST", "/v1/campaigns", json=body))["id"]


async def test_adding_leads(ask: Documented, campaign: str) -> None:
    async def add(query: str, rows: list[Any] = ROWS, **more: Any) -> JSON:
        body = {"campaignId": campaign, "leads": rows, **more}
        return await ask("POST", f"/v1/leads{query}", "/v1/leads", json=body)

    dry = await add("?dryRun=true&report=full", [*ROWS, {"linkedinUrl": "in/nameless"}])
    plain = await add("")
    full = await add("?report=full", onDuplicate="fill")
    overwritten = await add("", onDuplicate="overwrite")
    counted = {"success", "leadsAdded", "duplicatesSkipped", "invalidEntries", "errors"}
    assert plain.keys() == counted
    assert overwritten.keys() == counted | {"leadsUpdated"}
    assert {"importId", "willProcess", "willProcessReason", "results"} <= full.keys()
    assert (dry["dryRun"], bool(dry["templateWarnings"])) == (True, True)
    assert {result["outcome"] for result in full["results"]} >= {"duplicate", "suppressed", "invalid"}


async def test_reading_leads(ask: Documented, campaign: str) -> None:
    body = {"campaignId": campaign, "leads": ROWS}
    await ask("POST", "/v1/leads", json=body)
    listed = await ask("GET", f"/v1/leads?campaignId={campaign}", "/v1/leads")
    full = await ask("GET", f"/v1/leads?campaignId={campaign}&full=true&cursor=&limit=1", "/v1/leads")
    assert full["leads"][0]["data"] == {"industry": "Software", "score": 85, "vip": True, "x": None}
    assert "nextCursor" in full
    lead = listed["leads"][0]["id"]
    await ask("GET", f"/v1/leads/{lead}", "/v1/leads/{lead_id}")
    await ask("GET", f"/v1/leads/{lead}?full=1", "/v1/leads/{lead_id}")
    await ask("POST", f"/v1/leads/{lead}/tags", "/v1/leads/{lead_id}/tags", json={"tag": "hot"})
    await ask("DELETE", f"/v1/leads/{lead}/tags/hot", "/v1/leads/{lead_id}/tags/{tag}")
    await ask("PATCH", f"/v1/leads/{lead}/status", "/v1/leads/{lead_id}/status", json={"status": "DONE"})
    await ask("DELETE", f"/v1/leads/{lead}", "/v1/leads/{lead_id}")
    history = await ask("GET", f"/v1/leads/{lead}/history", "/v1/leads/{lead_id}/history")
    assert len(history["entries"]) >= 2
    await ask("DELETE", f"/v1/leads/{lead}?purge=true", "/v1/leads/{lead_id}")
    await ask("GET", f"/v1/leads/{lead}", "/v1/leads/{lead_id}")


async def test_reading_imports_suppressions_and_events(ask: Documented, campaign: str) -> None:
    await ask("POST", "/v1/leads", json={"campaignId": campaign, "leads": ROWS})
    imports = await ask("GET", "/v1/imports?cursor=&limit=100", "/v1/imports")
    detail = await ask("GET", f"/v1/imports/{imports['imports'][-1]['id']}", "/v1/imports/{import_id}")
    assert detail["outcomes"]
    listed = await ask("GET", "/v1/suppressions")
    assert {entry["kind"] for entry in listed["suppressions"]} == {"person", "email", "company"}
    for entry in listed["suppressions"]:
        await ask("DELETE", f"/v1/suppressions/{entry['id']}", "/v1/suppressions/{suppression_id}")
    await ask("GET", "/v1/events?after=&types=lead.updated", "/v1/events")
    await ask("GET", "/v1/events?after=odd", "/v1/events")


async def test_changing_a_campaign(ask: Documented, campaign: str) -> None:
    path, template = f"/v1/campaigns/{campaign}", "/v1/campaigns/{campaign_id}"
    await ask("GET", "/v1/campaigns?cursor=", "/v1/campaigns")
    for body in ({"description": "New"}, {"action": "start"}, {"action": "start"}, {"action": "finish"}, {}):
        await ask("PATCH", path, template, json=body)
    await ask("PUT", f"{path}/sequence", f"{template}/sequence", json={"steps": [{"type": "visit_profile"}]})
    await ask("GET", path, template)
    await ask("DELETE", path, template)
    await ask("GET", path, template)


async def test_naming_people(ask: Documented) -> None:
    await ask("POST", "/v1/identity/resolve", json={"linkedinUrl": PERSON})
    await ask("POST", "/v1/identity/resolve", json={"linkedinUrls": [PERSON, "nobody"]})
    await ask("POST", "/v1/identity/resolve", json={})
    await ask("POST", "/v1/identity/aliases", json={"linkedinUrl": PERSON, "sameAs": "linkedin.com/in/ACoAAB2bcDE"})


async def test_the_edge(ask: Documented) -> None:
    content = {"Content-Type": "application/json"}
    await ask("POST", "/v1/campaigns", content=b"{", headers=content)
    await ask("POST", "/v1/campaigns", content=b"{}", headers={"Content-Type": "text/plain"})
    await ask("POST", "/v1/campaigns", content=b" " * 2_000_001, headers=content)
    await ask("GET", "/v1/campaigns", headers={"X-API-Key": "lw_live_none"})
    for name in ("Kept", "Kept", "Other"):
        body = json.dumps({"name": name})
        await ask("POST", "/v1/campaigns", content=body, headers={"Idempotency-Key": "documented"})
    await ask("GET", "/healthz")
    await ask("GET", "/readyz")
