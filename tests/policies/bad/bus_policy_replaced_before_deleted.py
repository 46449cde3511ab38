"""An event bus policy disappears when it is edited."""

from __future__ import annotations

from tests.policies.baseline import (
    BARE,
    operations,
)

RULE = "permissions-are-deleted-before-replaced"
RESOURCE = "bus"
REFERENCE = "https://github.com/pulumi/pulumi-aws/issues/2135"


def program() -> None:
    operations({"bus": {"opts": BARE}})
