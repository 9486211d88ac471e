"""Section 10 of the wire contract: the bodies of the do-not-contact list."""

PATH = "/v1/suppressions"


async def test_10_adding_is_answered_with_counts_and_errors(own):
    entries = [{"company": "Acme"}, {"company": "ACME"}, {"email": "a@b.example"}, {"email": "no"}, {}]
    answer = await own.post(PATH, json={"entries": entries, "reason": "asked"})
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"added", "alreadyPresent", "invalid", "errors"}
    assert (body["added"], body["alreadyPresent"], body["invalid"]) == (2, 1, 2)
    assert [error["index"] for error in body["errors"]] == [3, 4]


async def test_10_the_reason_is_optional_and_kept(own):
    await own.post(PATH, json={"entries": [{"company": "A"}], "reason": "asked"})
    await own.post(PATH, json={"entries": [{"company": "B"}]})
    reasons = [entry["reason"] for entry in (await own.get(PATH)).json()["suppressions"]]
    assert reasons == ["asked", None]


async def test_10_an_entry_is_taken_off(own, refused):
    await own.post(PATH, json={"entries": [{"company": "A"}]})
    [entry] = (await own.get(PATH)).json()["suppressions"]
    assert (await own.delete(f"{PATH}/{entry['id']}")).status_code == 200
    refused(await own.delete(f"{PATH}/{entry['id']}"), 404)
    assert (await own.get(PATH)).json()["suppressions"] == []
