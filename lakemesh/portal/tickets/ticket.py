"""What a ticket system has to do, and what a ticket says. The systems differ; what they are told does not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Protocol

from lakemesh.portal.requests.model import Event, Kind, Request


class TicketError(Exception):
    """The ticket system did not take it; the text says why. It is told again later."""


class Tickets(Protocol):
    """One ticket system."""

    def open(self, request: Request, title: str, lines: Sequence[str]) -> str:
        """Make the ticket of a request and return its name; that of the one it has where it was made before.

        Raises TicketError.
        """

    def tell(self, request: Request, lines: Sequence[str], closed: bool) -> None:
        """Add lines to the request's ticket, and close it where the request has ended. Raises TicketError."""


_SILENT: Final = frozenset({Kind.TICKET_OPENED, Kind.TICKET_TOLD, Kind.TROUBLED})


def title(request: Request) -> str:
    """One line, for a list of tickets."""
    return f"{request.id}: {request.ask.to} asks for {request.ask.product}"


def description(request: Request, approvers: Sequence[str], link: str) -> list[str]:
    """What a new ticket says."""
    ask = request.asked
    lines = [
        f"{request.requester} asks for access to product {ask.product} for {ask.to}.",
        f"Access: {ask.access}" + (f", sensitivity {', '.join(map(str, ask.sensitivity))}" if ask.sensitivity else ""),
    ]
    if ask.columns is not None:
        lines.append(f"Columns: {ask.columns}")
    if ask.rows is not None:
        lines.append(f"Rows: {ask.rows}")
    lines.append(f"Until: {ask.expires}" if ask.expires else "Until: no end")
    lines.append(f"Purpose: {ask.purpose}")
    lines.append(
        f"Decided by: {', '.join(approvers)} ({request.needed} of them)" if request.needed else "Approved by rule."
    )
    return [*lines, f"Decide in the portal: {link}"]


def news(events: Iterable[Event]) -> list[str]:
    """A line for each event that a ticket tells of."""
    return [_line(event) for event in events if event.kind not in _SILENT]


def _line(event: Event) -> str:
    when = event.at.strftime("%Y-%m-%d %H:%M UTC")
    said = next((str(event.data[key]) for key in ("reason", "question", "answer", "proposal") if key in event.data), "")
    words = f"{when}  {event.kind} by {event.actor}"
    return f"{words}: {said}" if said else words
