"""The application: sign-in, pages and API over one `Portal`."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.middleware.sessions import SessionMiddleware

from lakemesh.declarations.errors import InvalidMeshError
from lakemesh.portal.requests.commands import ForbiddenError, RefusedError
from lakemesh.portal.requests.desk import UnknownRequestError
from lakemesh.portal.service import Portal, UnknownProductError
from lakemesh.portal.web import api, pages, sign_in
from lakemesh.portal.web.caller import NotSignedInError, TooManyError
from lakemesh.portal.web.guards import Rates, SecureHeaders, SmallBodies
from lakemesh.portal.web.identity import Bearers, provider
from lakemesh.portal.web.sessions import COOKIE, HOURS
from lakemesh.portal.web.settings import Settings
from lakemesh.portal.web.templates import Templates

STATIC: Final = Path(__file__).parent / "static"
CHANGES_A_MINUTE: Final = 30
READS_A_MINUTE: Final = 300
logger = logging.getLogger("lakemesh.portal")


@dataclass
class Services:
    """What every call may use."""

    portal: Portal
    settings: Settings
    templates: Templates
    identity: Any
    bearers: Bearers
    reads: Rates
    changes: Rates


def create(portal: Portal, settings: Settings) -> FastAPI:
    """The application over one portal. Raises nothing for an identity provider that is down: signing in says so."""
    app = FastAPI(
        title="lakemesh portal",
        description="Find data products, ask for access, decide. Bearer: an ID token of your identity provider.",
        version="1",
        docs_url=None,  # its pages would load scripts of others
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
    )
    templates = Templates(settings)
    app.state.services = Services(
        portal=portal,
        settings=settings,
        templates=templates,
        identity=provider(settings),
        bearers=Bearers(settings),
        reads=Rates(READS_A_MINUTE),
        changes=Rates(CHANGES_A_MINUTE),
    )
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.include_router(api.router)
    app.include_router(sign_in.router)
    app.include_router(pages.router)
    if settings.development:
        sign_in.mount_development(app, portal, settings, templates)
    _errors(app)
    app.add_middleware(
        SessionMiddleware,
        secret_key=settings.secret,
        session_cookie=COOKIE,
        max_age=HOURS * 3600,
        same_site="lax",
        https_only=settings.https,
    )
    app.add_middleware(SmallBodies)
    app.add_middleware(SecureHeaders, https=settings.https)
    return app


# ---------------------------------------------------------------------------------------------------------- errors
def _errors(app: FastAPI) -> None:
    handlers: dict[type[Exception], Callable[[Request, Any], Awaitable[Response]]] = {
        NotSignedInError: _not_signed_in,
        TooManyError: _too_many,
        ForbiddenError: _refused(403),
        UnknownProductError: _refused(404),
        UnknownRequestError: _refused(404),
        RefusedError: _refused(422),
        InvalidMeshError: _broken_mesh,
        RequestValidationError: _malformed,
        HTTPException: _http,
    }
    for error, handler in handlers.items():
        app.add_exception_handler(error, handler)


def _answer(
    request: Request, status: int, text: str, field: str = "", headers: dict[str, str] | None = None
) -> Response:
    if request.url.path.startswith("/api/"):
        return JSONResponse({"error": text, "field": field}, status, headers)
    services: Services = request.app.state.services
    return services.templates.error(request, status, text, headers)


async def _not_signed_in(request: Request, _: NotSignedInError) -> Response:
    if request.url.path.startswith("/api/"):
        return JSONResponse(
            {"error": "Sign in, or send an ID token as bearer.", "field": ""}, 401, {"WWW-Authenticate": "Bearer"}
        )
    if request.headers.get("hx-request"):
        return Response(status_code=204, headers={"HX-Redirect": "/sign-in"})
    return RedirectResponse("/sign-in", 303)


async def _too_many(request: Request, error: TooManyError) -> Response:
    headers = {"Retry-After": str(error.seconds)}
    return _answer(request, 429, f"Too many calls in a minute. Try again in {error.seconds} seconds.", "", headers)


def _refused(status: int) -> Callable[[Request, RefusedError], Awaitable[Response]]:
    async def answer(request: Request, error: RefusedError) -> Response:
        return _answer(request, status, str(error), error.field)

    return answer


async def _broken_mesh(request: Request, error: InvalidMeshError) -> Response:
    logger.error("the mesh cannot be read: %d problems, the first in %s", len(error.problems), error.problems[0].file)
    return _answer(
        request, 503, "The mesh has mistakes and cannot be shown. Its maintainers see them with lakemesh validate."
    )


async def _malformed(request: Request, error: RequestValidationError) -> Response:
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"][1:])
    return _answer(request, 422, f"{field}: {first['msg']}" if field else str(first["msg"]), field)


async def _http(request: Request, error: HTTPException) -> Response:
    return _answer(request, error.status_code, str(error.detail), "", dict(error.headers or {}))
