"""Any grant that is too wide changes the producer's data."""

from __future__ import annotations

from tests.policies.baseline import (
    document,
    domain,
)

RULE = "registration-roles-only-read"
RESOURCE = "role-policy"


def program() -> None:
    domain(
        {
            "role-policy": {
                "policy": document(
                    {
                        "Effect": "Allow",
                        "Action": ["s3:GetObject", "s3:PutObject"],
                        "Resource": ["arn:aws:s3:::acme-erp-lake/*"],
                    }
                )
            }
        }
    )
