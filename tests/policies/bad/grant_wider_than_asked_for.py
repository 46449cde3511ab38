"""The request was for public and internal data of one product; this is for the whole domain."""

from __future__ import annotations

from tests.policies.baseline import (
    domain,
    expression,
)

RULE = "grants-trace-to-an-approved-request"
RESOURCE = "account"


def program() -> None:
    domain({"account": {"lf_tag_policy": expression(domain=["ar"], sensitivity=["internal"])}})
