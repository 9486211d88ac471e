"""The application: every room's routes behind one edge, those without a key, and the documents about them."""

from collections.abc import Callable
from pathlib import Path

import fastapi_offline
from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from leadwright import __version__
from leadwright.admin import api as admin_api
from leadwright.campaigns import api as campaigns_api
from leadwright.engine import api as engine_api
from leadwright.engine import forecast_api, preview_api, why_api
from leadwright.errors import LeadwrightError
from leadwright.events import api as events_api
from leadwright.http import openapi, status
from leadwright.http.problems import problem, unknown_route
from leadwright.http.request_id import RequestContext
from leadwright.http.route import Edge
from leadwright.imports import api as imports_api
from leadwright.inbox import api as inbox_api
from leadwright.inbox import sending_api
from leadwright.leads import api as leads_api
from leadwright.people import api as people_api
from leadwright.privacy import api as privacy_api
from leadwright.senders import api as senders_api
from leadwright.senders import standing_api
from leadwright.settings import Settings
from leadwright.suppression import api as suppression_api
from leadwright.tasks import api as tasks_api
from leadwright.webhooks import api as webhooks_api

ROUTERS: tuple[APIRouter, ...] = (
    leads_api.adding_router,
    leads_api.router,
    imports_api.router,
    campaigns_api.router,
    preview_api.router,
    forecast_api.router,
    why_api.router,
    standing_api.router,
    senders_api.router,
    tasks_api.router,
    suppression_api.router,
    leads_api.identity_router,
    people_api.router,
    inbox_api.router,
    sending_api.router,
    privacy_api.router,
    events_api.router,
    webhooks_api.router,
    engine_api.router,
    engine_api.inbound_router,
    admin_api.router,
)


def create_app(edge: Edge, settings: Settings) -> FastAPI:
    """The ASGI application, whose ``edge.database`` the caller opens and closes."""
    app = FastAPI(
        title="Leadwright",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    app.state.edge = edge
    app.state.settings = settings
    for router in (*ROUTERS, status.router):
        app.include_router(router)
    _add_documents(app)
    app.add_exception_handler(HTTPException, _framework_fault)
    app.add_exception_handler(LeadwrightError, _edge_fault)
    app.add_middleware(RequestContext)  # within the framework's last layer, which would answer in plain text
    return app


async def _framework_fault(request: Request, error: Exception) -> Response:
    """The framework raises these for an unknown path or method only; both are an unknown route."""
    del error
    path = str(request.scope.get("asked", request.scope["path"]))
    return problem(unknown_route(request.method, path), request.state.request_id)


async def _edge_fault(request: Request, error: Exception) -> Response:
    assert isinstance(error, LeadwrightError)
    return problem(error, request.state.request_id)


def _add_documents(app: FastAPI) -> None:
    """/openapi.json and /docs; the browser's assets come from an installed package, none from elsewhere."""
    document: Callable[[], Response] = openapi.answer(app)

    async def openapi_document() -> Response:
        return document()

    async def docs() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url="openapi.json",
            title="Leadwright API",
            swagger_js_url="docs/assets/swagger-ui-bundle.js",
            swagger_css_url="docs/assets/swagger-ui.css",
            swagger_favicon_url="docs/assets/favicon.png",
            swagger_ui_parameters={"validatorUrl": None, "tryItOutEnabled": True},
        )

    async def home() -> RedirectResponse:
        """Whoever opens the server's address in a browser wants to know what there is."""
        return RedirectResponse("docs")

    app.add_api_route("/", home, include_in_schema=False)
    app.add_api_route("/openapi.json", openapi_document, include_in_schema=False)
    app.add_api_route("/docs", docs, include_in_schema=False, response_class=HTMLResponse)
    assets = Path(fastapi_offline.__file__).parent / "static"
    app.mount("/docs/assets", StaticFiles(directory=assets), name="docs-assets")
