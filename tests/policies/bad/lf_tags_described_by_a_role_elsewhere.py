"""The same for a role of another account."""

from __future__ import annotations

from tests.policies.baseline import (
    CONTROLLER,
    domain,
)

RULE = "lf-tag-permissions-stay-in-the-account"
RESOURCE = "tag-lf-tag"


def program() -> None:
    domain({"tag-lf-tag": {"principal": CONTROLLER, "permissions": ["DESCRIBE"]}})
