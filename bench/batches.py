"""The leads that benchmarks send: distinct people, five custom fields, about 500 bytes each."""

import json
from dataclasses import dataclass
from hashlib import md5
from typing import Any

LEADS_A_BATCH = 100


def lead(number: int) -> dict[str, Any]:
    """A lead no other number gives. Slugs are spread at random, as people's are; ``bench.fill`` makes the same ones.

    A hash and not a multiplication: evenly spread keys would fill the pages of an index in step, and split them in
    waves.
    """
    slug = f"{md5(str(number).encode()).hexdigest()[:8]}-person-{number}"
    return {
        "linkedinUrl": f"https://www.linkedin.com/in/{slug}",
        "firstName": f"First{number % 977}",
        "lastName": f"Last{number % 7919}",
        "company": f"Company {number % 50_000}",
        "title": "VP of Engineering",
        "industry": "Technology and Services",
        "region": "North America",
        "referredBy": "Conference 2024, main hall",
        "customScore": number % 100,
        "icebreaker": "Loved your talk on AI automation in the field",
    }


@dataclass(frozen=True, slots=True)
class Batch:
    """100 leads from lead ``first`` on for a campaign; its body is written where it is sent from."""

    campaign: str
    first: int

    def body(self) -> bytes:
        leads = [lead(number) for number in range(self.first, self.first + LEADS_A_BATCH)]
        return json.dumps({"campaignId": self.campaign, "leads": leads}).encode()
