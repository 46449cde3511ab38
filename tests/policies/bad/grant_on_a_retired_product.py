"""Nobody keeps the product up any more."""

from __future__ import annotations

from typing import Any

from tests.policies.baseline import (
    domain,
)

RULE = "grants-trace-to-an-approved-request"
RESOURCE = "account"


def mesh(document: dict[str, Any]) -> None:
    document["products"]["cash_application"]["status"] = "retired"


def program() -> None:
    domain()
