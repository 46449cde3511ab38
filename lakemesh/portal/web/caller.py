"""Who calls, by a session or a bearer, and whether the call may be made at all: forged forms and rates."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from lakemesh.portal.people import person
from lakemesh.portal.requests.commands import ForbiddenError
from lakemesh.portal.requests.model import Person
from lakemesh.portal.web.guards import SAFE
from lakemesh.portal.web.identity import TokenError
from lakemesh.portal.web.sessions import same, signed_in

if TYPE_CHECKING:
    from lakemesh.portal.web.app import Services


FORMS: Final = ("application/x-www-form-urlencoded", "multipart/form-data")


class NotSignedInError(Exception):
    """Nobody is signed in."""


class TooManyError(Exception):
    """The caller called too often; again in `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = math.ceil(seconds)


@dataclass(frozen=True)
class Caller:
    """A person, and the token that this person's forms carry."""

    person: Person
    csrf: str


def services(request: Request) -> Services:
    """What the application was made with."""
    made: Services = request.app.state.services
    return made


async def caller(request: Request) -> Caller:
    """Who calls. Raises NotSignedInError, TooManyError, and ForbiddenError for a form that is not our own."""
    who = await run_in_threadpool(_bearer, request) or await _session(request)
    rates = services(request).reads if request.method in SAFE else services(request).changes
    wait = rates.wait(who.person.email.casefold())
    if wait:
        raise TooManyError(wait)
    return who


def _bearer(request: Request) -> Caller | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not request.url.path.startswith("/api/"):
        return None
    made = services(request)
    try:
        claims = made.bearers.claims(token.strip())
    except TokenError:
        raise NotSignedInError from None
    email, groups = claims.get("email"), claims.get(made.settings.groups_claim)
    if not isinstance(email, str) or "@" not in email or claims.get("email_verified") is False:
        raise NotSignedInError
    names = [str(group) for group in groups] if isinstance(groups, list) else []
    return Caller(person(made.portal.mesh().declarations, email, str(claims.get("name") or email), names), "")


async def _session(request: Request) -> Caller:
    session = signed_in(request)
    if session is None:
        raise NotSignedInError
    if request.method not in SAFE:
        await _own(request, session.csrf)
    declarations = (await run_in_threadpool(services(request).portal.mesh)).declarations
    return Caller(session.person(declarations), session.csrf)


async def _own(request: Request, token: str) -> None:
    """A form of ours carries the session's token, in a header (HTMX, scripts) or as a field."""
    origin = request.headers.get("origin")
    if origin is not None and origin != services(request).settings.url:
        raise ForbiddenError("This form comes from another site.")
    given = request.headers.get("x-csrf-token", "")
    if not given and request.headers.get("content-type", "").startswith(FORMS):
        given = str((await request.form()).get("csrf", ""))
    if not same(given, token):
        raise ForbiddenError("This form is not one of this session: reload the page and try again.")
