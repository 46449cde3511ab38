"""glue:* includes deleting the catalog."""

from __future__ import annotations

import pulumi_aws as aws

from tests.policies.baseline import (
    BARE,
    central,
    document,
)

RULE = "policies-name-their-actions"
RESOURCE = "wide"


def program() -> None:
    central(
        more={
            "wide": (
                aws.iam.Policy,
                {"name": "wide", "policy": document({"Effect": "Allow", "Action": "glue:*", "Resource": "*"})},
                BARE,
            )
        }
    )
