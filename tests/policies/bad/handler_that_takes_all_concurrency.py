"""A burst of events takes the account's whole concurrency."""

from __future__ import annotations

from tests.policies.baseline import (
    operations,
)

RULE = "queue-handlers-have-reserved-concurrency"
RESOURCE = "function"


def program() -> None:
    operations({"function": {"reserved_concurrent_executions": -1}})
