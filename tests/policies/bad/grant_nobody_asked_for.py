"""Access that is in the program and not in the declarations."""

from __future__ import annotations

from tests.policies.baseline import (
    domain,
    expression,
)

RULE = "grants-trace-to-an-approved-request"
RESOURCE = "account"


def program() -> None:
    domain({"account": {"lf_tag_policy": expression(product=["vendor"], sensitivity=["internal"])}})
