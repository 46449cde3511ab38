"""NotAction allows everything else there is."""

from __future__ import annotations

from tests.policies.baseline import (
    document,
    producer,
)

RULE = "policies-name-their-actions"
RESOURCE = "partner"


def program() -> None:
    producer(
        {
            "partner": {
                "inline_policies": [
                    {"name": "wide", "policy": document({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"})}
                ]
            }
        }
    )
