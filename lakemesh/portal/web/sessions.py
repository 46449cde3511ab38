"""Who is signed in: a signed cookie that says who, and the mesh that says what that person is.

The cookie holds an address, a name and groups, as the identity provider gave them, and a token against forged forms.
What the person may do is computed from the mesh at every request: an approver that mesh.yaml no longer names is none.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request

from lakemesh.declarations.models import Declarations
from lakemesh.portal.people import person
from lakemesh.portal.requests.model import Person

HOURS: Final = 8
"""How long a session lasts, whatever happens in it."""
COOKIE: Final = "lakemesh_session"
_MOST_GROUPS: Final = 200


@dataclass(frozen=True)
class Session:
    """One person at one browser."""

    email: str
    name: str
    groups: tuple[str, ...]
    csrf: str

    def person(self, declarations: Declarations) -> Person:
        """What the mesh makes of the person (`portal` in mesh.yaml)."""
        return person(declarations, self.email, self.name, self.groups)


def signed_in(request: Request) -> Session | None:
    """The session of a browser; None where nobody is signed in, or it is over."""
    held: Mapping[str, Any] = request.session
    if not held.get("email") or time.time() >= float(held.get("until", 0)):
        return None
    return Session(str(held["email"]), str(held.get("name", "")), tuple(held.get("groups", ())), str(held["csrf"]))


def sign_in(request: Request, claims: Mapping[str, Any], groups_claim: str) -> None:
    """Begin a session from the claims of an ID token that was verified. Raises ValueError without a usable address."""
    email = claims.get("email")
    if not isinstance(email, str) or "@" not in email or not email.isprintable() or len(email) > 254:
        raise ValueError("the identity provider gave no e-mail address")
    if claims.get("email_verified") is False:
        raise ValueError("the identity provider has not verified the e-mail address")
    groups = claims.get(groups_claim) or []
    request.session.clear()  # nothing of before is in the new session
    request.session.update(
        {
            "email": email,
            "name": str(claims.get("name") or email)[:100],
            "groups": [str(group) for group in groups if isinstance(group, str)][:_MOST_GROUPS],
            "csrf": secrets.token_urlsafe(24),
            "until": time.time() + HOURS * 3600,
        }
    )


def same(given: str, expected: str) -> bool:
    """Whether a form's token is the session's, in constant time."""
    return hmac.compare_digest(given.encode(), expected.encode())
