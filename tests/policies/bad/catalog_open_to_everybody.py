"""The resource policy of the catalog admits every account there is."""

from __future__ import annotations

from tests.policies.baseline import (
    document,
    producer,
)

RULE = "policies-name-their-principals"
RESOURCE = "catalog-policy"


def program() -> None:
    producer(
        {
            "catalog-policy": {
                "policy": document({"Effect": "Allow", "Principal": "*", "Action": "glue:GetTable", "Resource": "*"})
            }
        }
    )
