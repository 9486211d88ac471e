"""The second half of ``leadwright demo``: a campaign walks its sequence, on the engine of the real server."""

import asyncio
import contextlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp

from leadwright.cli.demo_board import Board, Walker
from leadwright.cli.demo_campaign import PEOPLE, SENDER, SEQUENCE
from leadwright.cli.demo_receiver import Receiver
from leadwright.cli.output import show_table
from leadwright.cli.stage import Stage

LOOK_EVERY_SECONDS = 0.3
PATIENCE_SECONDS = 60.0
_ENDED = frozenset({"REPLY_RECEIVED", "DONE"})
_FUNNEL = (
    ("leads", "totalLeads"),
    ("invited", "connectionsSent"),
    ("accepted", "connectionsAccepted"),
    ("messages", "messagesSent"),
    ("replies", "repliesReceived"),
)


@dataclass(slots=True)
class Walked:
    """What was seen: the leads at the end, and one ``waiting`` for its invitation to be accepted, at that time."""

    walkers: Sequence[Walker]
    waiting: Walker | None
    finished: bool


async def walk(client: aiohttp.ClientSession, stage: Stage, receiver: Receiver) -> None:
    """Shows a campaign from its start to its end, and what can be asked about it afterwards."""
    stage.heading("Ten leads walk their sequence")
    campaign_id = await _prepare(client, receiver)
    stage.say(
        "visit → invite with a note → connected within 4 s? then message (A or B) → bump, else withdraw.\n"
        "The sender is of the simulated network: its people accept and answer by seeded dice, nobody real is met.\n"
        "The sequence's days are seconds here. Engine, limits, database and deliveries are the real ones."
    )
    walked = await _watch(client, Board(stage.console), campaign_id)
    stage.claim("every lead is through, and the campaign finished by itself", walked.finished)
    _why(stage, walked)
    _reply(stage, walked)
    await _statistics(client, stage, campaign_id, walked)
    await _webhooks(stage, receiver, walked)


async def _prepare(client: aiohttp.ClientSession, receiver: Receiver) -> str:
    """The started campaign's id; the receiver is told of all that happens."""
    hook = await _post(client, "/v1/webhooks", {"name": "Demo", "url": receiver.url, "events": ["*"]})
    receiver.secret = hook["secret"]
    sender = await _post(client, "/v1/senders", SENDER)
    wanted = {"name": "Demo", "senderIds": [sender["id"]], "sequence": SEQUENCE}
    campaign_id = (await _post(client, "/v1/campaigns", wanted))["id"]
    await _post(client, "/v1/leads", {"campaignId": campaign_id, "leads": PEOPLE})
    async with client.patch(f"/v1/campaigns/{campaign_id}", json={"action": "start"}):
        return campaign_id


async def _watch(client: aiohttp.ClientSession, board: Board, campaign_id: str) -> Walked:
    began = time.monotonic()
    waiting: Walker | None = None
    with board.live():
        while True:
            finished = (await _get(client, f"/v1/campaigns/{campaign_id}"))["status"] == "finished"
            walkers = await _walkers(client, campaign_id)
            seconds = time.monotonic() - began
            board.show(walkers, seconds)
            held = [each for each in walkers if each.is_held_by("waiting_for_acceptance")]
            waiting = waiting or (held[0] if held else None)
            if finished or seconds > PATIENCE_SECONDS:
                ended = finished and all(each.status in _ENDED for each in walkers)
                return Walked(walkers, waiting, ended)
            await asyncio.sleep(LOOK_EVERY_SECONDS)


async def _walkers(client: aiohttp.ClientSession, campaign_id: str) -> list[Walker]:
    leads = (await _get(client, f"/v1/leads?campaignId={campaign_id}"))["leads"]
    return list(await asyncio.gather(*(_walker(client, lead) for lead in leads)))


async def _walker(client: aiohttp.ClientSession, lead: dict[str, Any]) -> Walker:
    why = await _get(client, f"/v1/leads/{lead['id']}/why")
    history = await _get(client, f"/v1/leads/{lead['id']}/history")
    return Walker(lead["id"], f"{lead['firstName']} {lead['lastName']}", lead["status"], why, history["entries"])


def _why(stage: Stage, walked: Walked) -> None:
    if walked.waiting is not None:
        stage.heading(f"Why {walked.waiting.name} stood still, asked on the way")
        stage.code("GET /v1/leads/{id}/why")
        stage.json(walked.waiting.why)
    stage.claim("a lead that waits says for what, and until when", walked.waiting is not None)


def _reply(stage: Stage, walked: Walked) -> None:
    answered = [each for each in walked.walkers if each.status == "REPLY_RECEIVED"]
    if answered:
        stage.heading(f"A reply stops a lead: the history of {answered[0].name}")
        show_table(("at", "what", "step", "detail"), [_line(entry) for entry in answered[0].history])
    stopped = [each.deeds[-1][1] == "replied" and each.is_held_by("stopped") for each in answered]
    stage.claim("who replied was sent nothing more", bool(stopped) and all(stopped))


def _line(entry: dict[str, Any]) -> tuple[object, ...]:
    detail = {name: value for name, value in entry["detail"].items() if not name.endswith("Id")}
    return entry["at"][11:23], entry["type"], entry["stepId"] or "-", json.dumps(detail, ensure_ascii=False)


async def _statistics(client: aiohttp.ClientSession, stage: Stage, campaign_id: str, walked: Walked) -> None:
    stats = await _get(client, f"/v1/campaigns/{campaign_id}/stats")
    stage.heading("What came of it")
    stage.code("GET /v1/campaigns/{id}/stats")
    show_table([name for name, _ in _FUNNEL], [[stats["funnel"][field] for _, field in _FUNNEL]])
    variants = next(step["variants"] for step in stats["steps"] if step["stepId"] == "hello")
    show_table(
        ("hello", "messages", "replies"),
        [("AB"[each["variant"]], each["messagesSent"], each["repliesReceived"]) for each in variants],
    )
    seen = [what for walker in walked.walkers for _, what in walker.deeds]
    counted = [stats["funnel"][name] for name in ("connectionsSent", "connectionsAccepted", "repliesReceived")]
    stage.claim(
        "the counts are those of the histories",
        counted == [seen.count(what) for what in ("invited", "accepted", "replied")],
    )


async def _webhooks(stage: Stage, receiver: Receiver, walked: Walked) -> None:
    with contextlib.suppress(TimeoutError):  # deliveries are made behind the deeds
        await asyncio.wait_for(receiver.told_of_the_end.wait(), PATIENCE_SECONDS)
    stage.heading("What a webhook was told meanwhile")
    replies = receiver.of("reply.received")
    stage.say(f"{len(receiver.events)} events came to a small receiver on this machine. One of them:")
    if replies:
        stage.code(f"Webhook-Signature: {receiver.signatures[receiver.events.index(replies[0])]}")
        stage.json(replies[0])
    answered = sum(each.status == "REPLY_RECEIVED" for each in walked.walkers)
    stage.claim("every signature was right", bool(receiver.events) and not receiver.refused)
    stage.claim("it was told of every reply, once", len(replies) == answered)


async def _get(client: aiohttp.ClientSession, path: str) -> dict[str, Any]:
    async with client.get(path) as response:
        return await response.json()


async def _post(client: aiohttp.ClientSession, path: str, body: dict[str, Any]) -> dict[str, Any]:
    async with client.post(path, json=body) as response:
        return await response.json()
