"""The whole document against the real server: only documented answers, each of its documented shape, never a 500."""

import asyncio
import os
import sys
from pathlib import Path

import httpx
import pytest

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")


@pytest.mark.timeout(900)  # a minute and a half when the machine is quiet
async def test_the_server_does_what_its_document_says(
    base_url: str, client: httpx.AsyncClient, headers: dict[str, str], tmp_path: Path
) -> None:
    await client.post("/v1/campaigns", json={"name": "Something to read"})
    command = (SCHEMATHESIS, "--config-file", CONFIGURATION, "run", f"{base_url}/openapi.json", "--no-color")
    process = await asyncio.create_subprocess_exec(
        *command,
        *("--header", f"X-API-Key: {headers['X-API-Key']}"),
        cwd=tmp_path,
        env=os.environ | {"NO_PROXY": "*"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
