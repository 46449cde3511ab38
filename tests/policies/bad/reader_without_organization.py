"""The organization is not asked for."""

from __future__ import annotations

from tests.policies.baseline import (
    producer,
    trust,
)

RULE = "reader-roles-trust-the-sync-role-alone"
RESOURCE = "reader"


def program() -> None:
    producer({"reader": {"assume_role_policy": trust(**{"aws:PrincipalOrgID": None})}})
