"""Super, as an option to pass on."""

from __future__ import annotations

from tests.policies.baseline import (
    domain,
)

RULE = "grants-never-give-all"
RESOURCE = "account"
REFERENCE = "https://github.com/hashicorp/terraform-provider-aws/issues/38066"


def program() -> None:
    domain({"account": {"permissions_with_grant_options": ["SELECT", "SUPER"]}})
