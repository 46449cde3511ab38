"""Every sensitivity there is, and will be."""

from __future__ import annotations

from tests.policies.baseline import (
    domain,
    expression,
)

RULE = "tag-grants-never-reach-unreviewed"
RESOURCE = "direct"


def program() -> None:
    domain({"direct": {"lf_tag_policy": expression(product=["ar_invoice"], sensitivity=["*"])}})
