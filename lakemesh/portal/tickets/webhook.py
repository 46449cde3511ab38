"""Tickets in a system of the company's own, told by signed HTTP calls.

Each call is a POST of one JSON document with two headers: `X-Lakemesh-Timestamp`, seconds since 1970, and
`X-Lakemesh-Signature`, `sha256=` and the HMAC-SHA256 of `<timestamp>.<body>` in hexadecimal digits. A receiver compares
in constant time, refuses what is older than five minutes, and takes a `delivery` that it has seen for done.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from typing import Any

import httpx

from lakemesh.portal.requests.model import Request
from lakemesh.portal.tickets.ticket import TicketError


class WebhookTickets:
    """One receiver and the secret it shares with us."""

    def __init__(self, http: httpx.Client, url: str, secret: bytes, clock: Callable[[], float]) -> None:
        self._http = http
        self._url = url
        self._secret = secret
        self._clock = clock

    def open(self, request: Request, title: str, lines: Sequence[str]) -> str:
        """Raises TicketError. The name is what the receiver answers as `ticket`, or the request's id."""
        answer = self._call("opened", request, {"title": title, "lines": list(lines)}, 1)
        name = answer.get("ticket") if isinstance(answer, dict) else None
        return str(name)[:100] if name else request.id

    def tell(self, request: Request, lines: Sequence[str], closed: bool) -> None:
        """Raises TicketError."""
        body = {"ticket": request.ticket, "lines": list(lines), "closed": closed}
        self._call("changed", request, body, request.sequence)

    def _call(self, event: str, request: Request, content: dict[str, Any], sequence: int) -> Any:
        document = {"event": event, "request": request.id, "delivery": f"{request.id}-{event}-{sequence}", **content}
        body = json.dumps(document, ensure_ascii=False, sort_keys=True).encode()
        stamp = str(int(self._clock()))
        headers = {
            "Content-Type": "application/json",
            "X-Lakemesh-Timestamp": stamp,
            "X-Lakemesh-Signature": signature(self._secret, stamp, body),
        }
        try:
            answer = self._http.post(self._url, content=body, headers=headers)
        except httpx.HTTPError as error:
            raise TicketError(f"The ticket system does not answer: {type(error).__name__}") from error
        if answer.is_error:
            raise TicketError(f"The ticket system answered {answer.status_code}")
        try:
            return answer.json() if answer.content else {}
        except ValueError:
            return {}


def signature(secret: bytes, stamp: str, body: bytes) -> str:
    """What the header has to say for a body that was sent at a time."""
    return "sha256=" + hmac.new(secret, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
