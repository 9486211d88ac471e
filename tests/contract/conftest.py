"""The document as the server gives it."""

from typing import Any

import httpx
import pytest


@pytest.fixture(scope="module")
async def document(anonymous: httpx.AsyncClient) -> dict[str, Any]:
    return (await anonymous.get("/openapi.json")).json()
