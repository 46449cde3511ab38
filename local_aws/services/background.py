"""What AWS does after it has answered: deliveries, polls, schedules. A few threads, which wait and never poll.

A job belongs to the world it was made in: a reset forgets those that wait and lets those that run come to their end.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable

from local_aws.services import calls, clock

log = logging.getLogger(__name__)
Job = Callable[[], None]
THREADS = 4
SOON = 3.0
"""Seconds within which a waiting job counts as work: `wait_idle` waits for it. Later ones are schedules and delays."""
QUIET_SECONDS = 15.0


class Background:
    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: list[tuple[float, int, Job]] = []
        self._order = itertools.count()
        self._running = 0
        self._stopped = False
        self._threads: list[threading.Thread] = []

    def submit(self, job: Job, delay: float = 0.0) -> None:
        """Run a job after `delay` seconds of the clock that can be advanced."""
        with self._changed:
            if self._stopped:
                return
            heapq.heappush(self._waiting, (clock.now() + delay, next(self._order), job))
            if not self._threads:
                self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(THREADS)]
                for thread in self._threads:
                    thread.start()
            self._changed.notify_all()

    def wake(self) -> None:
        """Look at the clock again: it was advanced."""
        with self._changed:
            self._changed.notify_all()

    def wait_idle(self, timeout: float) -> bool:
        """Wait until nothing runs and nothing is due soon; False when that takes longer."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while self._running or (self._waiting and self._waiting[0][0] <= clock.now() + SOON):
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(left)
            return True

    def quiesce(self, interrupt: Job) -> None:
        """Forget what waits and let what runs end; `interrupt` ends what it may wait for."""
        with self._changed:
            self._stopped = True
            self._waiting.clear()
            running = self._running
        if running:
            interrupt()
        deadline = time.monotonic() + QUIET_SECONDS
        with self._changed:
            while self._running and (left := deadline - time.monotonic()) > 0:
                self._changed.wait(left)
            self._waiting.clear()
            self._stopped = False

    def _work(self) -> None:
        while True:
            job = self._next()
            try:
                job()
            except Exception:
                log.exception("a job in the background failed")
            finally:
                with self._changed:
                    self._running -= 1
                    self._changed.notify_all()

    def _next(self) -> Job:
        with self._changed:
            while True:
                wait = self._waiting[0][0] - clock.now() if self._waiting else None
                if wait is not None and wait <= 0:
                    self._running += 1
                    return heapq.heappop(self._waiting)[2]
                self._changed.wait(wait)


_background = Background()
submit, wake, wait_idle = _background.submit, _background.wake, _background.wait_idle


@calls.before_reset
def quiesce() -> None:
    """Before a reset, and when the server stops."""
    from local_aws.services.lambda_.worker import stop_all

    _background.quiesce(stop_all)
