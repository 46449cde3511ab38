"""IAM_ALLOWED_PRINCIPALS switches Lake Formation off for the resource."""

from __future__ import annotations

from tests.policies.baseline import (
    domain,
)

RULE = "grants-never-go-to-everybody"
RESOURCE = "direct"
REFERENCE = "https://github.com/hashicorp/terraform-provider-aws/issues/20047"


def program() -> None:
    domain({"direct": {"principal": "IAM_ALLOWED_PRINCIPALS"}})
