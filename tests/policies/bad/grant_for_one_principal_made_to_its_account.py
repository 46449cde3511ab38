"""One controller asked; everybody in the account got it."""

from __future__ import annotations

from typing import Any

from tests.policies.baseline import (
    domain,
    expression,
)

RULE = "grants-trace-to-an-approved-request"
RESOURCE = "account"


def mesh(document: dict[str, Any]) -> None:
    next(g for g in document["grants"] if g["product"] == "ledger_balance")["to"] = "finance-analytics/controller"


def program() -> None:
    domain({"account": {"lf_tag_policy": expression(product=["ledger_balance"], sensitivity=["internal"])}})
