"""A principal is opted in, so others are not."""

from __future__ import annotations

import pulumi_aws as aws

from tests.policies.baseline import (
    BARE,
    CONTROLLER,
    domain,
)

RULE = "hybrid-access-is-an-exception"
RESOURCE = "opted-in"


def program() -> None:
    domain(
        more={
            "opted-in": (
                aws.lakeformation.OptIn,
                {
                    "principals": [{"data_lake_principal_identifier": CONTROLLER}],
                    "resource_datas": [{"database": {"name": "ar_curated"}}],
                },
                BARE,
            )
        }
    )
