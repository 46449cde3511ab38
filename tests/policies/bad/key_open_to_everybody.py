"""Every account may decrypt."""

from __future__ import annotations

from tests.policies.baseline import (
    central,
    document,
)

RULE = "policies-name-their-principals"
RESOURCE = "key"


def program() -> None:
    central(
        {
            "key": {
                "policy": document(
                    {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:Decrypt", "Resource": "*"}
                )
            }
        }
    )
