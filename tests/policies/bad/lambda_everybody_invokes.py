"""Anybody can invoke the function."""

from __future__ import annotations

from tests.policies.baseline import (
    producer,
)

RULE = "policies-name-their-principals"
RESOURCE = "invoke"


def program() -> None:
    producer({"invoke": {"principal_org_id": None}})
