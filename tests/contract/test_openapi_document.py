"""The OpenAPI document is complete: each route, parameter, error and example, and nothing that is not there."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import jsonschema_rs
import pytest
from fastapi.routing import iter_route_contexts

from leadwright.accounts.model import Scope
from leadwright.clock import system_clock
from leadwright.crypto import SecretBox
from leadwright.http.app import ROUTERS
from leadwright.http.openapi import document as write_document
from leadwright.http.route import ANY_KEY
from leadwright.http.server import serving
from leadwright.postgres.pool import Database
from leadwright.settings import Settings

JSON = dict[str, Any]

KEYED = {"401", "403", "429", "500", "503"}
ERRORS = {
    "add_leads": KEYED | {"400", "404", "409", "413", "415"},
    "list_leads": KEYED | {"400", "404"},
    "delete_lead": KEYED | {"400", "404"},
    "read_import": KEYED | {"404"},
    "create_campaign": KEYED | {"400", "409", "413", "415"},
    "list_campaigns": KEYED | {"400"},
    "read_campaign": KEYED | {"404"},
    "change_campaign": KEYED | {"400", "404", "413", "415"},
    "replace_campaign_sequence": KEYED | {"400", "404", "413", "415"},
    "add_suppressions": KEYED | {"400", "409", "413", "415"},
    "delete_suppression": KEYED | {"404"},
    "read_events": KEYED | {"400"},
    "healthz": {"500"},
    "readyz": {"500", "503"},
    "metrics": {"404", "500"},
}


def operations(document: JSON) -> Iterator[tuple[str, str, JSON]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def operation(document: JSON, operation_id: str) -> JSON:
    return next(found for _, _, found in operations(document) if found["operationId"] == operation_id)


def every(node: Any, key: str) -> Iterator[Any]:
    """The values that a key has anywhere below."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name == key:
                yield value
            yield from every(value, key)
    elif isinstance(node, list):
        for item in node:
            yield from every(item, key)


def resolved(document: JSON, node: JSON) -> JSON:
    if "$ref" not in node:
        return node
    found: Any = document
    for part in node["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return found


def fits(document: JSON, schema: JSON, value: Any) -> None:
    """Raises when a value is not of a schema of the document."""
    jsonschema_rs.validator_for(schema | {"components": document["components"]}).validate(value)


def test_it_says_what_it_is(document: JSON) -> None:
    assert document["openapi"].startswith("3.1.")
    assert document["info"]["license"]["identifier"] == "Apache-2.0"
    assert "servers" not in document


async def test_it_is_written_once_and_wants_no_key(anonymous: httpx.AsyncClient) -> None:
    first, second = await anonymous.get("/openapi.json"), await anonymous.get("/openapi.json")
    assert first.headers["content-type"] == "application/json"
    assert first.content == second.content


async def test_the_public_address_is_the_documented_server(make_database: Callable[..., str], document: JSON) -> None:
    database = Database(await asyncio.to_thread(make_database))
    await database.open()
    settings = Settings(public_url="https://outreach.example.com/")
    async with serving(database, settings, system_clock, SecretBox("a key for tests only")) as app:
        written = write_document(app)  # type: ignore[arg-type]
    await database.close()
    assert written["servers"] == [{"url": "https://outreach.example.com"}]
    assert written["paths"].keys() == document["paths"].keys()


def test_every_route_of_every_room_is_documented(document: JSON) -> None:
    served = {
        (method, context.path_format)
        for router in ROUTERS
        for context in iter_route_contexts(router.routes)
        for method in context.methods or ()
    }
    assert served <= {(method, path) for method, path, _ in operations(document)}
    assert served


def test_every_operation_has_a_name_of_its_own_and_is_described(document: JSON) -> None:
    names = [found["operationId"] for _, _, found in operations(document)]
    assert len(set(names)) == len(names)
    described = {tag["name"] for tag in document["tags"] if tag["description"]}
    for _, _, found in operations(document):
        assert found["summary"]
        assert found["description"]
        assert set(found["tags"]) <= described
    assert described == {tag for _, _, found in operations(document) for tag in found["tags"]}


def test_keys_and_scopes(document: JSON) -> None:
    schemes = document["components"]["securitySchemes"]
    assert [(s["type"], s["in"], s["name"]) for s in schemes.values()] == [("apiKey", "header", "X-API-Key")]
    for _, path, found in operations(document):
        if not path.startswith("/v1/"):
            assert (found["security"], found.get("x-required-scope")) == ([], None)
            continue
        assert found["security"] == [{name: []} for name in schemes]
        if found["x-required-scope"] == ANY_KEY:
            assert "Any key may ask" in found["description"]
            assert "403" not in found["responses"]
            continue
        scope = Scope(found["x-required-scope"])
        assert f"`{scope}`" in found["description"]
        assert error_example(found, "403")["message"] == f"Key lacks {scope}"


def error_example(found: JSON, status: str) -> JSON:
    return found["responses"][status]["content"]["application/json"]["example"]


@pytest.mark.parametrize(("operation_id", "errors"), ERRORS.items(), ids=ERRORS)
def test_the_errors_of_a_route(document: JSON, operation_id: str, errors: set[str]) -> None:
    statuses = operation(document, operation_id)["responses"].keys()
    assert {status for status in statuses if status >= "400"} == errors


def test_every_error_has_the_one_shape_and_an_example_of_it(document: JSON) -> None:
    for _, _, found in operations(document):
        for status, response in found["responses"].items():
            if status < "400":
                continue
            assert list(response["content"]) == ["application/json"]
            shown = response["content"]["application/json"]
            assert shown["schema"] == {"$ref": "#/components/schemas/ErrorBody"}
            fits(document, shown["schema"], shown["example"])
            assert str(shown["example"]["statusCode"]) == status
            assert response["description"]


def test_the_shape_of_an_error(document: JSON) -> None:
    body = document["components"]["schemas"]["ErrorBody"]
    assert body["required"] == ["statusCode", "message", "error", "code", "requestId"]
    assert set(body["properties"]) == {*body["required"], "details"}


def test_nothing_of_the_framework_shows(document: JSON) -> None:
    assert not list(every(document, "x-raw-body"))
    assert not list(every(document, "422"))
    assert not {"HTTPValidationError", "ValidationError"} & document["components"]["schemas"].keys()


def test_every_reference_leads_somewhere_and_nothing_stands_unused(document: JSON) -> None:
    references = set(every(document, "$ref"))
    for reference in references:
        assert resolved(document, {"$ref": reference})
    schemas = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert schemas <= references


def test_every_schema_is_one(document: JSON) -> None:
    for schema in [*every(document["paths"], "schema"), *document["components"]["schemas"].values()]:
        jsonschema_rs.meta.validate(schema)


def test_every_parameter_is_described_and_cannot_be_null(document: JSON) -> None:
    for _, _, found in operations(document):
        for parameter in (resolved(document, node) for node in found["parameters"]):
            assert parameter["description"], parameter
            assert "null" not in str(parameter["schema"])


def test_posts_and_no_others_take_an_idempotency_key(document: JSON) -> None:
    for method, path, found in operations(document):
        names = [resolved(document, parameter)["name"] for parameter in found["parameters"]]
        assert names.count("Idempotency-Key") == (method == "POST"), (method, path)
        for status, response in found["responses"].items():
            replayable = method == "POST" and status in ("200", "201", "202", "400", "404")
            assert ("Idempotent-Replayed" in response["headers"]) == replayable


def test_every_answer_names_its_headers(document: JSON) -> None:
    counted = {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"}
    for _, path, found in operations(document):
        for status, response in found["responses"].items():
            assert "X-Request-Id" in response["headers"]
            assert ("Retry-After" in response["headers"]) == (status in ("429", "503"))
            limited = path.startswith("/v1/") and status not in ("401", "500", "503")
            assert (counted & response["headers"].keys() == counted) == limited


def test_every_example_is_of_its_schema(document: JSON) -> None:
    for content in [*every(document["paths"], "application/json")]:
        if "example" in content:
            fits(document, content["schema"], content["example"])
    for _, _, found in operations(document):
        for parameter in (resolved(document, node) for node in found["parameters"]):
            if "example" in parameter:
                fits(document, parameter["schema"], parameter["example"])
    for name, schema in document["components"]["schemas"].items():
        check_examples_within(document, schema, name)


def check_examples_within(document: JSON, schema: JSON, place: str) -> None:
    for example in schema.get("examples", ()):
        try:
            fits(document, schema, example)
        except jsonschema_rs.ValidationError as error:
            raise AssertionError(f"{place}: the example {example!r} does not fit: {error.message}") from error
    for name, below in schema.get("properties", {}).items():
        check_examples_within(document, below, f"{place}.{name}")


def test_every_request_body_has_an_example(document: JSON) -> None:
    for _, path, found in operations(document):
        for content in found.get("requestBody", {}).get("content", {}).values():
            schema = resolved(document, content["schema"])
            told = "example" in content or schema.get("examples")
            wanted = [resolved(document, schema["properties"][name]) for name in schema.get("required", ())]
            assert told or (wanted and all(field.get("examples") for field in wanted)), path


def test_custom_fields_stand_flat_on_a_lead(document: JSON) -> None:
    body = operation(document, "add_leads")["requestBody"]
    assert body["required"]
    schema = body["content"]["application/json"]["schema"]
    row = resolved(document, resolved(document, schema)["properties"]["leads"]["items"])
    scalars = {option["type"] for option in row["additionalProperties"]["anyOf"]}
    assert scalars == {"string", "integer", "number", "boolean", "null"}
    example = body["content"]["application/json"]["example"]
    assert example["leads"][1]["customScore"] == 85
    fits(document, schema, example)
    with pytest.raises(jsonschema_rs.ValidationError):
        fits(document, row, {"linkedinUrl": "linkedin.com/in/jane", "nested": {}})
