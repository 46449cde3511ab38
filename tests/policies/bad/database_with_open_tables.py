"""A database that opens its own tables."""

from __future__ import annotations

from tests.policies.baseline import (
    domain,
)

RULE = "default-permissions-are-empty"
RESOURCE = "twin"
REFERENCE = "https://github.com/hashicorp/terraform-provider-aws/issues/27295"


def program() -> None:
    domain(
        {
            "twin": {
                "create_table_default_permissions": [
                    {
                        "permissions": ["SELECT"],
                        "principal": {"data_lake_principal_identifier": "IAM_ALLOWED_PRINCIPALS"},
                    }
                ]
            }
        }
    )
