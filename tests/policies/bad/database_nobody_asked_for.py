"""DESCRIBE on a database that holds nothing the consumer was granted."""

from __future__ import annotations

from tests.policies.baseline import (
    CENTRAL,
    domain,
)

RULE = "grants-trace-to-an-approved-request"
RESOURCE = "account-database"


def program() -> None:
    domain({"account-database": {"database": {"catalog_id": CENTRAL, "name": "payroll"}}})
