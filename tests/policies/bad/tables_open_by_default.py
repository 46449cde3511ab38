"""Every new table is open to IAM alone, and emptying the default later changes nothing."""

from __future__ import annotations

from tests.policies.baseline import (
    central,
)

RULE = "default-permissions-are-empty"
RESOURCE = "settings"
REFERENCE = "https://github.com/pulumi/pulumi-aws/issues/4366"


def program() -> None:
    central(
        {
            "settings": {
                "create_table_default_permissions": [{"permissions": ["ALL"], "principal": "IAM_ALLOWED_PRINCIPALS"}]
            }
        }
    )
