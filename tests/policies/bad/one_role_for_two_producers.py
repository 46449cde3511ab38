"""One registration role reads the buckets of two producers."""

from __future__ import annotations

import pulumi_aws as aws

from tests.policies.baseline import (
    BARE,
    arn,
    domain,
)

RULE = "registration-roles-serve-one-producer"
RESOURCE = "other-producer"


def program() -> None:
    domain(
        more={
            "other-producer": (
                aws.lakeformation.Resource,
                {"arn": "arn:aws:s3:::acme-procurement-lake/raw", "role_arn": arn("role")},
                BARE,
            )
        }
    )
