"""The Python in the documents runs, against a real server, and prints what the page says."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    str(path.relative_to(ROOT))
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
    if "\n```python\n" in path.read_text("utf-8")
)
SEQUENCE = {"steps": [{"id": "hello", "type": "message", "text": "Hi {{firstName}}"}]}


@pytest.mark.parametrize("name", PAGES)
async def test_python_runs(
    name: str,
    document: Callable[[str], Any],
    client: httpx.AsyncClient,
    headers: dict[str, str],
    base_url: str,
    tmp_path: Path,
) -> None:
    """The blocks of a page are one program, as somebody would type them one after the other.

    A block that says ``python no-run`` is left out. A ``json`` or ``text`` block behind ``It prints`` or behind a
    Python block is held against the output.
    """
    page = document(name)
    campaign = (await client.post("/v1/campaigns", json={"name": name, "sequence": SEQUENCE})).json()["id"]
    program = tmp_path / "page.py"
    program.write_text("\n".join(page.blocks("python")), "utf-8")
    environment = {"SERVER": base_url, "API_KEY": headers["X-API-Key"], "CAMPAIGN_ID": campaign}
    done = await asyncio.to_thread(run, program, environment)
    assert done.returncode == 0, done.stderr
    for block in outputs(page):
        assert block in done.stdout


def run(program: Path, environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    own = {name: value for name, value in os.environ.items() if not name.startswith("LEADWRIGHT_")}
    return subprocess.run(
        [sys.executable, "-W", "error", str(program)],
        env=own | environment | {"no_proxy": "*"},
        cwd=program.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def outputs(page: Any) -> list[str]:
    return [block for label in ("json", "text") for block in page.blocks(label) if is_output(page.text, block)]


def is_output(text: str, block: str) -> bool:
    """A block directly behind Python, or introduced by the words ``It prints``."""
    before = text[: text.index(block)].rstrip().rpartition("```")[0].rstrip()
    return before.endswith(("```", "It prints"))


@pytest.mark.parametrize("language", ["json"])
def test_every_block_of_data_can_be_read(documents: list[Any], language: str) -> None:
    blocks = [block for page in documents for block in page.blocks(language)]
    assert blocks
    for block in blocks:
        json.loads(block)
