"""The client has a call for every route of the OpenAPI document, and knows every field that an answer has."""

import inspect
import re
import types
from typing import Any, Union, get_args, get_origin

import msgspec
import pytest

from leadwright.client import asynchronous_groups, blocking_groups, errors
from leadwright.client.binding import AsyncGroup, Bound, Group
from leadwright.client.following import Stream
from leadwright.client.request import File, Request, Walk
from leadwright.http.app import create_app
from leadwright.http.openapi import document as written
from leadwright.settings import Settings

DOCUMENT = written(create_app(None, Settings()))  # type: ignore[arg-type]
ROUTES = {
    (method.upper(), path): operation
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
    if path.startswith("/v1/")
}


def calls(module: Any, kind: type) -> dict[tuple[str, str], Any]:
    """The functions that the groups of a client bind, by group and name."""
    return {
        (group.__name__.removeprefix("Async"), name): bound.made
        for group in vars(module).values()
        if inspect.isclass(group) and issubclass(group, kind) and group is not kind
        for name, bound in vars(group).items()
        if isinstance(bound, Bound)
    }


CALLS = calls(blocking_groups, Group)


def made_by(function: Any) -> Request[Any]:
    """The request that a call makes when it is given something for everything it needs."""
    needed = [
        parameter
        for parameter in inspect.signature(function).parameters.values()
        if parameter.default is parameter.empty and parameter.kind is not parameter.VAR_KEYWORD
    ]
    made = function(*(something(parameter.annotation) for parameter in needed))
    return made.first if isinstance(made, Walk | Stream) else made


def something(annotation: Any) -> Any:
    if annotation is str:
        return "x"
    if annotation is bytes:
        return b"x"
    return {"steps": []} if get_origin(annotation) is dict else []


REQUESTS = {place: made_by(function) for place, function in CALLS.items()}


def test_both_clients_have_the_same_calls() -> None:
    assert calls(asynchronous_groups, AsyncGroup) == CALLS
    assert CALLS


def test_there_is_a_call_for_every_route_and_no_other() -> None:
    assert {(made.method, made.template) for made in REQUESTS.values()} == ROUTES.keys()


@pytest.mark.parametrize("place", REQUESTS, ids=".".join)
def test_what_a_call_asks_for_is_documented(place: tuple[str, str]) -> None:
    made = REQUESTS[place]
    names = {parameter.get("name") for parameter in ROUTES[made.method, made.template]["parameters"]}
    assert made.query.keys() <= names
    assert len(made.named) == len(re.findall("{", made.template))
    assert (made.key is not None) == (made.method == "POST")


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        return resolved(DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    options = [resolved(option) for option in schema.get("anyOf", ()) if option.get("type") != "null"]
    return options[0] if len(options) == 1 else schema


def shapes(schema: dict[str, Any]) -> list[dict[str, Any]]:
    schema = resolved(schema)
    return [resolved(option) for option in schema["anyOf"]] if "anyOf" in schema else [schema]


def records(annotation: Any) -> list[type]:
    """The record types within a type."""
    if get_origin(annotation) in (list, dict, Union, types.UnionType):
        return [record for part in get_args(annotation) for record in records(part)]
    return [annotation] if inspect.isclass(annotation) and issubclass(annotation, msgspec.Struct) else []


def compare(answer: Any, schema: dict[str, Any]) -> None:
    """Fails unless the record has exactly the documented fields, and only those may lack that may lack there."""
    fields = {field.encode_name: field for field in msgspec.structs.fields(answer)}
    [fitting] = [shape for shape in shapes(schema) if shape.get("properties", {}).keys() == fields.keys()] or [None]
    assert fitting is not None, (answer.__name__, sorted(fields), [sorted(s["properties"]) for s in shapes(schema)])
    for name, field in fields.items():
        documented = resolved(fitting["properties"][name])
        for record in records(field.type):
            compare(record, documented.get("items", documented))
        has_default = field.default is not msgspec.NODEFAULT or field.default_factory is not msgspec.NODEFAULT
        assert has_default or name in fitting.get("required", ()) or "const" in documented, (answer.__name__, name)


@pytest.mark.parametrize("place", REQUESTS, ids=".".join)
def test_an_answer_has_the_documented_fields(place: tuple[str, str]) -> None:
    made = REQUESTS[place]
    if made.answer is File:
        return
    responses = ROUTES[made.method, made.template]["responses"]
    [good] = [response for status, response in responses.items() if status.startswith("2")][:1]
    compare(made.answer, good["content"]["application/json"]["schema"])


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 415, 418, 429, 431, 500, 502, 503])
def test_every_status_has_its_error(status: int) -> None:
    told = errors.error_of(status, b'{"message": "No", "code": "some_new_code"}')
    assert isinstance(told, errors.ApiError)
    assert (told.status, told.code, str(told)) == (status, "some_new_code", "No")
    assert isinstance(told, errors.ServerFault) == (status >= 500)
