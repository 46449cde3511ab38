"""Reading is denied, granting is not."""

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
                    GLUE,
                    {
                        **NEVER,
                        "Action": [action for action in NEVER["Action"] if action != "lakeformation:GrantPermissions"],
                    },
                )
            }
        }
    )
