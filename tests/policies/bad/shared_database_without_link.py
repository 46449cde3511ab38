"""Athena cannot name a database of another account."""

from __future__ import annotations

from tests.policies.baseline import (
    consumer,
)

RULE = "every-shared-database-has-a-link"
RESOURCE = "reads"


def program() -> None:
    consumer({"link": None, "on-link": None})
