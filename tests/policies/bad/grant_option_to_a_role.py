"""A role that can hand on what it was granted."""

from __future__ import annotations

from tests.policies.baseline import (
    domain,
)

RULE = "grant-option-never-goes-to-a-role"
RESOURCE = "direct"


def program() -> None:
    domain({"direct": {"permissions_with_grant_options": ["SELECT"]}})
