"""The leads that benchmarks send: distinct people, five custom fields, about 500 bytes each."""

import json
from collections.abc import Iterator
from typing import Any

LEADS_A_BATCH = 100


def lead(number: int) -> dict[str, Any]:
    """A lead no other number gives; the slugs are spread over the alphabet, as people's are."""
    slug = f"{(number * 2654435761) % 2**32:08x}-person-{number}"
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


def bodies(campaign_id: str, start: int, count: int) -> Iterator[bytes]:
    """``count`` request bodies of 100 leads each, from lead ``start`` on."""
    for batch in range(count):
        first = start + batch * LEADS_A_BATCH
        leads = [lead(number) for number in range(first, first + LEADS_A_BATCH)]
        yield json.dumps({"campaignId": campaign_id, "leads": leads}).encode()
