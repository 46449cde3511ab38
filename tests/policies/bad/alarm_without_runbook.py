"""Whoever is woken has to find out what it means."""

from __future__ import annotations

from tests.policies.baseline import (
    operations,
)

RULE = "alarms-have-a-runbook"
RESOURCE = "alarm"


def program() -> None:
    operations({"alarm": {"alarm_description": "Errors > 0"}})
