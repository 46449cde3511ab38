"""The consumer's administrators can read the customers' names."""

from __future__ import annotations

from typing import Any

from tests.policies.baseline import (
    domain,
    expression,
)

RULE = "confidential-data-never-goes-to-an-account"
RESOURCE = "account"


def mesh(document: dict[str, Any]) -> None:
    next(g for g in document["grants"] if g["product"] == "cash_application")["sensitivity"].append("confidential")


def program() -> None:
    domain(
        {"account": {"lf_tag_policy": expression(product=["cash_application"], sensitivity=["confidential", "public"])}}
    )
