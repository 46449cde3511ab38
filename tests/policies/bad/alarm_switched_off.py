"""Switched off for a migration, two years ago."""

from __future__ import annotations

from tests.policies.baseline import (
    operations,
)

RULE = "alarms-have-an-action"
RESOURCE = "alarm"


def program() -> None:
    operations({"alarm": {"actions_enabled": False}})
