"""Work that was not done lies there unseen."""

from __future__ import annotations

from tests.policies.baseline import (
    operations,
)

RULE = "dead-letter-queues-have-an-alarm"
RESOURCE = "dead"


def program() -> None:
    operations({"dead-alarm": None})
