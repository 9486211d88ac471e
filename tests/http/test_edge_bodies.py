"""Every shape of body that a hostile or hasty client can send, and what the edge says of it."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from leadwright.ids import new_id

Refused = Callable[..., dict[str, Any]]

MEGABYTE = 1_000_000
DEEP = b"[" * 10_000 + b"]" * 10_000
CONTENT = {"Content-Type": "application/json"}


async def campaigns(client: httpx.AsyncClient) -> int:
    return (await client.get("/v1/campaigns")).json()["pagination"]["total"]


@pytest.fixture(scope="module")
async def campaign_id(client: httpx.AsyncClient) -> str:
    return (await client.post("/v1/campaigns", json={"name": "Bodies"})).json()["id"]


NO_JSON = {
    "words": b"name=Spring",
    "half an object": b'{"name": "Spring"',
    "two values": b'{"name": "Spring"} {}',
    "a trailing comma": b'{"name": "Spring",}',
    "not a number": b'{"name": "Spring", "maxNewLeadsPerDay": NaN}',
    "infinity": b'{"name": "Spring", "maxNewLeadsPerDay": Infinity}',
    "beyond a double": b'{"name": "Spring", "maxNewLeadsPerDay": 1e400}',
    "a raw NUL": b'{"name": "Spr\x00ing"}',
    "a raw line break": b'{"name": "Spr\ning"}',
    "a lone surrogate": b'{"name": "\\ud800"}',
    "a swapped pair of surrogates": b'{"name": "\\udc00\\ud800"}',
    "latin-1": '{"name": "Jürgen"}'.encode("latin-1"),
    "utf-16": '{"name": "Spring"}'.encode("utf-16"),
    "an encoded surrogate": b'{"name": "\xed\xa0\x80"}',
    "overlong utf-8": b'{"name": "\xc0\xaf"}',
    "10,000 deep": b'{"name": ' + DEEP + b"}",
    "10,000 deep objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
}


@pytest.mark.parametrize("body", NO_JSON.values(), ids=NO_JSON.keys())
async def test_what_is_not_json_is_refused_and_changes_nothing(
    client: httpx.AsyncClient, refused: Refused, body: bytes
) -> None:
    before = await campaigns(client)
    told = refused(await client.post("/v1/campaigns", content=body, headers=CONTENT), 400)
    assert told["code"] == "invalid_json"
    assert await campaigns(client) == before


@pytest.mark.parametrize("kind", ["latin-1", "utf-16", "an encoded surrogate", "overlong utf-8"])
async def test_another_encoding_is_named_in_plain_words(client: httpx.AsyncClient, refused: Refused, kind: str) -> None:
    for method, path in (("POST", "/v1/campaigns"), ("PUT", "/v1/campaigns/camp_1/sequence"), ("POST", "/v1/senders")):
        answer = await client.request(method, path, content=NO_JSON[kind], headers=CONTENT)
        assert refused(answer, 400)["message"] == "body: expected JSON in UTF-8"


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"1", b'"name"', b"{}", b'{"name": null}', b'{"name": 5}'])
async def test_json_of_another_shape_is_refused(client: httpx.AsyncClient, refused: Refused, body: bytes) -> None:
    told = refused(await client.post("/v1/campaigns", content=body, headers=CONTENT), 400)
    assert told["code"] == "invalid_request"
    assert [set(detail) for detail in told["details"]] == [{"path", "message"}]
    assert told["message"] == "{path}: {message}".format(**told["details"][0])


@pytest.mark.parametrize("body", [b'{"name": "a\\u0000b"}', b'{"name": "a", "x": [{"y\\u0000": 1}]}'])
async def test_an_escaped_nul_is_refused_by_name(client: httpx.AsyncClient, refused: Refused, body: bytes) -> None:
    told = refused(await client.post("/v1/campaigns", content=body, headers=CONTENT), 400)
    assert "must not contain the NUL character" in told["message"]
    assert told["message"].startswith(("name:", "x[0]"))


async def test_a_text_that_only_looks_like_an_escaped_nul_passes(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/campaigns", content=b'{"name": "C:\\\\u0000"}', headers=CONTENT)
    assert (answer.status_code, answer.json()["name"]) == (201, "C:\\u0000")


@pytest.mark.parametrize("number", [2**63, 2**64, 10**30, -(10**30), 10**1000])
async def test_numbers_beyond_64_bits_are_refused(client: httpx.AsyncClient, refused: Refused, number: int) -> None:
    body = json.dumps({"name": "Spring", "maxNewLeadsPerDay": 1}).replace("1}", f"{number}}}")
    told = refused(await client.post("/v1/campaigns", content=body, headers=CONTENT), 400)
    assert "maxNewLeadsPerDay" in told["message"]


@pytest.mark.parametrize("body", NO_JSON.values(), ids=NO_JSON.keys())
async def test_the_hand_decoded_body_is_refused_alike(client: httpx.AsyncClient, refused: Refused, body: bytes) -> None:
    told = refused(await client.post("/v1/leads", content=body, headers=CONTENT), 400)
    assert told["code"] in ("invalid_json", "invalid_request")


@pytest.mark.parametrize(
    "label", ["text/plain", "application/xml", "multipart/form-data; boundary=x", "json", ";charset=utf-16"]
)
@pytest.mark.parametrize("path", ["/v1/campaigns", "/v1/leads"])
async def test_a_body_that_is_said_not_to_be_json_is_unsupported(
    client: httpx.AsyncClient, refused: Refused, path: str, label: str
) -> None:
    answer = await client.post(path, content=b'{"name": "Spring"}', headers={"Content-Type": label})
    assert f"'{label.split(';')[0] or label}'" in refused(answer, 415)["message"]


@pytest.mark.parametrize(
    "label", [None, "application/json; charset=utf-8", "APPLICATION/JSON", "application/vnd.api+json"]
)
async def test_json_under_its_usual_labels_or_none_is_read(client: httpx.AsyncClient, label: str | None) -> None:
    headers = {} if label is None else {"Content-Type": label}
    answer = await client.post("/v1/campaigns", content=b'{"name": "Labelled"}', headers=headers)
    assert answer.status_code == 201


@pytest.mark.parametrize("path", ["/v1/campaigns", "/v1/leads", "/v1/suppressions"])
async def test_5_mb_are_too_many_when_declared(client: httpx.AsyncClient, refused: Refused, path: str) -> None:
    body = b'{"name": "' + b"a" * 5 * MEGABYTE + b'"}'
    told = refused(await client.post(path, content=body, headers=CONTENT), 413)
    assert told["message"] == "The request body is larger than 2000000 bytes"


async def test_5_mb_are_too_many_when_they_come_in_chunks(client: httpx.AsyncClient, refused: Refused) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(50):
            yield b" " * (MEGABYTE // 10)

    refused(await client.post("/v1/campaigns", content=chunks(), headers=CONTENT), 413)


async def test_a_body_of_just_the_limit_is_read(client: httpx.AsyncClient, refused: Refused) -> None:
    body = b'{"name": "Spring"}'.ljust(2 * MEGABYTE)
    assert (await client.post("/v1/campaigns", content=body, headers=CONTENT)).status_code == 201
    refused(await client.post("/v1/campaigns", content=body + b" ", headers=CONTENT), 413)


async def test_the_body_of_a_get_means_nothing(client: httpx.AsyncClient) -> None:
    answer = await client.request("GET", "/v1/campaigns", content=b"{", headers={"Content-Type": "text/plain"})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/v1/campaigns?limit=0", "limit"),
        ("/v1/campaigns?limit=101", "limit"),
        ("/v1/campaigns?page=0", "page"),
        ("/v1/campaigns?page=x", "page"),
        ("/v1/campaigns?status=odd", "status"),
        ("/v1/leads?status=none", "status"),
        ("/v1/leads?full=perhaps", "full"),
        ("/v1/leads?cursor=%00", "cursor"),
        ("/v1/leads?limit=%EF%BF", "limit"),
        ("/v1/events?limit=1e2", "limit"),
        ("/v1/events?types=odd", "types"),
    ],
)
async def test_a_bad_parameter_is_named(client: httpx.AsyncClient, refused: Refused, path: str, name: str) -> None:
    told = refused(await client.get(path), 400)
    assert told["message"].startswith(f"{name}: ")
    assert [detail["path"] for detail in told["details"]] == [name]


@pytest.mark.parametrize("page", [10**6, 2**63, 10**30, 10**300])
@pytest.mark.parametrize("path", ["/v1/campaigns", "/v1/leads", "/v1/imports", "/v1/suppressions"])
async def test_no_page_is_too_far(client: httpx.AsyncClient, path: str, page: int) -> None:
    answer = await client.get(path, params={"page": str(page), "limit": "100"})
    assert answer.status_code == 200, answer.text
    assert answer.json()[path.removeprefix("/v1/")] == []


@pytest.mark.parametrize("text", ["%00", "%EF%BF%BD", "a" * 5000, "lead_" + "G" * 32, "%F0%9F%92%A9", "'"])
async def test_an_id_that_cannot_be_one_is_an_unknown_one(
    client: httpx.AsyncClient, refused: Refused, text: str
) -> None:
    for path in (f"/v1/leads/{text}", f"/v1/campaigns/{text}", f"/v1/imports/{text}"):
        refused(await client.get(path), 404)


async def test_another_workspaces_id_is_an_unknown_one(
    client: httpx.AsyncClient,
    anonymous: httpx.AsyncClient,
    other_headers: dict[str, str],
    campaign_id: str,
    refused: Refused,
) -> None:
    foreign = await anonymous.get(f"/v1/campaigns/{campaign_id}", headers=other_headers)
    absent = await anonymous.get(f"/v1/campaigns/camp_{new_id()}", headers=other_headers)
    assert refused(foreign, 404)["message"] == refused(absent, 404)["message"] == "Campaign not found"
    assert (await client.get(f"/v1/campaigns/{campaign_id}")).status_code == 200


GARBAGE = [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 50 + b"\r\n\r\n",
    b"hello\r\n\r\n",
    b"GET\r\n\r\n",
    b"FETCH /v1/leads HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /v1/leads HTTP/9.9\r\nHost: x\r\n\r\n",
    b"GET /v1/l\xc3\xa4ads HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /v1/leads HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"POST /v1/leads HTTP/1.1\r\nHost: x\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
    b"POST /v1/leads HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
    b"CONNECT leadwright.example:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET http:// HTTP/1.1\r\nHost: x\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
]


@pytest.mark.parametrize("sent", GARBAGE, ids=range(len(GARBAGE)))
async def test_bytes_that_are_no_http_get_an_error_of_the_usual_shape(base_url: str, sent: bytes) -> None:
    host, port = base_url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(sent)
    await writer.drain()
    received = await asyncio.wait_for(reader.read(), 30)
    writer.close()
    await writer.wait_closed()
    head, _, body = received.partition(b"\r\n\r\n")
    told = json.loads(body)
    headers = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    assert head.startswith(f"HTTP/1.1 {told['statusCode']} ".encode())
    assert told["statusCode"] in (400, 401, 404)
    assert set(told) == {"statusCode", "message", "error", "code", "requestId"}
    assert headers[b"content-type"] == b"application/json"
    assert headers[b"x-request-id"] == told["requestId"].encode()


async def test_a_socket_that_upgrades_to_nothing_known_gets_an_answer(
    client: httpx.AsyncClient, refused: Refused
) -> None:
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Key": "x"}
    refused(await client.get("/v1/nothing", headers=upgrade), 404, "Cannot GET /v1/nothing")
