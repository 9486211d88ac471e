"""The routes without a key: is the process alive, can it serve, and its metrics."""

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import Response

from leadwright.http.clients import client_address, is_loopback
from leadwright.http.problems import json_answer, problem, unknown_route
from leadwright.http.route import Edge
from leadwright.postgres import migrate
from leadwright.settings import Settings
from leadwright.errors import Unavailable
from leadwright.telemetry.metrics import REGISTRY

router = APIRouter(tags=["status"])


@router.get("/healthz", summary="Is the process alive", operation_id="healthz")
async def healthz() -> Response:
    return json_answer({"status": "ok"})


@router.get("/readyz", summary="Can it serve: database reachable, migrations current", operation_id="readyz")
async def readyz(request: Request) -> Response:
    edge: Edge = request.app.state.edge
    async with edge.database.session() as connection:
        waiting = await migrate.pending(connection)
    if waiting:
        raise Unavailable(
            "The database lacks migrations; run: leadwright db migrate", retry_after=30, code="migrations_pending"
        )
    return json_answer({"status": "ready"})


@router.get("/metrics", summary="Metrics in the Prometheus text format", operation_id="metrics")
async def metrics(request: Request) -> Response:
    """Answers callers on this machine only, unless the setting ``metrics`` says otherwise."""
    settings: Settings = request.app.state.settings
    hidden = settings.metrics == "off" or (
        settings.metrics == "loopback" and not is_loopback(client_address(request, settings.trusted_proxies))
    )
    if hidden:
        return problem(unknown_route("GET", "/metrics"), request.state.request_id)
    return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)
