"""Signing in and out."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Annotated, Any

from authlib.integrations.base_client import OAuthError
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import RedirectResponse, Response
from httpx import HTTPError
from joserfc.errors import JoseError

from lakemesh.portal.web import development
from lakemesh.portal.web.caller import Caller, caller, services
from lakemesh.portal.web.sessions import sign_in

if TYPE_CHECKING:
    from lakemesh.portal.service import Portal
    from lakemesh.portal.web.settings import Settings
    from lakemesh.portal.web.templates import Templates

logger = logging.getLogger("lakemesh.portal")
router = APIRouter(include_in_schema=False)
CALLBACK = "/sign-in/callback"


@router.get("/sign-in")
async def begin(request: Request) -> Response:
    """To the identity provider."""
    made = services(request)
    try:
        answer: Response = await made.identity.authorize_redirect(request, f"{made.settings.url}{CALLBACK}")
    except (HTTPError, OAuthError, ValueError) as error:
        logger.warning("the identity provider does not answer: %s", type(error).__name__)
        return made.templates.error(request, 503, "The identity provider does not answer. Try again in a moment.")
    return answer


@router.get(CALLBACK)
async def end(request: Request) -> Response:
    """Back from the identity provider, with a code that is exchanged for an ID token and verified."""
    made = services(request)
    try:
        token: dict[str, Any] = await made.identity.authorize_access_token(request)
        sign_in(request, token.get("userinfo") or {}, made.settings.groups_claim)
    except (HTTPError, OAuthError, JoseError, ValueError, KeyError) as error:
        logger.warning("signing in failed: %s", type(error).__name__)
        return made.templates.error(request, 401, "Signing in did not work. Begin again.")
    return RedirectResponse("/", 303)


@router.post("/sign-out")
async def out(request: Request, _: Annotated[Caller, Depends(caller)]) -> Response:
    """Forget who it was."""
    request.session.clear()
    return services(request).templates.page(request, None, "signed_out.html")


def mount_development(app: FastAPI, portal: Portal, settings: Settings, templates: Templates) -> None:
    """The identity provider of one machine, under the application's own address."""
    identity = development.application(
        settings.issuer,
        (settings.client_id, settings.client_secret),
        f"{settings.url}{CALLBACK}",
        lambda: development.people(portal.mesh().declarations),
        lambda request, **values: templates.page(request, None, "development.html", **values),
    )
    app.mount(development.PATH, identity)
    app.state.development = identity
