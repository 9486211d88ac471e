"""The requests in the guide to campaigns are taken as they stand there."""

import itertools
import os
import shlex
from collections.abc import Callable
from typing import Any

import httpx
from tests.starting import startable


def requests_of(block: str) -> list[list[str]]:
    """The words of each curl command, with the environment filled in as a shell does, comments left out."""
    lines = shlex.split(os.path.expandvars(block.replace("'$CAMPAIGN_ID'", "$CAMPAIGN_ID")), comments=True)
    starts = [at for at, word in enumerate(lines) if word == "curl"]
    return [lines[at + 1 : end] for at, end in zip(starts, [*starts[1:], len(lines)], strict=True)]


async def send(client: httpx.AsyncClient, words: list[str]) -> httpx.Response:
    named = dict(itertools.pairwise(words))
    [url] = [word for word in words if word.startswith("http") and "/v1/" in word]
    headers = {"Content-Type": "application/json"} if "-d" in named else {}
    return await client.request(named.get("-X", "GET"), url, content=named.get("-d"), headers=headers)


async def test_every_request_of_the_guide_is_taken(
    client: httpx.AsyncClient, document: Callable[[str], Any], base_url: str, monkeypatch: Any
) -> None:
    ready = await startable(client)
    made = (await client.post("/v1/campaigns", json={"name": "Guide", **ready})).json()
    lead = {"campaignId": made["id"], "leads": [{"linkedinUrl": "in/somebody-of-the-guide"}]}
    added = (await client.post("/v1/leads?report=full", json=lead)).json()["results"][0]["leadId"]
    for name, value in {"SERVER": base_url, "API_KEY": "unused", "CAMPAIGN_ID": made["id"]}.items():
        monkeypatch.setenv(name, value)
    blocks = document("docs/guides/campaigns.md").blocks("bash")
    assert len(blocks) >= 7
    for block in blocks:
        filled = block.replace("SENDER_ID", made["senderIds"][0]).replace("LEAD_ID", added)
        for words in requests_of(filled):
            answer = await send(client, words)
            assert answer.status_code == 200, (words, answer.text)
