"""The requester's friend approved it."""

from __future__ import annotations

from typing import Any

from tests.policies.baseline import (
    domain,
)

RULE = "grants-trace-to-an-approved-request"
RESOURCE = "account"


def mesh(document: dict[str, Any]) -> None:
    next(g for g in document["grants"] if g["id"] == "ar-cash-application-finance-analytics")["approvedBy"] = (
        "friend@acme.example"
    )


def program() -> None:
    domain()
