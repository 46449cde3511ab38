"""In hybrid access mode IAM policies give access past Lake Formation."""

from __future__ import annotations

from tests.policies.baseline import (
    domain,
)

RULE = "hybrid-access-is-an-exception"
RESOURCE = "location"
REFERENCE = "https://github.com/hashicorp/terraform-provider-aws/issues/36827"


def program() -> None:
    domain({"location": {"hybrid_access_enabled": True}})
