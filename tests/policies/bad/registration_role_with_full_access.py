"""AmazonS3FullAccess, for a start."""

from __future__ import annotations

import pulumi_aws as aws

from tests.policies.baseline import (
    BARE,
    domain,
)

RULE = "registration-roles-only-read"
RESOURCE = "full"


def program() -> None:
    domain(
        more={
            "full": (
                aws.iam.RolePolicyAttachment,
                {"role": "register-erp", "policy_arn": "arn:aws:iam::aws:policy/AmazonS3FullAccess"},
                BARE,
            )
        }
    )
