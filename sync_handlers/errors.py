"""Failures that a person reads: each says where, what, why it matters and what to do.

An exception that leaves a handler becomes the `errorMessage` of the invocation, and so the text under the failed
resource in `pulumi up` (Lambda developer guide, "python-exceptions").
"""

from __future__ import annotations

from collections.abc import Sequence

SHOWN = 20
"""Failures listed one by one; the rest is counted, so that a message fits a terminal."""


class HandlerError(Exception):
    """Base of what a handler refuses or could not finish; the message is complete by itself."""


class EventError(HandlerError):
    """The event is not one this handler understands."""


class ManifestError(HandlerError):
    """The bundled manifest is missing, unreadable or of another version."""


class NotDeployedError(HandlerError):
    """Something that another stack makes is not there yet, or is older than this invocation expects."""


class RefusedError(HandlerError):
    """What was found must not be built upon; nothing was changed."""


class IncompleteError(HandlerError):
    """Part of the work failed; the rest is done and stays done."""


class OutOfTimeError(HandlerError):
    """The function's time ran short before the work was done."""


def listed(items: Sequence[str], total: int | None = None) -> str:
    """Lines for a message, indented, at most `SHOWN` of them and the number of the rest (of `total`, if not all are
    given)."""
    lines = [f"    {item}".replace("\n", "\n    ") for item in items[:SHOWN]]
    rest = (len(items) if total is None else total) - len(lines)
    if rest > 0:
        lines.append(f"    … and {rest:,} more")
    return "\n".join(lines)


def counted(number: int, noun: str) -> str:
    """`1 table`, `2 tables`."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def deploy(stack: str) -> str:
    """The mend most errors end in."""
    return f"deploy stack {stack} first (pulumi up --stack {stack})"
