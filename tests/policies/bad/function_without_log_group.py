"""Lambda makes a log group of its own, which keeps everything."""

from __future__ import annotations

from tests.policies.baseline import (
    operations,
)

RULE = "logs-have-a-retention"
RESOURCE = "function"


def program() -> None:
    operations({"logs": None})
