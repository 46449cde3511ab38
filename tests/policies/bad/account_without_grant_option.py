"""An account that can give nobody what it got."""

from __future__ import annotations

from tests.policies.baseline import (
    domain,
)

RULE = "accounts-get-exact-tag-policies"
RESOURCE = "account"
REFERENCE = "https://docs.aws.amazon.com/lake-formation/latest/dg/cross-account-cascading-permissions.html"


def program() -> None:
    domain({"account": {"permissions_with_grant_options": None}})
