"""The routes without a key: is the process alive, can it serve, and its metrics."""

from typing import Literal

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel
from starlette.responses import PlainTextResponse, Response

from leadwright.errors import Unavailable
from leadwright.http.clients import is_on_this_machine
from leadwright.http.openapi_errors import Fault, error_answer
from leadwright.http.problems import json_answer, problem, unknown_route
from leadwright.http.route import Edge
from leadwright.postgres import migrate
from leadwright.settings import Settings
from leadwright.telemetry.metrics import REGISTRY

# Whoever probes has a short patience and asks again.
PROBE_WAIT_SECONDS = 1.0

router = APIRouter(tags=["status"])

NOT_READY = Fault(
    "Not ready: `message` says why and what to do.",
    "migrations_pending",
    "The database lacks migrations; run: leadwright db migrate",
)
NOT_FOR_THIS_CALLER = Fault("Not for this caller: see the setting `metrics`.", "route_not_found", "Cannot GET /metrics")


class Alive(BaseModel):
    status: Literal["ok"]


class Ready(BaseModel):
    status: Literal["ready"]


@router.get("/healthz", summary="Is the process alive", operation_id="healthz", response_model=Alive)
@router.head("/healthz", include_in_schema=False)
async def healthz() -> Response:
    """Asks nothing of the database."""
    return json_answer({"status": "ok"})


@router.get(
    "/readyz",
    summary="Can it serve",
    operation_id="readyz",
    response_model=Ready,
    responses={503: error_answer(503, NOT_READY)},
)
@router.head("/readyz", include_in_schema=False)
async def readyz(request: Request) -> Response:
    """Whether the database is reachable and its schema is the one of this program."""
    edge: Edge = request.app.state.edge
    try:
        async with edge.database.session(wait=PROBE_WAIT_SECONDS) as connection:
            waiting = await migrate.pending(connection)
    except migrate.MigrationError as error:
        message = f"The database does not fit: {error}"
        raise Unavailable(message, retry_after=30, code="schema_mismatch") from error
    if waiting:
        raise Unavailable(NOT_READY.message, retry_after=30, code=NOT_READY.code)
    return json_answer({"status": "ready"})


@router.get(
    "/metrics",
    summary="Metrics in the Prometheus text format",
    operation_id="metrics",
    response_class=PlainTextResponse,
    responses={404: error_answer(404, NOT_FOR_THIS_CALLER)},
)
async def metrics(request: Request) -> Response:
    """Answers callers on this machine only, unless the setting ``metrics`` says otherwise."""
    settings: Settings = request.app.state.settings
    hidden = settings.metrics == "off" or (
        settings.metrics == "loopback" and not is_on_this_machine(request, settings.trusted_proxies)
    )
    if hidden:
        return problem(unknown_route("GET", "/metrics"), request.state.request_id)
    return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)
