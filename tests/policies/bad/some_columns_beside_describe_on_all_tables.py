"""The same, with DESCRIBE on every table of the database in another resource."""

from __future__ import annotations

import pulumi_aws as aws

from tests.policies.baseline import (
    CENTRAL,
    LATER,
    domain,
)

RULE = "column-filtered-select-never-beside-describe"
RESOURCE = "some-columns"


def program() -> None:
    domain(
        more={
            "describe-all": (
                aws.lakeformation.Permissions,
                {
                    "principal": f"arn:aws:iam::{CENTRAL}:role/RatesReader",
                    "permissions": ["DESCRIBE"],
                    "table": {"database_name": "ar_curated", "wildcard": True},
                },
                LATER,
            )
        }
    )
