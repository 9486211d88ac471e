"""Two keys that turn out to be one person: duplicates, suppressions and the younger lead of a pair."""

import pytest

SLUG = "https://www.linkedin.com/in/jane-smith"
TOKEN = "https://www.linkedin.com/in/ACoAAABxYz0BqLmN"


@pytest.fixture
def join(client):
    async def post(one: str, other: str) -> dict[str, object]:
        answer = await client.post("/v1/identity/aliases", json={"linkedinUrl": one, "sameAs": other})
        assert answer.status_code == 200, answer.text
        return answer.json()

    return post


@pytest.mark.parametrize("first", [0, 1])
async def test_the_younger_lead_stops_whichever_key_it_has(client, make_campaign, add, read_all, join, first):
    urls = [f"in/person-{first}", f"in/ACoAAyounger{first}"]
    older, younger = urls if first == 0 else urls[::-1]
    campaign = await make_campaign()
    await add(campaign, [older])
    await add(campaign, [younger])
    assert (await join(*urls))["learned"] is True
    assert (await join(*urls[::-1])) == {"success": True, "learned": False, "identityKey": f"slug:person-{first}"}
    leads = {lead["linkedinUrl"]: lead for lead in await read_all(campaign)}
    assert (leads[older]["status"], leads[younger]["status"]) == ("PENDING", "STOPPED")
    entries = (await client.get(f"/v1/leads/{leads[younger]['id']}/history")).json()["entries"]
    assert entries[-1]["detail"]["duplicateOf"] == leads[older]["id"]
    told = await add(campaign, urls, "?report=full")
    assert [r["existingLeadId"] for r in told["results"]] == [leads[older]["id"]] * 2
    assert {r["identityKey"] for r in told["results"]} == {f"slug:person-{first}"}


async def test_after_joining_either_address_is_the_same_person(campaign, add, join):
    await add(campaign, [TOKEN])
    await join(SLUG, TOKEN)
    told = await add(campaign, [SLUG, TOKEN], "?report=full")
    assert [r["outcome"] for r in told["results"]] == ["duplicate", "duplicate_in_request"]


async def test_a_new_lead_under_an_alias_is_told_by_its_canonical_key(make_campaign, add, join):
    await join("in/canon", "in/ACoAAcanon")
    told = await add(await make_campaign(), ["in/ACoAAcanon"], "?report=full")
    assert told["results"][0]["identityKey"] == "slug:canon"


async def test_a_suppression_follows_the_alias_both_ways(client, make_campaign, add, join):
    await client.post("/v1/suppressions", json={"entries": [{"linkedinUrl": "in/ACoAAsuppressed"}]})
    await join("in/suppressed-person", "in/ACoAAsuppressed")
    told = await add(await make_campaign(), ["in/suppressed-person", "in/ACoAAsuppressed"])
    assert told["invalidEntries"] == 2


async def test_joining_ends_at_the_workspace(base_url, client, other_headers, join):
    await join("in/mine", "in/ACoAAmine")
    body = {"linkedinUrl": "in/ACoAAmine"}
    answer = (await client.post("/v1/identity/resolve", json=body, headers=other_headers)).json()
    assert answer["canonical"] == "member_token:ACoAAmine"


async def test_joining_what_is_no_person_names_the_field(client):
    answer = await client.post("/v1/identity/aliases", json={"linkedinUrl": SLUG, "sameAs": "nonsense"})
    assert (answer.status_code, answer.json()["details"][0]["path"]) == (400, "sameAs")
