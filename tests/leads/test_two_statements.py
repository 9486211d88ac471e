"""A workspace without aliases and do-not-contact list is served by a cheaper statement: it must tell the same."""

from typing import Any

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SPELLINGS = ("in/p{}", "https://www.linkedin.com/in/P{}/", "uk.linkedin.com/in/p{}?x=1", "http://example.com/in/p{}")
ROWS = st.lists(st.tuples(st.integers(0, 6), st.sampled_from(SPELLINGS)), min_size=1, max_size=20)


async def told(client: httpx.AsyncClient, headers: dict[str, str], batches: list[list[str]]) -> list[Any]:
    campaign = (await client.post("/v1/campaigns", json={"name": "One of two"}, headers=headers)).json()["id"]
    answers: list[Any] = []
    for urls in batches:
        body = {"campaignId": campaign, "leads": [{"linkedinUrl": url} for url in urls]}
        report = (await client.post("/v1/leads?report=full", json=body, headers=headers)).json()
        record = (await client.get(f"/v1/imports/{report['importId']}", headers=headers)).json()
        counters = [report[name] for name in ("leadsAdded", "duplicatesSkipped", "invalidEntries")]
        rows = [(r["outcome"], r["identityKey"], r["code"], bool(r["existingLeadId"])) for r in report["results"]]
        outcomes = [(o["index"], o["outcome"], o["code"], o["identityKey"]) for o in record["outcomes"]]
        answers.append((counters, rows, outcomes, record["received"]))
    return answers


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(ROWS, min_size=1, max_size=3))
async def test_both_statements_tell_the_same(client, headers, other_headers, batches):
    aliases = {"linkedinUrl": "in/somebody-else", "sameAs": "in/ACoAAsomebodyElse"}
    assert (await client.post("/v1/identity/aliases", json=aliases, headers=other_headers)).status_code == 200
    entry = {"entries": [{"linkedinUrl": "in/not-in-these-batches"}]}
    assert (await client.post("/v1/suppressions", json=entry, headers=other_headers)).status_code == 200
    urls = [[spelling.format(person) for person, spelling in rows] for rows in batches]
    assert await told(client, headers, urls) == await told(client, other_headers, urls)
