"""With DESCRIBE on its values an account can grant any expression over them."""

from __future__ import annotations

from tests.policies.baseline import (
    CONSUMER,
    domain,
)

RULE = "lf-tag-permissions-stay-in-the-account"
RESOURCE = "tag-lf-tag"
REFERENCE = "https://github.com/hashicorp/terraform-provider-aws/issues/26602"


def program() -> None:
    domain(
        {
            "tag-lf-tag": {
                "principal": CONSUMER,
                "permissions": ["DESCRIBE"],
                "permissions_with_grant_options": ["DESCRIBE"],
            }
        }
    )
