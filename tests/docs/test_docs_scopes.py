"""docs/scopes.md says which route wants which scope."""

from collections.abc import Callable, Iterator
from typing import Any

from fastapi.routing import APIRoute

from leadwright.accounts.model import Scope
from leadwright.http.app import ROUTERS
from leadwright.http.route import ANY_KEY, SCOPE_MARK


def routes() -> Iterator[tuple[str, str, str]]:
    for router in ROUTERS:
        for route in router.routes:
            assert isinstance(route, APIRoute)
            for method in sorted(route.methods):
                scope = (route.openapi_extra or {})[SCOPE_MARK]
                yield f"`{method} {route.path_format}`", f"`{scope}`", route.summary or ""


def test_every_route_stands_there_with_its_scope(document: Callable[[str], Any]) -> None:
    shown = document("docs/scopes.md").rows("Which route wants which")
    assert sorted(map(tuple, shown)) == sorted(routes())


def test_every_scope_is_explained(document: Callable[[str], Any]) -> None:
    shown = document("docs/scopes.md").rows("All of them")
    assert [row[0] for row in shown] == [f"`{scope}`" for scope in Scope]
    assert all(row[1] for row in shown)


def test_every_route_wants_a_scope_that_there_is() -> None:
    assert {scope.strip("`") for _, scope, _ in routes()} <= {*Scope, ANY_KEY}
