"""The time that schedules and queues go by: the machine's, and what `lakemesh local advance` has added to it.

Sessions, versions and logs keep the machine's own time: advancing it would end every session.
"""

from __future__ import annotations

import time

from moto.sqs import models as queues

from local_aws.services import calls

_added = [0.0]


def now() -> float:
    """Seconds since 1970."""
    return time.time() + _added[0]


def advance(seconds: float) -> None:
    """Move on. Raises ValueError for a step backwards."""
    if seconds < 0:
        raise ValueError("time does not go backwards")
    _added[0] += seconds


@calls.on_reset
def clear() -> None:
    _added[0] = 0.0


# moto's queues ask this for delays, visibility and retention.
queues.unix_time_millis = lambda: now() * 1000
