"""From the OpenAPI document: no workspace learns or changes anything of another, each scope opens its own routes.

Every route is asked with ids of another workspace wherever it takes one, and answers as for an id that never was.
"""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from psycopg import sql

from leadwright import ids
from leadwright.accounts.model import Scope
from leadwright.http.app import create_app
from leadwright.http.openapi import document as written
from leadwright.http.route import ANY_KEY
from leadwright.identity import Identity, IdentityKind
from leadwright.inbox import service as inbox
from leadwright.inbox.model import Direction, NewMessage
from leadwright.postgres.pool import Connection, Database
from leadwright.settings import Settings

JSON = dict[str, Any]

DOCUMENT = written(create_app(None, Settings()))  # type: ignore[arg-type]
NEVER = "0199c0ffee0070008000000000000001"
SECRET_OF_THE_OTHER = "nobodyelsesbusiness"
TABLES = {
    "account": "sender",
    "delivery": "webhook_delivery",
    "import": "lead_import",
    "key": "api_key",
    "task": "action",
}
"""Where the thing that an id names is kept, when not in the table of that name."""
PREFIXES = {"key": ids.Prefix.API_KEY, "account": ids.Prefix.SENDER}
REFERENCES = {
    **{f"{noun}Id": noun for noun in ("campaign", "lead", "sender", "account", "conversation", "key")},
    "senderIds": "sender",
}
"""Names of fields and parameters that hold ids, beside those in paths."""


@dataclass(frozen=True)
class Operation:
    """One route as the document has it."""

    method: str
    path: str
    drafted: JSON = field(repr=False)

    @property
    def name(self) -> str:
        return self.drafted["operationId"]

    @property
    def scope(self) -> str:
        return self.drafted["x-required-scope"]

    @property
    def in_path(self) -> list[str]:
        return [name for name in re.findall(r"{(\w+)}", self.path) if name.endswith("_id")]

    @property
    def in_query(self) -> list[str]:
        return [p["name"] for p in self.drafted["parameters"] if p.get("in") == "query" and p["name"] in REFERENCES]

    @property
    def needed(self) -> list[str]:
        """Parameters without which the route is not answered."""
        return [p["name"] for p in self.drafted["parameters"] if p.get("in") == "query" and p.get("required")]

    @property
    def body(self) -> Any:
        """The documented example of a body; None for a route without one."""
        content = self.drafted.get("requestBody", {}).get("content", {}).get("application/json")
        if content is None:
            return None
        return content["example"] if "example" in content else example_of(content["schema"])

    @property
    def in_body(self) -> list[str]:
        content = self.drafted.get("requestBody", {}).get("content", {}).get("application/json", {})
        return [name for name in properties_of(content.get("schema", {})) if name in REFERENCES]


def resolved(schema: JSON) -> JSON:
    if "$ref" in schema:
        return DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    options = [option for option in schema.get("anyOf", ()) if option.get("type") != "null"]
    return resolved(options[0]) if options else schema


def example_of(schema: JSON) -> Any:
    schema = resolved(schema)
    if schema.get("examples"):
        return schema["examples"][0]
    return {name: value_of(schema["properties"][name]) for name in schema.get("required", ())}


def value_of(drafted: JSON) -> Any:
    """An example of a field, or a value of its kind that means nothing."""
    schema = drafted if drafted.get("examples") else resolved(drafted)
    return (schema.get("examples") or schema.get("enum") or ["nothing"])[0]


def properties_of(schema: JSON) -> JSON:
    return resolved(schema).get("properties", {})


OPERATIONS = [
    Operation(method.upper(), path, drafted)
    for path, methods in DOCUMENT["paths"].items()
    for method, drafted in methods.items()
    if "x-required-scope" in drafted
]


@dataclass(frozen=True)
class Asked:
    """One request: which ids stand where."""

    operation: Operation
    path: JSON
    query: JSON
    body: Any

    async def of(self, client: httpx.AsyncClient) -> tuple[int, str]:
        """Status and body of the answer, without what names the request; of a stream only the status."""
        path = self.operation.path
        for name, value in {"tag": "hot", **self.path}.items():
            path = path.replace(f"{{{name}}}", value)
        request = {} if self.body is None else {"json": self.body}
        async with client.stream(self.operation.method, path, params=self.query, **request) as answer:
            if "event-stream" in answer.headers["content-type"]:
                return answer.status_code, ""
            await answer.aread()
        told = re.sub(r'"req_\w+"', '""', answer.text)
        return answer.status_code, told


@dataclass(frozen=True)
class World:
    """A workspace with one of everything, and a client with a key for all of it."""

    client: httpx.AsyncClient
    workspace_id: str
    ids: dict[str, str]

    def named(self, noun: str) -> str:
        return self.ids.get(noun) or never(noun)


def never(noun: str) -> str:
    """A well-formed id of something that never was."""
    return ids.public(prefix(noun), NEVER)


def prefix(noun: str) -> ids.Prefix:
    return PREFIXES.get(noun) or ids.Prefix[noun.upper()]


def nouns() -> set[str]:
    """Everything that some route names by its id."""
    in_paths = {name.removesuffix("_id") for each in OPERATIONS for name in each.in_path}
    return in_paths | {REFERENCES[name] for each in OPERATIONS for name in [*each.in_query, *each.in_body]}


async def furnish(client: httpx.AsyncClient) -> str:
    """One of everything, by the routes; answers the sender's id."""

    async def post(path: str, body: JSON) -> JSON:
        answer = await client.post(path, json=body)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    mark = SECRET_OF_THE_OTHER
    await post("/v1/suppressions", {"entries": [{"company": mark}], "reason": mark})
    await post("/v1/keys", {"name": mark})
    sender = await post("/v1/senders", {"name": mark, "linkedinUrl": f"in/{mark}", "channel": "manual"})
    await post("/v1/webhooks", {"name": mark, "url": f"https://{mark}.invalid/"})
    campaign = await post("/v1/campaigns", {"name": mark, "description": mark})
    rows = [{"linkedinUrl": f"in/{mark}", "firstName": mark, "note": mark}, {"linkedinUrl": "in/jane", "company": mark}]
    added = await post("/v1/leads?report=full", {"campaignId": campaign["id"], "leads": rows})
    lead = added["results"][0]["leadId"]
    await post(f"/v1/leads/{lead}/tags", {"tag": mark})
    await client.patch(f"/v1/leads/{lead}/status", json={"customLeadStatus": "INTERESTED", "note": mark})
    steps = {"steps": [{"id": "call", "type": "manual_task", "title": mark}]}
    waiting = await post("/v1/campaigns", {"name": mark, "senderIds": [sender["id"]], "sequence": steps})
    await post("/v1/leads", {"campaignId": waiting["id"], "leads": [{"linkedinUrl": f"in/{mark}-waiting"}]})
    await client.patch(f"/v1/campaigns/{waiting['id']}", json={"action": "start"})
    return sender["id"]


async def hear(database: Database, workspace_id: str, sender: str) -> None:
    """Somebody writes to a sender."""
    person = Identity(IdentityKind.SLUG, SECRET_OF_THE_OTHER)
    heard = NewMessage(
        ids.bare(ids.Prefix.SENDER, sender) or "",
        person,
        f"in/{SECRET_OF_THE_OTHER}",
        SECRET_OF_THE_OTHER,
        Direction.RECEIVED,
        SECRET_OF_THE_OTHER,
        datetime.now(UTC),
    )
    async with database.transaction() as connection:
        await inbox.keep_messages(connection, workspace_id, [heard])


async def settle(database: Database, workspace_id: str) -> None:
    """Returns when the background has published every event and has nothing to fold, to perform or to send at once."""
    async with asyncio.timeout(60), database.session() as connection:
        settled = False
        while not settled:
            cursor = await connection.execute(
                """
                SELECT EXISTS (SELECT FROM event WHERE workspace_id = %(ws)s AND position IS NULL)
                    OR EXISTS (SELECT FROM campaign_counter_delta WHERE workspace_id = %(ws)s)
                    OR NOT EXISTS (SELECT FROM action WHERE workspace_id = %(ws)s AND awaiting = 'person')
                    OR NOT EXISTS (SELECT FROM webhook_stream WHERE workspace_id = %(ws)s)
                    OR EXISTS (SELECT FROM webhook_stream WHERE workspace_id = %(ws)s AND due_at < now() + '1 day')
                """,
                {"ws": workspace_id},
            )
            settled = await cursor.fetchone() == (False,)


async def inventory(connection: Connection, workspace_id: str) -> dict[str, str]:
    """One id of each noun."""
    found: dict[str, str] = {}
    for noun in nouns():
        table = sql.Identifier(TABLES.get(noun, noun))
        chosen = sql.SQL("SELECT replace(id::text, '-', '') FROM {} WHERE workspace_id = %s LIMIT 1").format(table)
        cursor = await connection.execute(chosen, (workspace_id,))
        row = await cursor.fetchone()
        if row is not None:
            found[noun] = ids.public(prefix(noun), row[0])
    return found


@pytest.fixture(scope="module")
def settings() -> Settings:
    """A delivery that failed is tried again long after the tests."""
    return Settings(rate_limit=100_000, webhook_retry_schedule=(604_800.0,))


@pytest.fixture(scope="module")
async def worlds(
    database: Database, base_url: str, make_key: Callable[..., Awaitable[JSON]], workspace: Any, other_workspace: Any
) -> Any:
    """Ours, and the other one."""
    made: list[World] = []
    for each in (workspace, other_workspace):
        key = await make_key(workspace_id=each.id)
        client = httpx.AsyncClient(base_url=base_url, headers=key, timeout=60, trust_env=False)
        await hear(database, each.id, await furnish(client))
        await settle(database, each.id)
        async with database.session() as connection:
            made.append(World(client, each.id, await inventory(connection, each.id)))
    yield made
    for world in made:
        await world.client.aclose()


def put(body: Any, name: str, value: str) -> Any:
    """The body with an id in it; an action stands alone, so it makes room."""
    rest = {each: kept for each, kept in (body or {}).items() if each != "action"}
    return {**rest, name: [value] if name.endswith("Ids") else value}


def requests(operation: Operation, ours: World, name_of: Callable[[str], str]) -> Iterator[tuple[str, Asked]]:
    """The route asked with a foreign or a never-used id in one place, or in a place and all behind it."""
    path = {name: ours.named(name.removesuffix("_id")) for name in operation.in_path}
    own = {name: ours.named(REFERENCES[name]) for name in operation.needed if name in REFERENCES}
    body = operation.body
    for name in operation.in_body:
        body = put(body, name, ours.named(REFERENCES[name])) if name in (body or {}) else body
    for at, name in enumerate(operation.in_path):
        foreign = {each: name_of(each.removesuffix("_id")) for each in operation.in_path[at:]}
        yield name, Asked(operation, path | foreign, own, body)
    for name in operation.in_query:
        yield name, Asked(operation, path, {**own, name: name_of(REFERENCES[name])}, body)
    for name in operation.in_body:
        yield name, Asked(operation, path, own, put(body, name, name_of(REFERENCES[name])))


async def rows_of(database: Database, workspace_id: str) -> dict[str, list[str]]:
    """Every row of a workspace, as text."""
    async with database.session() as connection:
        cursor = await connection.execute(
            """
            SELECT table_name FROM information_schema.columns
            WHERE column_name = 'workspace_id' AND table_schema = 'public' ORDER BY table_name
            """
        )
        kept: dict[str, list[str]] = {}
        for (table,) in await cursor.fetchall():
            chosen = sql.SQL("SELECT t::text FROM {} t WHERE workspace_id = %s ORDER BY 1").format(
                sql.Identifier(table)
            )
            kept[table] = [row[0] for row in await (await connection.execute(chosen, (workspace_id,))).fetchall()]
    return kept


async def test_each_workspace_holds_one_of_everything_that_a_route_names(worlds: list[World]) -> None:
    """Fails when a room's routes take ids that ``furnish`` does not make yet: add it there."""
    for world in worlds:
        assert nouns() - world.ids.keys() == set()


TAKES_IDS = [each for each in OPERATIONS if each.in_path or each.in_query or each.in_body]


@pytest.mark.parametrize("operation", TAKES_IDS, ids=lambda operation: operation.name)
async def test_an_id_of_another_workspace_is_one_that_never_was(
    database: Database, worlds: list[World], operation: Operation
) -> None:
    ours, other = worlds
    before = await rows_of(database, other.workspace_id)
    foreign, unknown = requests(operation, ours, other.named), requests(operation, ours, never)
    for (place, asked), (_, same) in zip(foreign, unknown, strict=True):
        status, told = await asked.of(ours.client)
        assert (status, told) == await same.of(ours.client), place
        expect(operation, place, status, told)
        assert not any(named in told for named in other.ids.values())
        assert SECRET_OF_THE_OTHER not in told or "pagination" in told
    assert await rows_of(database, other.workspace_id) == before


def expect(operation: Operation, place: str, status: int, told: str) -> None:
    """What section 1 says of an unknown id, by where it stands."""
    if place in operation.in_path or place in ("campaignId", "accountId"):
        assert status == 404, (place, told)
    elif place in ("senderId", "senderIds") and place in operation.in_body:
        assert (status, json.loads(told)["message"]) == (400, "Invalid request or sender not found")
    else:
        assert status in (200, 400, 404), (place, told)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
async def test_no_list_shows_anything_of_another_workspace(
    connect: Any, worlds: list[World], operation: Operation
) -> None:
    if operation.method != "GET":
        return
    _, other = worlds
    nobody = await connect()
    _, told = await Asked(
        operation, {name: never(name.removesuffix("_id")) for name in operation.in_path}, {}, None
    ).of(nobody)
    assert SECRET_OF_THE_OTHER not in told
    assert not any(named in told for named in other.ids.values())


def anything(operation: Operation) -> Asked:
    path = {name: never(name.removesuffix("_id")) for name in operation.in_path}
    return Asked(operation, path, {}, operation.body)


@pytest.mark.parametrize("scope", list(Scope))
async def test_a_scope_opens_its_own_routes_and_no_others(connect: Any, scope: Scope) -> None:
    clerk = await connect(scope)
    for operation in OPERATIONS:
        status, told = await anything(operation).of(clerk)
        if operation.scope in (scope, ANY_KEY):
            assert status not in (401, 403), (operation.name, told)
        else:
            assert (status, json.loads(told)["message"]) == (403, f"Key lacks {operation.scope}"), operation.name


@pytest.mark.parametrize("scope", list(Scope))
async def test_no_other_scope_stands_in_for_one(connect: Any, scope: Scope) -> None:
    clerk = await connect(*(each for each in Scope if each is not scope))
    for operation in OPERATIONS:
        if operation.scope == scope:
            status, told = await anything(operation).of(clerk)
            assert (status, json.loads(told)["message"]) == (403, f"Key lacks {scope}"), operation.name
