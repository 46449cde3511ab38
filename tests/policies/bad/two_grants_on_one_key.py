"""Two resources, one grant: deleting either revokes both."""

from __future__ import annotations

import pulumi_aws as aws

from tests.policies.baseline import (
    CENTRAL,
    LATER,
    SYNC,
    domain,
)

RULE = "one-grant-per-principal-and-resource"
RESOURCE = "sync-database"
REFERENCE = "https://github.com/hashicorp/terraform-provider-aws/issues/39082"


def program() -> None:
    domain(
        more={
            "again": (
                aws.lakeformation.Permissions,
                {
                    "principal": SYNC,
                    "permissions": ["ALTER"],
                    "database": {"name": "ar_curated", "catalog_id": CENTRAL},
                },
                LATER,
            )
        }
    )
