"""Anybody decides when the sync runs."""

from __future__ import annotations

from tests.policies.baseline import (
    from_the_organization,
    operations,
)

RULE = "event-buses-admit-the-organization-only"
RESOURCE = "bus"


def program() -> None:
    operations({"bus": {"policy": from_the_organization(None)}})
