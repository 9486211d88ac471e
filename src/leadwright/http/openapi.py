"""The OpenAPI document: the framework's draft of the routes, completed with what the edge does."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema
from starlette.responses import Response

from leadwright.http.auth import API_KEY_HEADER
from leadwright.http.openapi_errors import (
    HEADERS,
    IDEMPOTENCY_PARAMETER,
    JSON_TYPE,
    ErrorBody,
    Route,
    error_answer,
    faults,
    headers,
)
from leadwright.http.route import ANY_KEY, MEDIA_MARK, RAW_BODY_MARK
from leadwright.ids import Prefix
from leadwright.leads.wire import AddLeadsBody
from leadwright.settings import Settings

JSON = dict[str, Any]

TAGS: Mapping[str, str] = {
    "leads": "People in campaigns: add them, see what became of them, take them out.",
    "imports": "The record of each add call: what became of every row.",
    "campaigns": "A sequence of timed steps, and the leads that walk through it.",
    "senders": "The accounts on whose behalf leads are approached, with what each may do and when.",
    "tasks": "Deeds that wait for a person, who does them and says what came of it.",
    "suppressions": "The do-not-contact list of the workspace, checked at adding and before any deed.",
    "privacy": "One person over everything that is held of them: shown, or erased.",
    "identity": "Who is the same person, whatever the spelling of the address.",
    "inbox": "What senders and people write to each other: read it, answer, invite.",
    "events": "Everything that happened, in order: the feed for receivers that were down.",
    "webhooks": "Endpoints that are told what happens, and the log of what they were told.",
    "account": "The key that asks, its workspace, and the keys of that.",
    "status": "Whether the server is alive and can serve. These routes want no key.",
}

DESCRIPTION = f"""\
A self-hosted outreach server that speaks the SendPilot API.

* Send your key in the header `{API_KEY_HEADER}`. Each route says which scope the key needs.
* Every route under `/v1` also answers under `/api/v1`.
* Every error has the same body: `message` for people, `code` for programs, `requestId` for the server's log.
* Lists take `page` and `limit`, or `cursor`, which stays right while rows are added.
* Any POST takes an `Idempotency-Key`: sent again, it is not done a second time.
* Times are ISO 8601 in UTC with milliseconds. Ids are opaque.
"""

LICENSE = {"name": "Apache License 2.0", "identifier": "Apache-2.0"}
SECURITY_SCHEME_NAME = "apiKey"
SECURITY_SCHEME = {
    "type": "apiKey",
    "in": "header",
    "name": API_KEY_HEADER,
    "description": "A key like `lw_live_…`, made by `leadwright keys create`.",
}
UNDRAFTED = (AddLeadsBody, ErrorBody)
"""Shapes that no route declares to the framework: a body decoded by hand, and what the edge answers."""

_PREFIX_OF = {"key": "API_KEY"}
_REF = "#/components/schemas/{model}"
_FRAMEWORK_STATUS = "422"
_FRAMEWORK_ERRORS = ("HTTPValidationError", "ValidationError")


def answer(app: FastAPI) -> Callable[[], Response]:
    """What /openapi.json answers: the document, written at the first call, when all routes stand."""

    @cache
    def body() -> bytes:
        return msgspec.json.encode(document(app))

    return lambda: Response(body(), media_type=JSON_TYPE)


def document(app: FastAPI) -> JSON:
    """The whole document. ``app.state.settings`` says under which address the server is reached."""
    settings: Settings = app.state.settings
    draft = get_openapi(
        title=app.title,
        version=app.version,
        description=DESCRIPTION,
        routes=app.routes,
        tags=[{"name": name, "description": text} for name, text in TAGS.items()],
        servers=[{"url": settings.public_url.rstrip("/")}] if settings.public_url else None,
        license_info=LICENSE,
    )
    components = _components(draft.get("components", {}))
    paths = {path: _operations(path, drafted, components) for path, drafted in draft["paths"].items()}
    return draft | {"paths": paths, "components": components}


def _components(draft: JSON) -> JSON:
    _, added = models_json_schema([(model, "validation") for model in UNDRAFTED], ref_template=_REF)
    schemas = draft.get("schemas", {}) | added["$defs"]
    return draft | {
        "schemas": {name: schemas[name] for name in sorted(schemas) if name not in _FRAMEWORK_ERRORS},
        "headers": dict(HEADERS),
        "parameters": {"IdempotencyKey": IDEMPOTENCY_PARAMETER},
        "securitySchemes": {SECURITY_SCHEME_NAME: SECURITY_SCHEME},
    }


def _operations(path: str, drafted: JSON, components: JSON) -> JSON:
    plain = {method: _with_plain_body(operation) for method, operation in drafted.items()}
    return {
        method: _completed(Route(method.upper(), path, operation, _body_fields(operation, components)))
        for method, operation in plain.items()
    }


def _with_plain_body(operation: JSON) -> JSON:
    """A body that can be left out is not one that can be null, as the framework drafts it."""
    drafted = operation.get("requestBody")
    if drafted is None:
        return operation
    content = {kind: told | {"schema": _without_null(told["schema"])} for kind, told in drafted["content"].items()}
    return operation | {"requestBody": drafted | {"content": content}}


def _body_fields(operation: JSON, components: JSON) -> frozenset[str]:
    schema: JSON = operation.get("requestBody", {}).get("content", {}).get(JSON_TYPE, {}).get("schema", {})
    named = schema.get("$ref", "").rpartition("/")[2]
    return frozenset(components["schemas"].get(named, schema).get("properties", ()))


def _completed(route: Route) -> JSON:
    kept = {name: value for name, value in route.operation.items() if name not in (RAW_BODY_MARK, MEDIA_MARK)}
    return kept | {
        "description": _description(route),
        "security": [{SECURITY_SCHEME_NAME: []}] if route.scope else [],
        "parameters": _parameters(route),
        "responses": _responses(route),
    }


def _description(route: Route) -> str:
    told = route.operation.get("description", "")
    if route.scope == ANY_KEY:
        return f"{told}\n\nAny key may ask."
    return f"{told}\n\nNeeds the scope `{route.scope}`." if route.scope else told


def _parameters(route: Route) -> list[JSON]:
    drafted = [_parameter(drafted) for drafted in route.operation.get("parameters", ())]
    if route.method == "POST":
        drafted.append({"$ref": "#/components/parameters/IdempotencyKey"})
    return drafted


def _parameter(drafted: JSON) -> JSON:
    if drafted["in"] == "query":
        return drafted | {"schema": _without_null(drafted["schema"])}
    noun = drafted["name"].removesuffix("_id")
    named: str = _PREFIX_OF[noun] if noun in _PREFIX_OF else noun.upper()
    if named not in Prefix.__members__:
        return drafted
    prefix = Prefix[named].value
    return {
        "description": f"The id of the {noun}: `{prefix}_…`.",
        "example": f"{prefix}_0199c0ffee0070008000000000000001",
    } | drafted


def _without_null(schema: JSON) -> JSON:
    """What can be left out cannot be null, as the framework's draft of an optional parameter or body has it."""
    options = [option for option in schema.get("anyOf", ()) if option.get("type") != "null"]
    rest = {name: value for name, value in schema.items() if name != "anyOf"}
    if len(options) > 1:
        return rest | {"anyOf": options}
    return options[0] | rest if options else schema


def _responses(route: Route) -> JSON:
    """What a room declares of a status stands before what the conventions say of it."""
    usual = {str(status): error_answer(status, fault) for status, fault in faults(route).items()}
    shown = usual | route.operation["responses"]
    wanted = sorted(shown.keys() - {_FRAMEWORK_STATUS})
    return {status: _with_headers(route, int(status), shown[status]) for status in wanted}


def _with_headers(route: Route, status: int, response: JSON) -> JSON:
    return response | {"headers": headers(route, status) | response.get("headers", {})}
