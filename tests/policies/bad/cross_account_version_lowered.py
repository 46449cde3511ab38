"""Version 2 shares no tag expression with a role."""

from __future__ import annotations

from tests.policies.baseline import (
    central,
)

RULE = "cross-account-version-is-current"
RESOURCE = "settings"
REFERENCE = "https://docs.aws.amazon.com/lake-formation/latest/dg/optimize-ram.html"


def program() -> None:
    central({"settings": {"parameters": {"CROSS_ACCOUNT_VERSION": "2"}}})
