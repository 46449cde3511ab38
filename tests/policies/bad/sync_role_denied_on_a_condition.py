"""A denial that a condition undoes."""

from __future__ import annotations

from tests.policies.baseline import (
    GLUE,
    NEVER,
    central,
    document,
)

RULE = "the-sync-role-is-denied-data-and-grants"
RESOURCE = "sync"


def program() -> None:
    central(
        {
            "sync-policy": {
                "policy": document(
                    GLUE, {**NEVER, "Condition": {"StringNotEquals": {"aws:PrincipalTag/team": "platform"}}}
                )
            }
        }
    )
