"""Section 3 of the wire contract: campaigns."""

import pytest

UNKNOWN = "camp_0199c0ffee0070008000000000000001"
PUBLIC_KEYS = {
    *("id", "name", "status", "type", "totalLeads", "leadsContacted", "connectionsSent", "messagesSent"),
    *("repliesReceived", "linkedInSenderIds", "createdAt", "updatedAt"),
}
OWN_KEYS = {"description", "connectionsAccepted", "schedule", "sequence"}
NUMBERS = ("totalLeads", "leadsContacted", "connectionsSent", "messagesSent", "repliesReceived", "connectionsAccepted")
ACTIONS = ("start", "pause", "resume", "finish")


async def act(own, campaign, action):
    return await own.patch(f"/v1/campaigns/{campaign}", json={"action": action})


async def test_3_a_list_has_its_envelope_and_default_limit(own, campaign):
    body = (await own.get("/v1/campaigns")).json()
    assert set(body) == {"campaigns", "pagination"}
    assert body["pagination"] == {"total": 1, "page": 1, "limit": 20, "totalPages": 1}


async def test_3_the_filter_words(own, make_campaign, refused):
    made = {status: await make_campaign() for status in ("draft", "started", "paused", "finished")}
    for status, actions in (("started", ["start"]), ("paused", ["start", "pause"]), ("finished", ["start", "finish"])):
        for action in actions:
            await act(own, made[status], action)

    async def found(word):
        listed = (await own.get("/v1/campaigns", params={"status": word})).json()
        assert listed["pagination"]["total"] == len(listed["campaigns"])
        return [campaign["id"] for campaign in listed["campaigns"]]

    for status, campaign in made.items():
        assert await found(status) == [campaign]
    assert await found("active") == [made["started"]]
    assert sorted(await found("all")) == sorted(made.values())
    refused(await own.get("/v1/campaigns?status=running"), 400)


async def test_3_a_campaign_is_flat_in_the_list_as_well_as_by_itself(own, campaign, add):
    await add(campaign, ["in/jane", "in/john"])
    [listed] = (await own.get("/v1/campaigns")).json()["campaigns"]
    alone = (await own.get(f"/v1/campaigns/{campaign}")).json()
    assert listed == alone
    assert alone.keys() >= PUBLIC_KEYS | OWN_KEYS
    assert (alone["id"], alone["type"], alone["totalLeads"]) == (campaign, "outreach", 2)
    assert all(type(alone[name]) is int for name in NUMBERS)
    assert type(alone["linkedInSenderIds"]) is list


async def test_3_a_started_campaign_is_never_called_active(own, campaign):
    await act(own, campaign, "start")
    assert (await own.get(f"/v1/campaigns/{campaign}")).json()["status"] == "started"
    [listed] = (await own.get("/v1/campaigns?status=active")).json()["campaigns"]
    assert listed["status"] == "started"


async def test_3_pause_and_resume_are_answered_so(own, campaign):
    await act(own, campaign, "start")
    paused, resumed = await act(own, campaign, "pause"), await act(own, campaign, "resume")
    assert (paused.status_code, resumed.status_code) == (200, 200)
    assert paused.json() == {
        "success": True,
        "campaignId": campaign,
        "action": "pause",
        "newStatus": "paused",
        "message": "Campaign paused successfully",
    }
    assert resumed.json() == {
        "success": True,
        "campaignId": campaign,
        "action": "resume",
        "newStatus": "started",
        "message": "Campaign resumed successfully",
    }


@pytest.mark.parametrize(
    ("through", "wrong"),
    [
        ([], ["pause", "resume"]),
        (["start"], ["resume", "start"]),
        (["start", "pause"], ["pause", "start"]),
        (["start", "finish"], ["pause", "resume"]),
    ],
)
async def test_3_an_action_that_does_not_fit_the_state_is_400(own, campaign, refused, through, wrong):
    for action in through:
        assert (await act(own, campaign, action)).status_code == 200
    before = (await own.get(f"/v1/campaigns/{campaign}")).json()
    for action in wrong:
        refused(await act(own, campaign, action), 400, "Invalid action or campaign state")
    assert (await own.get(f"/v1/campaigns/{campaign}")).json() == before


@pytest.mark.parametrize("action", ["stop", "", None, 5, "Pause", "PAUSE", ["pause"]])
async def test_3_what_is_no_action_is_400(own, campaign, refused, action):
    refused(await act(own, campaign, action), 400, "Invalid action or campaign state")


@pytest.mark.parametrize("action", ACTIONS)
async def test_3_an_unknown_campaign_is_404(own, refused, action):
    for campaign in (UNKNOWN, "anything"):
        refused(await act(own, campaign, action), 404, "Campaign not found")
    refused(await own.get(f"/v1/campaigns/{UNKNOWN}"), 404, "Campaign not found")


async def test_3_start_and_finish_are_actions_too(own, campaign):
    assert (await act(own, campaign, "start")).json()["newStatus"] == "started"
    assert (await act(own, campaign, "finish")).json()["newStatus"] == "finished"


async def test_3_the_editable_fields_are_set(own, campaign):
    change = {"name": "Renamed", "description": "New", "maxNewLeadsPerDay": 5}
    edited = (await own.patch(f"/v1/campaigns/{campaign}", json=change)).json()
    assert {name: edited[name] for name in change} == change
    assert (await own.get(f"/v1/campaigns/{campaign}")).json() == edited


async def test_3_a_campaign_is_created_with_201(own):
    answer = await own.post("/v1/campaigns", json={"name": "New"})
    assert (answer.status_code, answer.json()["status"], answer.json()["name"]) == (201, "draft", "New")


async def test_3_a_sequence_is_replaced(own, campaign):
    steps = [{"id": "visit", "type": "visit_profile"}]
    answer = await own.put(f"/v1/campaigns/{campaign}/sequence", json={"steps": steps})
    assert answer.status_code == 200
    assert [step["id"] for step in answer.json()["sequence"]["steps"]] == ["visit"]


async def test_3_a_deleted_campaign_is_gone(own, campaign, refused):
    assert (await own.delete(f"/v1/campaigns/{campaign}")).status_code == 200
    refused(await own.get(f"/v1/campaigns/{campaign}"), 404, "Campaign not found")
