"""Many clients at once: each person is added once, the counters of all answers add up, tenants never meet."""

import asyncio
import random

import httpx


async def test_32_clients_adding_the_same_100_leads_add_100(base_url, headers, campaign, read_all):
    urls = [f"https://www.linkedin.com/in/person-{i}" for i in range(100)]

    async def one(number: int) -> dict[str, int]:
        shuffled = random.Random(number).sample(urls, len(urls))
        async with httpx.AsyncClient(base_url=base_url, headers=headers, timeout=60, trust_env=False) as client:
            body = {"campaignId": campaign, "leads": [{"linkedinUrl": url} for url in shuffled]}
            answer = await client.post("/v1/leads", json=body)
            assert answer.status_code == 200, answer.text
            return answer.json()

    told = await asyncio.gather(*(one(number) for number in range(32)))
    assert sum(t["leadsAdded"] for t in told) == 100
    assert sum(t["duplicatesSkipped"] for t in told) == 3100
    assert sorted(lead["linkedinUrl"] for lead in await read_all(campaign)) == sorted(urls)


async def test_two_workspaces_with_the_same_people_never_meet(client, base_url, campaign, other_headers):
    async with httpx.AsyncClient(base_url=base_url, headers=other_headers, timeout=60, trust_env=False) as other:
        other_campaign = (await other.post("/v1/campaigns", json={"name": "Theirs"})).json()["id"]
        rows = [{"linkedinUrl": f"in/shared-{i}"} for i in range(50)]
        both = ((client, campaign), (other, other_campaign))
        told = await asyncio.gather(
            *(c.post("/v1/leads", json={"campaignId": k, "leads": rows}) for c, k in both for _ in range(4))
        )
        assert [t.status_code for t in told] == [200] * 8
        assert sum(t.json()["leadsAdded"] for t in told) == 100
        lead = (await other.get(f"/v1/leads?campaignId={other_campaign}")).json()["leads"][0]["id"]
        for path in (f"/v1/leads/{lead}", f"/v1/leads/{lead}/history", f"/v1/leads?campaignId={other_campaign}"):
            assert (await client.get(path)).status_code == 404
        assert (await client.delete(f"/v1/leads/{lead}")).status_code == 404
        assert (await other.get(f"/v1/leads/{lead}")).status_code == 200
