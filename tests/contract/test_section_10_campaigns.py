"""Section 10 of the wire contract: the bodies of campaigns and histories."""

SCHEDULE = {
    "timeZone": "Europe/Berlin",
    "days": ["mon", "fri"],
    "from": "09:00",
    "to": "17:30",
    "holidays": ["2026-12-25"],
}


async def test_10_a_campaign_needs_a_name_only_and_has_the_defaults(own, refused):
    made = (await own.post("/v1/campaigns", json={"name": "Plain"})).json()
    defaults = {
        "schedule": None,
        "missingVariable": "hold",
        "acceptanceTimeout": {"days": 14},
        "maxNewLeadsPerDay": None,
        "approachDespiteOtherConversation": False,
        "linkedInSenderIds": [],
    }
    assert defaults.items() <= made.items()
    assert made["sequence"]["steps"] == []
    assert "name" in refused(await own.post("/v1/campaigns", json={}), 400)["message"]


async def test_10_every_field_of_a_campaign_comes_back(own):
    body = {
        "name": "Whole",
        "description": "All of it",
        "schedule": SCHEDULE,
        "sequence": {"steps": [{"id": "visit", "type": "visit_profile"}]},
        "missingVariable": "skip_step",
        "acceptanceTimeout": {"days": 1, "hours": 12},
        "maxNewLeadsPerDay": 5,
        "approachDespiteOtherConversation": True,
    }
    made = (await own.post("/v1/campaigns", json=body)).json()
    assert {name: made[name] for name in body if name != "sequence"} == {
        name: value for name, value in body.items() if name != "sequence"
    }


async def test_10_a_history_has_its_envelope_and_goes_on(own, campaign, add, leads_of):
    await add(campaign, ["in/jane"])
    [lead] = await leads_of(campaign)
    await own.patch(f"/v1/leads/{lead['id']}/status", json={"status": "DONE"})
    first = (await own.get(f"/v1/leads/{lead['id']}/history", params={"limit": 1})).json()
    assert set(first) == {"leadId", "entries", "nextCursor"}
    assert set(first["entries"][0]) == {"at", "type", "stepId", "detail"}
    rest = await own.get(f"/v1/leads/{lead['id']}/history", params={"limit": 1, "cursor": first["nextCursor"]})
    assert [entry["type"] for entry in rest.json()["entries"]] == ["status_changed"]
    assert rest.json()["nextCursor"] is None


async def test_10_erasing_a_person_is_answered_with_counts(own, campaign, add, leads_of):
    await add(campaign, [{"linkedinUrl": "in/jane", "firstName": "Jane", "secret": "hers"}])
    answer = await own.post("/v1/privacy/erase", json={"linkedinUrl": "https://www.linkedin.com/in/Jane"})
    assert answer.status_code == 200
    assert answer.json() == {"leadsErased": 1, "messagesErased": 0, "suppressed": True}
    [lead] = await leads_of(campaign, full="1")
    assert (lead["firstName"], lead["data"]) == (None, {})
    assert "jane" not in str(lead).lower()
    told = await add(campaign, ["in/jane"])
    assert told["errors"][0]["code"] == "suppressed"
