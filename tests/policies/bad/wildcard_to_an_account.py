"""Every product of the mesh, also those to come."""

from __future__ import annotations

from tests.policies.baseline import (
    domain,
    expression,
)

RULE = "accounts-get-exact-tag-policies"
RESOURCE = "account"


def program() -> None:
    domain(
        {"account": {"lf_tag_policy": expression(product=["cash_application"], process=["*"], sensitivity=["public"])}}
    )
