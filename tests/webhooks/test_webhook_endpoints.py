"""Endpoints over the API: what they can be, what is refused, and that another workspace knows nothing of them."""

import pytest

from leadwright.webhooks import service

GOOD = "https://hooks.example.com/leadwright"


async def test_made_read_listed_edited_deleted(client):
    made = await client.post(
        "/v1/webhooks", json={"name": "CRM", "url": GOOD, "events": ["lead.updated"], "headers": {"X-Token": "abc123"}}
    )
    assert made.status_code == 201
    webhook = made.json()
    secret = webhook.pop("secret")
    assert secret.startswith("whsec_")
    assert (webhook["status"], webhook["enabled"], webhook["eventNames"]) == ("active", True, "current")
    path = f"/v1/webhooks/{webhook['id']}"
    read = (await client.get(path)).json()
    assert read == webhook
    assert read["headers"] == {"X-Token": "••••"}
    assert secret not in (await client.get("/v1/webhooks")).text
    edited = await client.patch(path, json={"name": "Other", "enabled": False, "headers": {}})
    assert (edited.json()["name"], edited.json()["status"], edited.json()["headers"]) == ("Other", "disabled", {})
    assert edited.json()["disabledReason"] == "by_person"
    assert edited.json()["events"] == ["lead.updated"]
    assert (await client.post(f"{path}/enable")).json()["status"] == "active"
    assert (await client.delete(path)).json() == {"success": True, "id": webhook["id"]}
    assert (await client.get(path)).status_code == 404


async def test_headers_do_not_follow_the_address_to_another_host(client, subscribe):
    path = f"/v1/webhooks/{(await subscribe(GOOD, headers={'Authorization': 'Bearer abc'}))['id']}"
    elsewhere = {"url": "https://elsewhere.example/hooks"}
    refused = await client.patch(path, json=elsewhere)
    assert (refused.status_code, refused.json()["details"][0]["path"]) == (400, "headers")
    assert (await client.patch(path, json={"url": f"{GOOD}/other"})).status_code == 200
    assert (await client.patch(path, json=elsewhere | {"headers": {}})).json()["headers"] == {}


async def test_headers_and_secrets_are_stored_sealed(client, subscribe, database):
    webhook = await subscribe(GOOD, headers={"Authorization": "Bearer very-secret-word"})
    async with database.session() as connection:
        cursor = await connection.execute("SELECT w::text FROM webhook w")
        stored = str(await cursor.fetchall())
    assert "very-secret-word" not in stored
    assert webhook["secret"].removeprefix("whsec_") not in stored


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://hooks.example.com/", "webhook_url_invalid"),
        ("ftp://hooks.example.com/", "webhook_url_invalid"),
        ("https://user:word@hooks.example.com/", "webhook_url_invalid"),
        ("https://hooks.example.com:0/", "webhook_url_invalid"),
        ("https://hooks.example.com\\@127.0.0.2/", "webhook_url_invalid"),
        ("https://", "webhook_url_invalid"),
        ("hooks", "webhook_url_invalid"),
        ("https://127.0.0.2/", "webhook_address_refused"),
        ("https://2130706434/", "webhook_address_refused"),
        ("https://[::ffff:10.0.0.1]/", "webhook_address_refused"),
        ("https://169.254.169.254/latest/meta-data", "webhook_address_refused"),
        ("https://localhost/", "webhook_address_refused"),
        ("https://intranet/", "webhook_address_refused"),
    ],
)
async def test_an_address_that_cannot_be_is_refused_and_changes_nothing(client, subscribe, url, code):
    refused = await client.post("/v1/webhooks", json={"name": "CRM", "url": url})
    assert (refused.status_code, refused.json()["code"]) == (400, code)
    assert refused.json()["details"][0]["path"] == "url"
    webhook = await subscribe(GOOD)
    assert (await client.patch(f"/v1/webhooks/{webhook['id']}", json={"url": url})).json()["code"] == code
    assert (await client.get(f"/v1/webhooks/{webhook['id']}")).json()["url"] == GOOD


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "url"),
        ({"url": GOOD, "events": []}, "events"),
        ({"url": GOOD, "events": ["lead.vanished"]}, "events"),
        ({"url": GOOD, "eventNames": "ancient"}, "eventNames"),
        ({"url": GOOD, "enabled": "yes"}, "enabled"),
        ({"url": GOOD, "name": " "}, "name"),
        ({"url": GOOD, "headers": {"svix-id": "x"}}, "headers"),
        ({"url": GOOD, "headers": {"Host": "x"}}, "headers"),
        ({"url": GOOD, "headers": {"Content-Length": "1"}}, "headers"),
        ({"url": GOOD, "headers": {"X-A": "a\r\nX-B: b"}}, "headers"),
        ({"url": GOOD, "headers": {"X A": "a"}}, "headers"),
        ({"url": GOOD, "headers": {f"X-{n}": "a" for n in range(21)}}, "headers"),
    ],
)
async def test_a_field_that_cannot_be_is_named(client, body, field):
    refused = await client.post("/v1/webhooks", json=body)
    assert refused.status_code == 400
    assert refused.json()["details"][0]["path"].startswith(field)


async def test_a_replayed_answer_shows_no_secret(client):
    headers = {"Idempotency-Key": "make-one"}
    first = await client.post("/v1/webhooks", json={"url": GOOD}, headers=headers)
    again = await client.post("/v1/webhooks", json={"url": GOOD}, headers=headers)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (again.json()["id"], again.json()["secret"]) == (first.json()["id"], None)
    path = f"/v1/webhooks/{first.json()['id']}"
    rotated = await client.post(f"{path}/rotate-secret", headers={"Idempotency-Key": "rotate"})
    assert rotated.json()["secret"].startswith("whsec_")
    assert (await client.post(f"{path}/rotate-secret", headers={"Idempotency-Key": "rotate"})).json()["secret"] is None
    await client.delete(path)


async def test_another_workspace_knows_nothing_of_them(client, subscribe, receiver, happen, anonymous, other_headers):
    webhook = await subscribe(receiver.url)
    await client.post(f"/v1/webhooks/{webhook['id']}/test")
    delivery = (await client.get(f"/v1/webhooks/{webhook['id']}/deliveries")).json()["deliveries"][0]["id"]
    path = f"/v1/webhooks/{webhook['id']}"
    for method, place in [
        ("GET", path), ("PATCH", path), ("DELETE", path), ("POST", f"{path}/enable"), ("POST", f"{path}/test"),
        ("POST", f"{path}/rotate-secret"), ("POST", f"{path}/redeliver"), ("GET", f"{path}/deliveries"),
        ("GET", f"{path}/deliveries/{delivery}"), ("POST", f"{path}/deliveries/{delivery}/redeliver"),
    ]:  # fmt: skip
        body = {"json": {}} if method in ("PATCH", "POST") else {}
        answer = await anonymous.request(method, place, headers=other_headers, **body)
        assert (answer.status_code, answer.json()["code"]) == (404, "webhook_not_found"), (method, place)
    assert (await anonymous.get("/v1/webhooks", headers=other_headers)).json() == {"webhooks": [], "total": 0}
    assert len(receiver.got) == 1


async def test_a_delivery_of_another_endpoint_is_unknown(client, subscribe, receiver):
    first, second = await subscribe(receiver.url), await subscribe(receiver.url)
    await client.post(f"/v1/webhooks/{first['id']}/test")
    delivery = (await client.get(f"/v1/webhooks/{first['id']}/deliveries")).json()["deliveries"][0]["id"]
    answer = await client.get(f"/v1/webhooks/{second['id']}/deliveries/{delivery}")
    assert (answer.status_code, answer.json()["code"]) == (404, "delivery_not_found")


async def test_the_log_in_pages_and_many_sent_again(client, subscribe, receiver):
    webhook = await subscribe(receiver.url)
    path = f"/v1/webhooks/{webhook['id']}"
    for _ in range(5):
        await client.post(f"{path}/test")
    log, cursor = [], ""
    while cursor is not None:
        page = (await client.get(f"{path}/deliveries?limit=2&cursor={cursor}")).json()
        log += page["deliveries"]
        cursor = page["nextCursor"]
    assert [each["id"] for each in log] == sorted((each["id"] for each in log), reverse=True)
    assert len(log) == 5
    assert (await client.get(f"{path}/deliveries?status=failed")).json()["deliveries"] == []
    middle = log[2]["createdAt"]
    later = await client.post(f"{path}/redeliver", json={"status": "delivered", "from": middle})
    assert (later.status_code, later.json()) == (202, {"redelivered": 3, "nextCursor": None})
    got = await receiver.wait_for(8)
    assert sorted(each.event["eventId"] for each in got[5:]) == sorted(each["eventId"] for each in log[:3])
    assert {each.body for each in got[5:]} < {each.body for each in got[:5]}
    assert (await client.post(f"{path}/redeliver", json={"status": "pending"})).status_code == 400
    assert (await client.post(f"{path}/redeliver", json={"from": "yesterday"})).status_code == 400
    turned = await client.post(f"{path}/redeliver", json={"from": middle, "to": "2026-01-01T00:00:00+23:59"})
    assert (turned.status_code, turned.json()["details"][0]["path"]) == (400, "to")
    far = await client.post(f"{path}/redeliver", json={"from": "9999-12-30T00:00:00-23:59"})
    assert (far.status_code, far.json()["redelivered"]) == (202, 0)


async def test_more_than_one_request_sends_are_sent_again_in_several(client, subscribe, receiver, monkeypatch):
    monkeypatch.setattr(service, "MOST_REDELIVERED", 2)
    webhook = await subscribe(receiver.url)
    path = f"/v1/webhooks/{webhook['id']}"
    for _ in range(5):
        await client.post(f"{path}/test")
    counts, more = [], {}
    while "cursor" not in more or more["cursor"]:
        answer = (await client.post(f"{path}/redeliver", json={"to": "9999-12-31T23:59:59Z"} | more)).json()
        counts.append(answer["redelivered"])
        more = {"cursor": answer["nextCursor"]}
    assert counts == [2, 2, 1]
    got = await receiver.wait_for(10)
    assert {each.body for each in got[5:]} == {each.body for each in got[:5]}
    assert (await client.post(f"{path}/redeliver", json={"from": "0001-01-01T00:00:00Z"})).status_code == 202
    assert (await client.post(f"{path}/redeliver", json={"cursor": "somewhere"})).status_code == 400


async def test_there_is_a_most_of_them(client, subscribe, monkeypatch):
    monkeypatch.setattr(service, "MOST_WEBHOOKS", 1)
    await subscribe(GOOD)
    assert (await client.post("/v1/webhooks", json={"url": GOOD})).json()["code"] == "too_many_webhooks"
