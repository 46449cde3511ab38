"""A permission for every account there is."""

from __future__ import annotations

from tests.policies.baseline import (
    operations,
)

RULE = "event-buses-admit-the-organization-only"
RESOURCE = "bus-account"


def program() -> None:
    operations({"bus-account": {"principal": "*"}})
