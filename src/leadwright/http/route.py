"""How a request of the API runs: recognised, counted, read, then handled and answered in one transaction."""

import contextlib
import re
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Annotated, Any, ClassVar

from fastapi import APIRouter, Depends
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from psycopg.errors import DeadlockDetected
from starlette.requests import Request
from starlette.responses import Response

from leadwright import ids
from leadwright.accounts import audit_store, store
from leadwright.accounts.model import AuditEntry, Principal
from leadwright.background import Bell
from leadwright.clock import Clock
from leadwright.crypto import SecretBox
from leadwright.errors import Detail, InvalidRequest, LeadwrightError
from leadwright.http import encoding, idempotency, limits
from leadwright.http.auth import Authenticator, require_scope
from leadwright.http.clients import client_address
from leadwright.http.problems import from_validation, problem
from leadwright.outbound.client import OutboundClient
from leadwright.postgres.pool import Connection, Database

SCOPE_MARK = "x-required-scope"
ANY_KEY = "any key"
"""Stands for a scope where every valid key will do."""
RAW_BODY_MARK = "x-raw-body"
MEDIA_MARK = "x-media-types"
"""Which types of body a route takes that takes other than JSON; it decodes them itself."""
RUNS_AFTER_DEADLOCKS = 3
"""In a row, of one request; with one more the caller is asked to try again."""
LONGEST_AUDITED_PATH = 500
LEFT_OUT = "…"
METHODS_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


@dataclass(frozen=True, slots=True)
class Edge:
    """What every request needs of the process that serves it."""

    database: Database
    clock: Clock
    authenticator: Authenticator
    rate_limiter: limits.RateLimiter
    waiting: idempotency.Waiting
    max_body_bytes: int
    secrets: SecretBox
    outbound: OutboundClient
    committed: Callable[[], None]
    """Called after each commit of a request, so that background work starts at once."""
    published: Bell
    """Rings when events have got their places in the feed; ends with the process."""
    ending: Callable[[], None]
    """Called when the process is about to stop: whatever would go on for long ends then."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request in its transaction. ``body`` is raw; handlers with a declared body need not look at it."""

    connection: Connection
    principal: Principal
    now: datetime
    request_id: str
    body: bytes
    edge: Edge
    opened: Any = None
    """What the route's ``begin`` asked together with BEGIN."""
    earlier: Response | None = None
    """The stored answer of a request with this ``Idempotency-Key`` that promised more: see ``DeedRoute``."""
    deeds: list[Callable[[], Awaitable[Response]]] = field(default_factory=list[Callable[[], Awaitable[Response]]])
    """What is to be done outside, once the intent that the handler wrote has committed. Its answer is the caller's.

    The handler's own answer is stored for a retry in between, and says that the outcome is not known.
    """

    @property
    def workspace_id(self) -> str:
        return self.principal.workspace_id


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request that was recognised, counted and read, before its transaction begins."""

    edge: Edge
    request: Request
    principal: Principal
    now: datetime
    body: bytes

    def audit_entry(self, status: int) -> AuditEntry:
        """What the audit log will say of it when it is answered so."""
        return AuditEntry(
            id=ids.new_id(),
            at=self.now,
            action=self.request.scope["route"].operation_id,
            path=_audited_path(self.request),
            status=status,
            key_id=self.principal.key_id,
            key_name=self.principal.key_name,
            address=client_address(self.request, self.request.app.state.settings.trusted_proxies) or None,
            request_id=self.request.state.request_id,
        )


class _Rollback(Exception):
    """Carries an answer out of a transaction whose effects are to be undone."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


class TransactionalRoute(APIRoute):
    """A route whose handler runs in one transaction, together with the record of its answer.

    A 2xx commits; any other answer undoes what the handler did. ``raw_body`` routes decode their body.
    """

    resumes: ClassVar[bool] = False
    """Whether the handler itself answers a retry of what was accepted and not over yet."""

    async def begin(self, connection: Connection, principal: Principal) -> tuple[bool, Any]:
        """Begins the transaction; whether the key still stands, and what ``Call.opened`` shall be."""
        return await store.begin_as(connection, principal.key_id), None

    async def at_once(self, arrival: Arrival) -> Response | None:
        """The answer of a route that can do all in one message to the database, committed; None to go the usual way."""
        del arrival

    def get_route_handler(self) -> Handler:
        handler = super().get_route_handler()
        extra = self.openapi_extra or {}
        scope = str(extra[SCOPE_MARK])
        queries = query_names(self.dependant)
        run = partial(_undecoded, handler, self.endpoint) if extra.get(RAW_BODY_MARK) else partial(_decoded, handler)
        run = handler if MEDIA_MARK in extra else run

        async def handle(request: Request) -> Response:
            edge: Edge = request.app.state.edge
            now = edge.clock()
            principal = await admit(request, edge, scope, now)
            check_query(request, queries, once=RAW_BODY_MARK in extra)
            arrival = Arrival(edge, request, principal, now, await _read(request, edge))
            answer = None if idempotency.HEADER in request.headers else await self.at_once(arrival)
            if answer is None:
                answer = await _run(arrival, run, self)
            edge.authenticator.note_use(principal, now)
            return answer

        return handle


class DeedRoute(TransactionalRoute):
    """A route whose handler plans a deed and leaves it in ``Call.deeds``.

    A retry of what was accepted (202) finds that answer in ``Call.earlier``: the handler says what has become of its
    deed, and plans it again under the same id only when it certainly did not happen.
    """

    resumes = True


async def admit(request: Request, edge: Edge, scope: str, now: datetime) -> Principal:
    """Whose key it is, once its rate and its scopes allow the request. Raises what refuses it."""
    principal = await edge.authenticator.identify(request, now)
    request.state.workspace_id = principal.workspace_id
    allowance = await edge.rate_limiter.admit(principal.key_id, now)
    request.state.answer_headers = allowance.headers()
    allowance.require()
    if scope != ANY_KEY:
        require_scope(principal, scope)
    return principal


def query_names(dependant: Dependant) -> set[str]:
    nested = [query_names(inner) for inner in dependant.dependencies]
    return {field.alias for field in dependant.query_params}.union(*nested)


def check_query(request: Request, known: set[str], *, once: bool) -> None:
    """Raises InvalidRequest for a parameter in another case, and with ``once`` for one given twice.

    So that ``dryrun=true`` and ``dryRun=true&dryRun=false`` do not run for real.

    Others that no route knows are left aside, as clients of the public API expect.
    """
    if not request.scope["query_string"]:
        return
    names = [name for name, _ in request.query_params.multi_items()]
    meant = {name.lower(): name for name in known}
    for name in names:
        if name not in known and name.lower() in meant:
            raise InvalidRequest.of([Detail(name, f"is written {meant[name.lower()]}")])
        if once and name in known and names.count(name) > 1:
            raise InvalidRequest.of([Detail(name, "is given more than once")])


async def _read(request: Request, edge: Edge) -> bytes:
    """The body; that of a request whose method gives it no meaning is read and left aside."""
    body = encoding.decoded(request, await limits.read_body(request, edge.max_body_bytes), edge.max_body_bytes)
    if request.method not in METHODS_WITH_BODY:
        body = b""
    marks: dict[str, Any] = request.scope["route"].openapi_extra
    taken = marks.get(MEDIA_MARK)
    if taken is not None:
        limits.require_media(request, taken)
    elif body:
        limits.require_json(request)
    request._body = body  # type: ignore[attr-defined] # the framework reads it from here; the stream is spent
    return body


async def _undecoded(handler: Handler, endpoint: Callable[..., Awaitable[Response]], request: Request) -> Response:
    """Without a query there is nothing for the framework to read, and its looking is a fifth of a request's work."""
    return await (handler(request) if request.scope["query_string"] else endpoint(call=request.state.call))


async def _decoded(handler: Handler, request: Request) -> Response:
    body = await request.body()
    if body:
        request._json = limits.decode_json(body)  # type: ignore[attr-defined] # more strictly than the framework would
    return await handler(request)


async def _run(arrival: Arrival, handler: Handler, route: TransactionalRoute) -> Response:
    edge, request, principal, body = arrival.edge, arrival.request, arrival.principal, arrival.body
    attempt = idempotency.attempt_of(request, body, principal.workspace_id)

    async def transact() -> tuple[Call, Response]:
        async with edge.database.begun(lambda connection: route.begin(connection, principal)) as (connection, begun):
            stands, opened = begun
            edge.authenticator.confirm(principal, stands=stands)
            call = Call(connection, principal, arrival.now, request.state.request_id, body, edge, opened)
            request.state.call = call
            response = await _answer(call, request, handler, attempt, resumes=route.resumes)
            await _commit(call, arrival, response)
        return call, response

    async def answered() -> Response:
        return await _perform(*await _once_more(transact), attempt)

    try:
        if attempt is None:
            response = await answered()
        else:
            async with edge.waiting.turn(attempt):
                response = await answered()
    except _Rollback as rollback:
        response = rollback.response
    else:
        if request.method != "GET":
            edge.committed()
    return response


async def _once_more(transact: Callable[[], Awaitable[tuple[Call, Response]]]) -> tuple[Call, Response]:
    """Of two transactions that wait for each other the database undoes one: it is run again, behind the other."""
    for _ in range(RUNS_AFTER_DEADLOCKS):
        with contextlib.suppress(DeadlockDetected):
            return await transact()
    return await transact()


async def _perform(call: Call, response: Response, attempt: idempotency.Attempt | None) -> Response:
    """The answer of the deed that the handler planned, kept for a retry; without one, the handler's own.

    Of a fault that passes nothing is kept: what the handler answered stays, and a retry is told by its route.
    """
    for deed in call.deeds:
        try:
            response = await deed()
        except LeadwrightError as error:
            response = problem(error, call.request_id)
        if attempt is not None and response.status_code < 500 and response.status_code != 429:
            async with call.edge.database.transaction() as connection:
                await idempotency.finish(connection, attempt, response)
    return response


async def _commit(call: Call, arrival: Arrival, response: Response) -> None:
    """Ends the transaction of what changed something together with its entry in the audit log."""
    is_replay = idempotency.REPLAYED_HEADER in response.headers
    if arrival.request.method == "GET" or response.status_code >= 400 or is_replay:
        return
    entry = arrival.audit_entry(response.status_code)
    await audit_store.insert_and_commit(call.connection, call.workspace_id, entry)


_ID_IN_A_PATH = re.compile(r"[a-z]{1,16}_[0-9a-f]{32}")


def _audited_path(request: Request) -> str:
    """Path and query with ids and words of ours alone: what a caller wrote otherwise, such as a tag, may name a person.

    It is cut out here, so that erasing a person never has to rewrite the log.
    """
    path: str = request.scope["path"]
    for value in request.scope["path_params"].values():
        if not _ID_IN_A_PATH.fullmatch(str(value)):
            path = path.replace(f"/{value}", f"/{LEFT_OUT}")
    known = query_names(request.scope["route"].dependant)
    asked = [(name, value) for name, value in request.query_params.multi_items() if name in known]
    query = "&".join(f"{name}={value if value.isalnum() and len(value) < 20 else LEFT_OUT}" for name, value in asked)
    return f"{path}?{query}"[:LONGEST_AUDITED_PATH] if query else path[:LONGEST_AUDITED_PATH]


async def _answer(
    call: Call,
    request: Request,
    handler: Handler,
    attempt: idempotency.Attempt | None,
    *,
    resumes: bool,
) -> Response:
    if attempt is None:
        return await _handled(handler, request)
    replay = await idempotency.begin(call.connection, attempt, call.now)
    if replay is not None:
        if not resumes or replay.status_code != 202:
            return replay
        request.state.call = replace(call, earlier=replay)
    try:
        async with call.connection.transaction():
            response = await _handled(handler, request)
    except _Rollback as rollback:
        response = rollback.response
    await idempotency.finish(call.connection, attempt, response)
    return response


async def _handled(handler: Handler, request: Request) -> Response:
    """The handler's answer. A 4xx leaves as _Rollback, so that what was done until then is undone."""
    try:
        return await handler(request)
    except RequestValidationError as error:
        raise _Rollback(problem(from_validation(error), request.state.request_id)) from error
    except LeadwrightError as error:
        if not 400 <= error.status < 500 or error.status == 429:
            raise
        raise _Rollback(problem(error, request.state.request_id)) from error


async def _current_call(request: Request) -> Call:
    return request.state.call


CurrentCall = Annotated[Call, Depends(_current_call)]


def api_router(tag: str, route_class: type[TransactionalRoute] = TransactionalRoute) -> APIRouter:
    """A router whose routes run in a transaction under ``/v1``; each must say its scope with ``needs``.

    A body without a Content-Type is taken for JSON: ``limits.require_json`` has refused what says otherwise.
    """
    return APIRouter(prefix="/v1", tags=[tag], route_class=route_class, strict_content_type=False)


def needs(scope: str, *, raw_body: bool = False, media: Sequence[str] = (), **openapi: Any) -> dict[str, Any]:
    """The ``openapi_extra`` of a route: the scope its caller must hold, and what else its document says."""
    marks: dict[str, Any] = {SCOPE_MARK: scope, **openapi}
    if media:
        marks[MEDIA_MARK] = media
    return {**marks, RAW_BODY_MARK: True} if raw_body else marks
