"""What a serving process writes about its requests: enough to find one, and nothing of persons or keys."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable

import httpx

MARKER = "Zaphodina"
SERVE = """
import asyncio, sys
from leadwright.clock import system_clock
from leadwright.crypto import SecretBox
from leadwright.http.server import Server, bind, serving
from leadwright.postgres.pool import Database
from leadwright.settings import Settings
from leadwright.telemetry.logs import configure

async def main():
    configure("debug", "json")
    database = Database(sys.argv[1])
    await database.open()
    async with serving(database, Settings(), system_clock, SecretBox("a key for tests only")) as app:
        server, listening = Server(app), bind("127.0.0.1", 0)
        running = asyncio.create_task(server.serve(sockets=[listening]))
        await server.accepting.wait()
        print(listening.getsockname()[1], flush=True)
        await asyncio.to_thread(sys.stdin.read)
        server.stop()
        await running
    await database.close()

asyncio.run(main())
"""
PREPARE = """
import asyncio, sys
from datetime import UTC, datetime
from leadwright.accounts import service as accounts
from leadwright.postgres.pool import Database

async def main():
    database = Database(sys.argv[1])
    await database.open()
    async with database.transaction() as connection:
        await connection.execute("ALTER TABLE campaign ADD CHECK (name NOT LIKE 'broken%')")
        _, key = await accounts.create_key(
            connection, name=sys.argv[2], scopes=(), workspace_id=None, expires_at=None, now=datetime.now(UTC))
        print(key)
    await database.close()

asyncio.run(main())
"""


async def python(script: str, *arguments: str) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    command = (sys.executable, "-c", script, *arguments)
    return await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe)


async def requests(client: httpx.AsyncClient) -> AsyncIterator[httpx.Response]:
    """One of each kind, the marker wherever a caller can put a person's name."""
    made = await client.post("/v1/campaigns", json={"name": MARKER})
    yield made
    person = {"linkedinUrl": f"linkedin.com/in/{MARKER}", "firstName": MARKER, "email": f"{MARKER}@x.example"}
    rows = [person, {"linkedinUrl": f"https://{MARKER}"}, MARKER]
    body = {"campaignId": made.json()["id"], "leads": rows}
    for _ in range(2):
        yield await client.post("/v1/leads", json=body, headers={"Idempotency-Key": MARKER})
    yield await client.get("/v1/leads", params={"campaignId": MARKER})
    yield await client.get(f"/v1/{MARKER}")
    yield await client.get(f"/v1/leads/{MARKER}", headers={"User-Agent": MARKER})
    yield await client.get("/v1/leads", headers={"X-API-Key": MARKER})
    yield await client.post("/v1/suppressions", json={"entries": [{"email": f"{MARKER}@x.example"}]})
    yield await client.post("/v1/campaigns", content=f'{{"{MARKER}'.encode())
    yield await client.post("/v1/campaigns", json={"name": f"broken {MARKER}"})


async def test_logs_hold_neither_persons_nor_keys(make_database: Callable[..., str]) -> None:
    conninfo = await asyncio.to_thread(make_database)
    key = (await (await python(PREPARE, conninfo, MARKER)).communicate())[0].decode().strip()
    process = await python(SERVE, conninfo)
    assert process.stdout is not None
    url = f"http://127.0.0.1:{int(await process.stdout.readline())}"
    async with httpx.AsyncClient(base_url=url, headers={"X-API-Key": key}, trust_env=False) as client:
        answers = [answer async for answer in requests(client)]
    written = (await process.communicate(b""))[1].decode()

    statuses = [answer.status_code for answer in answers]
    assert (statuses, process.returncode) == ([201, 200, 200, 404, 404, 404, 401, 200, 400, 500], 0)
    assert MARKER.lower() not in written.lower()
    assert key.removeprefix("lw_live_")[:8] not in written
    check_records([json.loads(line) for line in written.splitlines()], answers)


def check_records(records: list[dict[str, object]], answers: list[httpx.Response]) -> None:
    """Each request can be found by its id, and the fault that was ours says where it happened."""
    told = [(record["request_id"], record["status"]) for record in records if record["event"] == "request"]
    assert told == [(answer.headers["X-Request-Id"], answer.status_code) for answer in answers]
    faults = [record for record in records if record["event"] == "unhandled fault"]
    assert [(fault["fault"], fault["request_id"]) for fault in faults] == [
        ("CheckViolation", answers[-1].headers["X-Request-Id"])
    ]
    assert "campaigns/store.py" in str(faults[0]["where"])
