"""Sign-in by OpenID Connect (authorization code with PKCE), by Authlib; and bearers of ID tokens, for the JSON API."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any, Final

import httpx
from authlib.integrations.starlette_client import OAuth
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from lakemesh.portal.web.settings import Settings

ALGORITHMS: Final = ("RS256", "ES256")
"""Signatures that are taken; never `none`, and never one by a secret that is no key."""
KEYS_SECONDS: Final = 300.0
LEEWAY: Final = 60
"""Seconds that clocks may differ."""


class TokenError(Exception):
    """A token that is not to be believed. Says why, and nothing of the token."""


def provider(settings: Settings) -> Any:
    """Authlib's client of the identity provider."""
    oauth = OAuth()
    return oauth.register(
        name="identity",
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        server_metadata_url=f"{settings.issuer}/.well-known/openid-configuration",
        client_kwargs={"scope": "openid email profile", "code_challenge_method": "S256"},
    )


class Bearers:
    """Verifies ID tokens against the issuer's keys, which are read again every five minutes."""

    def __init__(self, settings: Settings, http: httpx.Client | None = None) -> None:
        self._settings = settings
        self._http = http or httpx.Client(timeout=10.0)
        self._lock = threading.Lock()
        self._keys: KeySet | None = None
        self._until = 0.0

    def claims(self, token: str) -> Mapping[str, Any]:
        """Claims of a token that the issuer made for this portal and that holds now. Raises TokenError."""
        registry = jwt.JWTClaimsRegistry(
            leeway=LEEWAY,
            iss={"essential": True, "value": self._settings.issuer},
            aud={"essential": True, "value": self._settings.client_id},
            exp={"essential": True},
        )
        try:
            decoded = jwt.decode(token, self._keys_now(), algorithms=list(ALGORITHMS))
            registry.validate(decoded.claims)
        except (JoseError, ValueError) as error:
            raise TokenError(f"the token is not valid ({type(error).__name__})") from None
        return dict(decoded.claims)

    def _keys_now(self) -> KeySet:
        with self._lock:
            if self._keys is None or time.monotonic() >= self._until:
                self._keys = KeySet.import_key_set(self._read())
                self._until = time.monotonic() + KEYS_SECONDS
            return self._keys

    def _read(self) -> Any:
        try:
            metadata = (
                self._http.get(f"{self._settings.issuer}/.well-known/openid-configuration").raise_for_status().json()
            )
            return self._http.get(metadata["jwks_uri"]).raise_for_status().json()
        except (httpx.HTTPError, ValueError, KeyError) as error:
            raise TokenError(f"the identity provider does not answer ({type(error).__name__})") from error
