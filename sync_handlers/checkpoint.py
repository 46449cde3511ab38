"""How far the comparison of a large table has come: what one invocation leaves to the next. Pure.

It travels in the message that asks for the rest, so it is bounded: names of nothing, two digests, one token of Glue.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from sync_handlers.canonical import SetDigest
from sync_handlers.errors import EventError, OutOfTimeError

SEGMENTS = 10
"""A listing is resumed at a segment when its token is no longer taken, so there are as many as Glue allows (Glue API,
Segment)."""
NAMED, NAMED_CHARACTERS = 5, 400
"""Refused partitions that a checkpoint names, and how much it says of each."""
_NOTHING = SetDigest().hexdigest()


@dataclass(frozen=True)
class Checkpoint:
    turn: int = 1
    """Which pass over the whole table this is, from 1."""
    deleting: bool = False
    """False: the source's partitions are looked up in the twin. True, after that: the twin's at the source."""
    segment: int = 0
    token: str | None = None
    """The next page of the segment; None: its first."""
    wrote: bool = False
    """Whether this pass has written, or somebody else changed the table: another pass must follow it."""
    before: str = _NOTHING
    """Digest of the equal partitions of the segments before this one."""
    equal: str = _NOTHING
    """The same, with those of this segment's pages so far."""
    failed: int = 0
    """Partitions that Glue refused in this pass."""
    failures: tuple[str, ...] = ()
    """The first of them, each with its reason."""

    @property
    def done(self) -> bool:
        return self.deleting and self.segment >= SEGMENTS

    def after_page(self, token: str | None, equal: str, *, wrote: bool) -> Checkpoint:
        """The next page, or the next segment's first."""
        ahead = replace(self, token=token, equal=equal, wrote=self.wrote or wrote)
        if token:
            return ahead
        segment, deleting = self.segment + 1, self.deleting
        if segment >= SEGMENTS and not deleting:
            segment, deleting = 0, True
        return replace(ahead, segment=segment, deleting=deleting, before=equal)

    def with_failures(self, failed: int, failures: Sequence[str]) -> Checkpoint:
        return replace(self, failed=failed, failures=tuple(text[:NAMED_CHARACTERS] for text in failures[:NAMED]))

    def at_segment(self) -> Checkpoint:
        """Where its segment began."""
        return replace(self, token=None, equal=self.before)

    def body(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)


def parse(text: str) -> Checkpoint:
    """A checkpoint from a message. Raises EventError."""
    try:
        value: Any = json.loads(text)
        found = replace(Checkpoint(**value), failures=tuple(value.get("failures", ())))
        SetDigest.parse(found.before), SetDigest.parse(found.equal)
        valid = all(isinstance(one, int) for one in (found.turn, found.segment, found.failed)) and all(
            isinstance(text, str) for text in found.failures
        )
        valid = valid and 0 <= found.segment <= SEGMENTS
    except (ValueError, TypeError, AttributeError) as error:
        raise EventError(f"checkpoint: not one that this handler writes ({type(error).__name__}: {error}).") from error
    if not valid or not isinstance(found.token, str | None):
        raise EventError("checkpoint: not one that this handler writes.")
    return found


def disturbed(text: str) -> str:
    """The same place in a pass that another must follow: the table was changed where this one has been already."""
    return replace(parse(text), wrote=True).body()


class ContinuedError(OutOfTimeError):
    """Time ran short in the middle of a large table; the next invocation goes on from `checkpoint`."""

    def __init__(self, message: str, checkpoint: Checkpoint) -> None:
        super().__init__(message)
        self.checkpoint = checkpoint
