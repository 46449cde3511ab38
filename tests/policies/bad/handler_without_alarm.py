"""The handler stops working and nobody is told."""

from __future__ import annotations

from tests.policies.baseline import (
    operations,
)

RULE = "queue-handlers-have-an-alarm"
RESOURCE = "function"


def program() -> None:
    operations({"alarm": None})
