"""A bucket that no producer of the mesh owns."""

from __future__ import annotations

import pulumi_aws as aws

from tests.policies.baseline import (
    BARE,
    CENTRAL,
    domain,
)

RULE = "locations-belong-to-a-producer"
RESOURCE = "location-2"


def program() -> None:
    domain(
        more={
            "location-2": (
                aws.lakeformation.Resource,
                {"arn": "arn:aws:s3:::somebody-elses-lake", "role_arn": f"arn:aws:iam::{CENTRAL}:role/register-other"},
                BARE,
            )
        }
    )
