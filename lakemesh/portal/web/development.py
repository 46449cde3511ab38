"""An identity provider for one machine: whoever reaches it picks who they are. Never part of a portal others reach.

It speaks OpenID Connect as a real one does (discovery, authorization code with PKCE, ID token signed with RS256), so
that signing in goes the same way with it and without it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import FastAPI, Form, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from joserfc import jwt
from joserfc.jwk import RSAKey

from lakemesh.declarations.models import Declarations

PATH: Final = "/development-identity"
SECONDS: Final = 300
CODE_SECONDS: Final = 60


@dataclass(frozen=True)
class Somebody:
    """A person to sign in as."""

    email: str
    what: str


@dataclass(frozen=True)
class _Code:
    email: str
    challenge: str
    nonce: str
    redirect_uri: str
    until: float


def people(declarations: Declarations) -> list[Somebody]:
    """Everybody whom the mesh names: stewards, approvers, members of consumers."""
    mesh = declarations.mesh
    found: dict[str, list[str]] = {}
    for address in mesh.portal.stewards:
        found.setdefault(address, []).append("steward")
    for name, domain in mesh.domains.items():
        for address in domain.approvers:
            found.setdefault(address, []).append(f"approves for {name}")
    for consumer, members in mesh.portal.members.items():
        for address in members:
            found.setdefault(address, []).append(f"asks for {consumer}")
    return [Somebody(email, ", ".join(what)) for email, what in found.items() if "@" in email]


def application(
    issuer: str,
    client: tuple[str, str],
    redirect_uri: str,
    known: Callable[[], Sequence[Somebody]],
    page: Callable[..., Any],
) -> FastAPI:
    """The provider. `client`: id and secret; `page` renders the page on which one picks who one is."""
    key = RSAKey.generate_key(2048, parameters={"kid": secrets.token_hex(4), "alg": "RS256", "use": "sig"})
    codes: dict[str, _Code] = {}
    lock = threading.Lock()
    app = FastAPI(openapi_url=None)

    @app.get("/.well-known/openid-configuration")
    def configuration() -> dict[str, Any]:
        return {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/authorize",
            "token_endpoint": f"{issuer}/token",
            "jwks_uri": f"{issuer}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
        }

    @app.get("/keys")
    def keys() -> dict[str, Any]:
        return {"keys": [key.as_dict(private=False)]}

    @app.get("/authorize", response_class=HTMLResponse)
    def authorize(request: Request) -> Any:
        asked = request.query_params
        if asked.get("client_id") != client[0] or asked.get("redirect_uri") != redirect_uri:
            raise HTTPException(400, "no such client, or not its address")
        return page(request, people=known(), asked=dict(asked))

    @app.post("/authorize")
    def chosen(
        email: Annotated[str, Form()],
        state: Annotated[str, Form()],
        nonce: Annotated[str, Form()] = "",
        code_challenge: Annotated[str, Form()] = "",
    ) -> RedirectResponse:
        if email not in {one.email for one in known()}:
            raise HTTPException(400, "nobody of that name")
        code = secrets.token_urlsafe(24)
        with lock:
            codes[code] = _Code(email, code_challenge, nonce, redirect_uri, time.monotonic() + CODE_SECONDS)
        return RedirectResponse(f"{redirect_uri}?{urlencode({'code': code, 'state': state})}", status_code=303)

    @app.post("/token")
    async def token(request: Request) -> dict[str, Any]:
        given = {name: str(value) for name, value in (await request.form()).items()}
        if _client(request, given) != client:
            raise HTTPException(401, "no such client, or not its secret")
        with lock:
            code = codes.pop(given.get("code", ""), None)  # good for once
        if code is None or code.until < time.monotonic() or not _proved(code, given.get("code_verifier", "")):
            raise HTTPException(400, "the code is not good")
        return {
            "token_type": "Bearer",
            "expires_in": SECONDS,
            "access_token": "-",
            "id_token": id_token(code.email, code.nonce),
        }

    def id_token(email: str, nonce: str = "") -> str:
        now = int(time.time())
        claims = {
            "iss": issuer, "aud": client[0], "sub": email, "email": email, "email_verified": True, "name": email,
            "iat": now, "exp": now + SECONDS, **({"nonce": nonce} if nonce else {}),
        }  # fmt: skip
        return jwt.encode({"alg": "RS256", "kid": key.kid}, claims, key)

    app.state.id_token = id_token
    return app


def _client(request: Request, given: dict[str, str]) -> tuple[str, str]:
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        name, _, secret = base64.b64decode(credentials).decode().partition(":")
        return name, secret
    return given.get("client_id", ""), given.get("client_secret", "")


def _proved(code: _Code, verifier: str) -> bool:
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    return bool(code.challenge) and hmac.compare_digest(digest, code.challenge)
