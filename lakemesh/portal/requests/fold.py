"""From events to the request they made. The log is the truth; nothing else is kept."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, Final

from lakemesh.portal.requests.model import Ask, Event, Kind, Request, Status, Trouble

BOOKKEEPING: Final = frozenset({Kind.REMINDED, Kind.TICKET_OPENED, Kind.TICKET_TOLD, Kind.TROUBLED})
"""What changes nothing about the request itself."""


class BrokenLogError(Exception):
    """Events that no portal wrote: a gap, another request's event, or a first event that is no submission."""


def fold(events: Iterable[Event]) -> Request:
    """The request after all its events, in order. Raises BrokenLogError."""
    request: Request | None = None
    for event in events:
        request = _submitted(event) if request is None else apply(request, event)
    if request is None:
        raise BrokenLogError("there is no such request")
    return request


def apply(request: Request, event: Event) -> Request:
    """The request after one more event. Raises BrokenLogError."""
    if event.request != request.id or event.sequence != request.sequence + 1 or event.before is not request.status:
        raise BrokenLogError(
            f"event {event.sequence} of request {event.request} ({event.before} -> {event.after}) does not follow "
            f"event {request.sequence} of {request.id} ({request.status})"
        )
    changed = request.with_(status=event.after, sequence=event.sequence)
    if event.kind not in BOOKKEEPING:
        changed = changed.with_(changed_at=event.at)
    return _effect(changed, event, event.data)


def _submitted(event: Event) -> Request:
    if event.kind is not Kind.SUBMITTED or event.sequence != 1 or event.before is not None:
        raise BrokenLogError(f"request {event.request} begins with event {event.sequence}, {event.kind}")
    ask = Ask.of(event.data["ask"])
    return Request(
        id=event.request,
        ask=ask,
        asked=ask,
        requester=event.actor,
        status=event.after,
        sequence=1,
        submitted_at=event.at,
        changed_at=event.at,
        needed=int(event.data["needed"]),
        extends=event.data.get("extends"),
    )


def _effect(request: Request, event: Event, data: Mapping[str, Any]) -> Request:
    match event.kind:
        case Kind.NARROWED:
            # Who said yes said it to something else.
            return request.with_(ask=Ask.of(data["ask"]), needed=int(data["needed"]), approvals=())
        case Kind.APPROVED:
            done = event.at if event.after is Status.APPROVED else None
            return request.with_(approvals=(*request.approvals, event.actor), approved_at=done, question="")
        case Kind.ASKED_BACK:
            return request.with_(question=data["question"])
        case Kind.ANSWERED:
            return request.with_(question="")
        case Kind.REJECTED | Kind.FAILED | Kind.REVOKE_ASKED:
            return request.with_(reason=data["reason"])
        case Kind.RETRIED:
            return request.with_(reason="")
        case Kind.REMINDED:
            return request.with_(reminded_at=event.at)
        case _:
            return _of_the_system(request, event.kind, data)


def _of_the_system(request: Request, kind: Kind, data: Mapping[str, Any]) -> Request:
    """Tickets and provisioning, and what did not answer."""
    match kind:
        case Kind.PROPOSED:
            settled = _settled(request, "provision")
            return settled.with_(proposal=data["proposal"], written=data.get("entry", {}), reason="")
        case Kind.REMOVAL_PROPOSED:
            return _settled(request, "provision").with_(proposal=data["proposal"])
        case Kind.TICKET_OPENED:
            return _settled(request, "ticket").with_(ticket=data["ticket"], told=int(data["until"]))
        case Kind.TICKET_TOLD:
            return _settled(request, "ticket").with_(told=int(data["until"]))
        case Kind.MERGED | Kind.DEPLOYED | Kind.VERIFIED | Kind.REVOKED:
            return _settled(_settled(request, "provision"), "verify")
        case Kind.TROUBLED:
            retry_at = dt.datetime.fromisoformat(data["retryAt"])
            trouble = Trouble(data["reason"], int(data["attempts"]), retry_at)
            return request.with_(troubles={**request.troubles, data["what"]: trouble})
        case _:
            return request


def _settled(request: Request, what: str) -> Request:
    return request.with_(troubles={name: one for name, one in request.troubles.items() if name != what})
