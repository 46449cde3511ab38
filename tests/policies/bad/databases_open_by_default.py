"""The same for databases."""

from __future__ import annotations

from tests.policies.baseline import (
    central,
)

RULE = "default-permissions-are-empty"
RESOURCE = "settings"
REFERENCE = "https://github.com/hashicorp/terraform-provider-aws/issues/25134"


def program() -> None:
    central(
        {
            "settings": {
                "create_database_default_permissions": [{"permissions": ["ALL"], "principal": "IAM_ALLOWED_PRINCIPALS"}]
            }
        }
    )
