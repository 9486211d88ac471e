"""What a hostile or hasty client found once: half characters, misspelled switches, templates that explode."""

import asyncio
import json

import pytest

from leadwright.http import server

HALVES = ['{"linkedinUrl": "in/b", "x": "\\ud800"}', '{"linkedinUrl": "in/b", "x": "\\udc00\\ud800"}', '{"\\ud83e": 1}']


@pytest.mark.parametrize("row", HALVES)
async def test_half_an_emoji_refuses_its_row_alone(client, campaign, row):
    body = (
        f'{{"campaignId": "{campaign}", "leads": [{{"linkedinUrl": "in/before"}}, {row}, {{"linkedinUrl": "in/z"}}]}}'
    )
    answer = await client.post("/v1/leads", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["leadsAdded"], told["invalidEntries"]) == (2, 1)
    assert (told["errors"][0]["index"], told["errors"][0]["code"]) == (1, "invalid_json")


@pytest.mark.parametrize("query", ["dryrun=true", "DRYRUN=true", "dryRun=true&dryRun=false", "Report=full"])
async def test_a_misspelled_or_repeated_switch_is_refused_and_adds_nothing(client, campaign, read_all, query):
    body = {"campaignId": campaign, "leads": [{"linkedinUrl": "in/jane"}]}
    answer = await client.post(f"/v1/leads?{query}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert await read_all(campaign) == []


async def test_a_query_that_nobody_knows_is_left_aside(client, campaign):
    body = {"campaignId": campaign, "leads": [{"linkedinUrl": "in/jane"}]}
    assert (await client.post("/v1/leads?source=crm", json=body)).json()["leadsAdded"] == 1


async def test_a_sequence_that_would_hold_everybody_up_is_refused(client):
    many = "".join(f"{{{{a{n}}}}}" for n in range(700))
    for steps in ([{"type": "message", "text": many}] * 200, [{"type": "message", "text": many}]):
        answer = await client.post("/v1/campaigns", json={"name": "Too much", "sequence": {"steps": steps}})
        assert answer.status_code == 400
        assert "sequence" in answer.json()["message"]


async def test_warnings_of_a_dry_run_are_bounded(make_campaign, add):
    text = "".join(f"{{{{a{n}}}}}" for n in range(190))
    steps = [{"type": "message", "text": text}] * 60
    campaign = await make_campaign(sequence={"steps": steps})
    told = await add(campaign, [f"in/p{n}" for n in range(100)], "?dryRun=true")
    assert len(told["templateWarnings"]) == 1000
    assert len(json.dumps(told)) < 1_000_000


async def test_headers_that_do_not_end_end_the_connection(base_url):
    host, port = base_url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: ")
    refused = asyncio.ensure_future(reader.read())
    while not refused.done():
        try:
            writer.write(b"x" * 10_000)
            await writer.drain()
        except ConnectionError:
            break
        await asyncio.wait([refused], timeout=0.001)
    assert b"431" in (await refused).split(b"\r\n")[0]
    writer.close()


async def answer_to(base_url: str, *pieces: bytes) -> bytes:
    """What comes back for these bytes until the connection ends."""
    host, port = base_url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
    answer = await asyncio.wait_for(reader.read(), 30)
    writer.close()
    return answer


CLOSE = b"Host: x\r\nConnection: close\r\n"
FIRST = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize("before", [b"", FIRST])
@pytest.mark.parametrize(
    "request_line_and_headers",
    [
        b"GET /v1/" + b"x" * 70_000 + b" HTTP/1.1\r\n",
        b"GET /healthz?" + b"x" * 70_000 + b" HTTP/1.1\r\n",
        b"GET /healthz HTTP/1.1\r\nX-Long: " + b"x" * 64_000 + b"\r\n",
        b"GET /healthz HTTP/1.1\r\n" + b"".join(b"X-%d: x\r\n" % n for n in range(6_000)),
    ],
    ids=["path", "query", "header", "headers"],
)
async def test_a_path_or_headers_that_are_too_large_are_told_so(base_url, before, request_line_and_headers):
    answer = await answer_to(base_url, before + request_line_and_headers + CLOSE + b"\r\n")
    assert b"HTTP/1.1 431 Request Header Fields Too Large\r\n" in answer
    assert b'"code":"headers_too_large"' in answer
    assert answer.count(b"HTTP/1.1 200") <= (1 if before else 0)


async def test_a_large_body_behind_small_headers_is_no_large_head(base_url):
    head = b"POST /v1/leads HTTP/1.1\r\n" + CLOSE + b"Content-Length: 70000\r\n\r\n"
    assert b"HTTP/1.1 401" in await answer_to(base_url, head + b" " * 70_000)


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ",
        b"POST /v1/leads HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nX-API-Key: KEY\r\n\r\n{",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz HTTP/1.1\r\nHo",
    ],
)
async def test_a_request_that_does_not_arrive_ends_the_connection(base_url, headers, monkeypatch, begun):
    monkeypatch.setattr(server, "LONGEST_ARRIVAL_SECONDS", 0.2)
    host, port = base_url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(begun.replace(b"KEY", headers["X-API-Key"].encode()))
    answer = await asyncio.wait_for(reader.read(), 30)
    assert b"HTTP/1.1 408 Request Timeout" in answer
    assert b'"code":"request_timeout"' in answer
    writer.close()


async def test_a_slow_answer_is_no_slow_request(client, monkeypatch, database):
    monkeypatch.setattr(server, "LONGEST_ARRIVAL_SECONDS", 0.05)
    async with database.session() as connection:
        await connection.execute("BEGIN")
        await connection.execute("LOCK TABLE campaign")
        asking = asyncio.create_task(client.get("/v1/campaigns"))
        await connection.execute("SELECT pg_sleep(0.3)")
        assert not asking.done()
        await connection.execute("ROLLBACK")
    assert (await asking).status_code == 200
