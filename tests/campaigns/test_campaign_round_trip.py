"""Whatever campaign is sent comes back as it was sent."""

from typing import Any

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.campaigns.asking import create

from leadwright.campaigns.schedule import time_zones

DURATIONS = st.dictionaries(st.sampled_from(["days", "hours", "minutes", "seconds"]), st.integers(0, 50))
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=200).filter(
    lambda name: name == name.strip()
)
TEXTS = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "Zs"], exclude_characters="{}"))
STEPS = st.one_of(
    st.fixed_dictionaries({"type": st.sampled_from(["visit_profile", "follow", "like_post"])}),
    st.fixed_dictionaries({"type": st.just("connect"), "note": TEXTS}),
    st.fixed_dictionaries({"type": st.just("message"), "text": TEXTS.filter(str.strip), "after": DURATIONS}),
)


@st.composite
def sequences(draw: st.DrawFn) -> dict[str, Any]:
    steps = draw(st.lists(STEPS, max_size=4))
    return {"steps": [{"id": f"step-{at}", **step} for at, step in enumerate(steps)]}


@st.composite
def schedule_bodies(draw: st.DrawFn) -> dict[str, Any]:
    first, last = sorted(draw(st.lists(st.times(), min_size=2, max_size=2, unique_by=lambda t: f"{t:%H:%M}")))
    days = st.lists(st.sampled_from(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]), min_size=1, unique=True)
    return {
        "timeZone": draw(st.sampled_from(sorted(time_zones()))),
        "days": draw(days),
        "from": f"{first:%H:%M}",
        "to": f"{last:%H:%M}",
        "holidays": [f"{day}" for day in draw(st.lists(st.dates(), unique=True, max_size=3))],
    }


BODIES = st.fixed_dictionaries(
    {"name": NAMES},
    optional={
        "description": st.none() | TEXTS,
        "schedule": st.none() | schedule_bodies(),
        "sequence": sequences(),
        "missingVariable": st.sampled_from(["hold", "skip_step"]),
        "acceptanceTimeout": st.fixed_dictionaries({"days": st.integers(1, 3000), "hours": st.integers(1, 23)}),
        "maxNewLeadsPerDay": st.none() | st.integers(1, 1_000_000),
        "approachDespiteOtherConversation": st.booleans(),
    },
)


@settings(max_examples=40, deadline=None)
@given(body=BODIES, change=BODIES)
async def test_what_is_sent_comes_back(client: httpx.AsyncClient, body: dict[str, Any], change: dict[str, Any]) -> None:
    made = await create(client, **body)
    read = (await client.get(f"/v1/campaigns/{made['id']}")).json()
    assert {key: read[key] for key in body} == body
    changed = await client.patch(f"/v1/campaigns/{made['id']}", json=change)
    assert changed.status_code == 200, changed.text
    expected = {**read, **change, "updatedAt": changed.json()["updatedAt"]}
    assert {**changed.json(), "sequenceVersion": 1} == {**expected, "sequenceVersion": 1}
    assert changed.json()["sequenceVersion"] == (1 if expected["sequence"] == read["sequence"] else 2)
