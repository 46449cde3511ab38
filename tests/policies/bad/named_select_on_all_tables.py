"""SELECT on all tables of a database."""

from __future__ import annotations

import pulumi_aws as aws

from tests.policies.baseline import (
    CENTRAL,
    LATER,
    domain,
)

RULE = "named-select-never-reaches-sensitive-columns"
RESOURCE = "shortcut"


def program() -> None:
    domain(
        more={
            "shortcut": (
                aws.lakeformation.Permissions,
                {
                    "principal": f"arn:aws:iam::{CENTRAL}:role/Reporting",
                    "permissions": ["SELECT"],
                    "table": {"database_name": "general_ledger", "wildcard": True},
                },
                LATER,
            )
        }
    )
