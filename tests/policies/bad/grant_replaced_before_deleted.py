"""Create first, delete after: the delete revokes what was just granted."""

from __future__ import annotations

from tests.policies.baseline import (
    BARE,
    domain,
)

RULE = "permissions-are-deleted-before-replaced"
RESOURCE = "direct"
REFERENCE = "https://github.com/pulumi/pulumi-aws/issues/2009"


def program() -> None:
    domain({"direct": {"opts": BARE}})
