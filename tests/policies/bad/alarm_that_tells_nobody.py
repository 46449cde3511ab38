"""The alarm turns red on a page that nobody has open."""

from __future__ import annotations

from tests.policies.baseline import (
    operations,
)

RULE = "alarms-have-an-action"
RESOURCE = "alarm"


def program() -> None:
    operations({"alarm": {"alarm_actions": None}})
