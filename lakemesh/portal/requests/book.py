"""All requests at hand: a projection of the log for lists, kept current by what this process writes and reads anew.

One request is always read from the log itself. Lists come from here, so that a page does not wait for a scan of
thousands of events; what another process wrote is in them after `KEEP_SECONDS` at the latest.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from lakemesh.portal.requests.log import EventLog, requests
from lakemesh.portal.requests.model import Request

KEEP_SECONDS: Final = 15.0


class Book:
    """Requests by their id. Safe to use from several threads."""

    def __init__(self, log: EventLog, clock: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._clock = clock
        self._lock = threading.Lock()
        self._requests: dict[str, Request] = {}
        self._until = float("-inf")

    def every(self) -> dict[str, Request]:
        """Every request, as it was a moment ago or is now."""
        with self._lock:
            if self._clock() >= self._until:
                read = requests(self._log)
                # The scan may have begun before the last write of this process.
                for identifier, known in self._requests.items():
                    if identifier not in read or read[identifier].sequence < known.sequence:
                        read[identifier] = known
                self._requests = read
                self._until = self._clock() + KEEP_SECONDS
            return dict(self._requests)

    def note(self, request: Request) -> None:
        """A request as this process has just read or written it."""
        with self._lock:
            known = self._requests.get(request.id)
            if known is None or known.sequence < request.sequence:
                self._requests[request.id] = request
