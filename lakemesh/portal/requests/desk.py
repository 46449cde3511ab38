"""Where people act on requests: read the log, decide, add the events; again where somebody was faster."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from lakemesh.portal.requests.commands import Events, RefusedError
from lakemesh.portal.requests.fold import fold
from lakemesh.portal.requests.log import ConflictError, EventLog
from lakemesh.portal.requests.model import Request

ATTEMPTS: Final = 5
"""Each lost race means that somebody else made progress."""
_LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's: none is taken for another."""
_LENGTH: Final = 10


class UnknownRequestError(RefusedError):
    """There is no such request."""


@dataclass(frozen=True)
class Desk:
    """One log and one clock."""

    log: EventLog
    clock: Callable[[], dt.datetime]

    def now(self) -> dt.datetime:
        """In whole seconds, as events keep it."""
        return self.clock().astimezone(dt.UTC).replace(microsecond=0)

    def get(self, identifier: str) -> Request:
        """Raises UnknownRequestError."""
        events = self.log.events(identifier)
        if not events:
            raise UnknownRequestError(f"There is no request {identifier}.")
        return fold(events)

    def open(self, token: str, decide: Callable[[str, dt.datetime], Events]) -> Request:
        """A new request. `token` is the form's: sent twice, it is one request and not two."""
        identifier = request_id(token)
        with contextlib.suppress(ConflictError):  # the same form, sent before
            self.log.append(decide(identifier, self.now()))
        return self.get(identifier)

    def act(self, identifier: str, decide: Callable[[Request, dt.datetime], Events]) -> Request:
        """Let `decide` add events to a request as it is now.

        Raises UnknownRequestError, what `decide` raises, and RefusedError when others are faster again and again.
        """
        for _ in range(ATTEMPTS):
            request = self.get(identifier)
            events = decide(request, self.now())
            if not events:
                return request
            try:
                self.log.append(events)
            except ConflictError:
                continue
            return self.get(identifier)
        raise RefusedError(f"Others change request {identifier} at this moment; look at it again.")


def new_token() -> str:
    """For a form that is about to be shown."""
    return secrets.token_urlsafe(24)


def request_id(token: str) -> str:
    """`REQ-` and ten letters, the same for the same token."""
    number = int.from_bytes(hashlib.sha256(token.encode()).digest()[:8])
    return "REQ-" + "".join(_LETTERS[number >> shift & 31] for shift in range(0, 5 * _LENGTH, 5))
