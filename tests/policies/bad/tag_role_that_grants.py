"""The tag role holds permissions with grant option, and here IAM lets it use them."""

from __future__ import annotations

from tests.policies.baseline import (
    SETS_TAGS,
    central,
    document,
)

RULE = "the-tag-role-only-tags"
RESOURCE = "tag-policy"


def program() -> None:
    central(
        {
            "tag-policy": {
                "policy": document({**SETS_TAGS, "Action": [*SETS_TAGS["Action"], "lakeformation:GrantPermissions"]})
            }
        }
    )
