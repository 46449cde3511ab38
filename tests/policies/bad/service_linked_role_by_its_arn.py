"""The same, by its ARN."""

from __future__ import annotations

from tests.policies.baseline import (
    CENTRAL,
    domain,
)

RULE = "locations-use-a-registration-role"
RESOURCE = "location"


def program() -> None:
    domain(
        {
            "location": {
                "role_arn": f"arn:aws:iam::{CENTRAL}:role/aws-service-role/lakeformation.amazonaws.com/AWSServiceRoleForLakeFormationDataAccess"
            }
        }
    )
