"""Who is calling: the identity behind an access key.

* An access key that equals a 12-digit account id is that account's root user: the person who administers it.
* Temporary credentials from AssumeRole (`issue`) are the role.
Signatures are not verified: the local AWS listens on loopback and holds nothing but samples.
"""

from __future__ import annotations

import datetime as dt
import re
import secrets
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class Identity:
    """The caller. `arn` is what Lake Formation and policies know: the role's IAM ARN, or its account's root."""

    account: str
    arn: str
    session_arn: str
    user_id: str

    @property
    def is_root(self) -> bool:
        return self.arn.endswith(":root")

    @property
    def arns(self) -> frozenset[str]:
        """Every ARN a policy's `Principal` may name this caller by, its account's root apart."""
        return frozenset({self.arn, self.session_arn})


@dataclass(frozen=True)
class Credentials:
    access_key_id: str
    secret_access_key: str
    session_token: str
    expiration: dt.datetime


_ACCOUNT = re.compile(r"\d{12}")
_current: ContextVar[Identity | None] = ContextVar("local_aws_identity", default=None)
_sessions: dict[str, tuple[Identity, dt.datetime]] = {}


def root(account: str) -> Identity:
    arn = f"arn:aws:iam::{account}:root"
    return Identity(account, arn, arn, account)


def role(role_arn: str, session_name: str, role_id: str = "AROALOCALAWS") -> Identity:
    """The identity of a role's session, from the role's IAM ARN (whose path the session's ARN leaves out)."""
    account, name = role_arn.split(":")[4], role_arn.rsplit("/", 1)[-1]
    session = f"arn:aws:sts::{account}:assumed-role/{name}/{session_name}"
    return Identity(account, role_arn, session, f"{role_id}:{session_name}")


def issue(identity: Identity, duration: int = 3600) -> Credentials:
    """Temporary credentials that act as `identity` for `duration` seconds. Trust is the caller's business."""
    expiration = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=duration)
    key = "ASIA" + secrets.token_hex(8).upper()
    _sessions[key] = identity, expiration
    return Credentials(key, secrets.token_urlsafe(30), secrets.token_urlsafe(60), expiration)


def from_access_key(key: str) -> Identity | None:
    """Who an access key is; None: nobody, or a session that has ended."""
    if _ACCOUNT.fullmatch(key):
        return root(key)
    session = _sessions.get(key)
    if session is None or session[1] <= dt.datetime.now(dt.UTC):
        return None
    return session[0]


def forget() -> None:
    _sessions.clear()


def current_principal() -> Identity:
    """Who sent the request that this thread is answering. Raises RuntimeError outside of a request."""
    identity = _current.get()
    if identity is None:
        raise RuntimeError("no request is being answered in this thread: there is no caller")
    return identity


def caller() -> Identity | None:
    """Who this thread (context) acts as, or None outside of a request."""
    return _current.get()


def act_as(identity: Identity | None) -> None:
    """Set who this thread (context) acts as: the front door does it for each request, a service for its own work."""
    _current.set(identity)
