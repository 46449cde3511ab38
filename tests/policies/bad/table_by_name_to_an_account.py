"""A table by name, for an account to pass on."""

from __future__ import annotations

import pulumi_aws as aws

from tests.policies.baseline import (
    CENTRAL,
    CONSUMER,
    LATER,
    domain,
)

RULE = "accounts-get-exact-tag-policies"
RESOURCE = "by-name"


def program() -> None:
    domain(
        more={
            "by-name": (
                aws.lakeformation.Permissions,
                {
                    "principal": CONSUMER,
                    "permissions": ["SELECT"],
                    "permissions_with_grant_options": ["SELECT"],
                    "table": {"catalog_id": CENTRAL, "database_name": "ar_curated", "name": "invoice_aging"},
                },
                LATER,
            )
        }
    )
