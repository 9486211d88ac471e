"""The request and the answer in the README are those of the API that Leadwright is compatible with, and they work."""

import json
import re
import shlex
from collections.abc import Callable
from typing import Any

import httpx

import leadwright

SEED_REQUEST = {
    "campaignId": "camp_xyz789",
    "leads": [
        {
            "linkedinUrl": "https://www.linkedin.com/in/john-doe",
            "firstName": "John",
            "lastName": "Doe",
            "company": "TechCorp",
            "title": "VP of Engineering",
            "industry": "Technology",
            "region": "North America",
        },
        {
            "linkedinUrl": "https://www.linkedin.com/in/jane-smith",
            "firstName": "Jane",
            "lastName": "Smith",
            "referredBy": "Conference 2024",
            "customScore": 85,
            "icebreaker": "Loved your talk on AI automation",
        },
    ],
}
SEED_ANSWER = '{\n  "success": true,\n  "leadsAdded": 2,\n  "duplicatesSkipped": 0,\n  "invalidEntries": 0\n}\n'


def curl(readme: Any) -> list[str]:
    [command] = [block for block in readme.blocks("sh") if block.startswith("curl")]
    return shlex.split(command.replace("\\\n", ""))


def test_the_request_is_the_seeds_word_for_word(document: Callable[[str], Any]) -> None:
    *words, body = curl(document("README.md"))
    assert words == [
        "curl", "-X", "POST", "http://127.0.0.1:8080/v1/leads",
        "-H", "X-API-Key: YOUR_API_KEY",
        "-H", "Content-Type: application/json",
        "-d",
    ]  # fmt: skip
    assert json.loads(body) == SEED_REQUEST
    assert body == json.dumps(SEED_REQUEST, indent=2).replace("\n", "\n  ")


def test_the_answer_is_the_seeds(document: Callable[[str], Any]) -> None:
    assert document("README.md").blocks("json") == [SEED_ANSWER]


async def test_the_request_gets_that_answer(client: httpx.AsyncClient, document: Callable[[str], Any]) -> None:
    made = await client.post("/v1/campaigns", json={"name": "First campaign"})
    body = curl(document("README.md"))[-1].replace("camp_xyz789", made.json()["id"])
    answer = await client.post("/v1/leads", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()) == (200, json.loads(SEED_ANSWER))
    assert list(answer.json()) == list(json.loads(SEED_ANSWER))


def test_every_make_target_that_is_named_exists(documents: list[Any], document: Callable[[str], Any]) -> None:
    there_are = set(re.findall(r"^([a-z-]+):", document("Makefile").text, re.MULTILINE))
    named = {
        target for page in documents for target in re.findall(r"(?:^|`|&& )make ([a-z-]+)", page.text, re.MULTILINE)
    }
    assert named
    assert named <= there_are


def test_the_changelog_begins_with_this_version(document: Callable[[str], Any]) -> None:
    [version, *_] = re.findall(r"^## (\S+)", document("CHANGELOG.md").text, re.MULTILINE)
    assert version == leadwright.__version__
