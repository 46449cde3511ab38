"""Whoever deploys holds every permission on the location."""

from __future__ import annotations

from tests.policies.baseline import (
    domain,
)

RULE = "locations-give-no-privileged-access"
RESOURCE = "location"


def program() -> None:
    domain({"location": {"with_privileged_access": True}})
