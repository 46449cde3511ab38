"""How fast this process calls AWS: a budget of calls for each account and API, and waiting when it was too fast.

Glue throttles requests an account and region at a time (re:Post, "How do I resolve the Rate exceeded error in AWS
Glue?"), and "AWS Glue endpoints and quotas" (General Reference) names no number, so nobody knows beforehand what is too
much. Two things follow. A producer's account is not ours: we bound ourselves there, and the bound is shared by all
invocations that may run at once. And what AWS answers counts more than the bound: each throttle halves the rate of that
API in that account, each answer raises it a little.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError  # noqa: A004 -- botocore's own name

from sync_handlers.settings import settings

T = TypeVar("T")
MOST = 100.0
"""Calls a second of one API in one account, of all invocations together: our own bound."""
LEAST = 0.5
"""Calls a second that no throttle takes us below: an invocation has to come to an end."""
ATTEMPTS = 6
NETWORK_ATTEMPTS = 3
"""Of a call that got no answer: each may have waited as long as the client's timeouts."""
BASE_WAIT, LONGEST_WAIT = 0.5, 8.0
"""Seconds. With `ATTEMPTS` all waits of one call together stay under 24 s, less than the time a handler keeps back."""
_THROTTLES = frozenset(
    {
        "BandwidthLimitExceeded",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
    }
)
_random = random.SystemRandom()


@dataclass
class Bucket:
    """Tokens of one API: `rate` a second, saved up for one second at most."""

    most: float
    rate: float = field(init=False)
    _tokens: float = field(init=False)
    _at: float | None = None

    def __post_init__(self) -> None:
        self.rate = self.most
        self._tokens = max(1.0, self.most)

    def take(self, now: float) -> float:
        """Seconds to wait before the call that this token is for. Those who wait are served in the order they asked."""
        if self._at is not None:
            self._tokens = min(max(1.0, self.rate), self._tokens + (now - self._at) * self.rate)
        self._at = now
        self._tokens -= 1.0
        return max(0.0, -self._tokens / self.rate)

    def slower(self) -> None:
        self.rate = max(min(LEAST, self.most), self.rate / 2)
        self._tokens = min(self._tokens, 0.0)

    def faster(self) -> None:
        self.rate = min(self.most, self.rate + self.most / 100)


@dataclass
class Pace:
    """Calls to one account. Safe for several threads."""

    most: float
    """Calls a second of each API."""
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _buckets: dict[str, Bucket] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, api: str, call: Callable[[], T]) -> T:
        """`call` within the budget of `api`, again when it was throttled or met a passing fault.

        Every call of the sync may be repeated: writes carry the version they compared, or answer that they were done.
        """
        attempt = 0
        while True:
            attempt += 1
            self._wait(api)
            try:
                answer = call()
            except ClientError as error:
                self._refused(api, error)
                if attempt >= ATTEMPTS or not passing(error):
                    raise
            except (ConnectionError, HTTPClientError):
                if attempt >= NETWORK_ATTEMPTS:
                    raise
            else:
                with self._lock:
                    self._bucket(api).faster()
                return answer
            self.sleep(_random.uniform(0, min(LONGEST_WAIT, BASE_WAIT * 2**attempt)))

    def rates(self) -> Mapping[str, float]:
        """Calls a second that each API has now."""
        with self._lock:
            return {api: bucket.rate for api, bucket in self._buckets.items()}

    def _wait(self, api: str) -> None:
        with self._lock:
            seconds = self._bucket(api).take(self.clock())
        if seconds:
            self.sleep(seconds)

    def _refused(self, api: str, error: ClientError) -> None:
        if throttled(error):
            with self._lock:
                self._bucket(api).slower()

    def _bucket(self, api: str) -> Bucket:
        return self._buckets.setdefault(api, Bucket(self.most))


_paces: dict[str, Pace] = {}


def of(account: str) -> Pace:
    """The pace of one account, one for all of this process: its share of `MOST`."""
    return _paces.setdefault(account, Pace(MOST / settings().concurrency))


def throttled(error: ClientError) -> bool:
    return _code(error) in _THROTTLES


def passing(error: ClientError) -> bool:
    """Whether the same call may well be answered a moment later."""
    answer: Any = error.response
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0
    return throttled(error) or status in {500, 502, 503, 504}


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
