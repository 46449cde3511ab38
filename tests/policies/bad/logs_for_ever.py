"""Logs that are kept for ever."""

from __future__ import annotations

from tests.policies.baseline import (
    operations,
)

RULE = "logs-have-a-retention"
RESOURCE = "logs"


def program() -> None:
    operations({"logs": {"retention_in_days": None}})
