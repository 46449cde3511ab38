"""One wrong digit, and it is somebody else's account."""

from __future__ import annotations

from tests.policies.baseline import (
    domain,
)

RULE = "grants-stay-in-the-mesh"
RESOURCE = "account"


def program() -> None:
    domain({"account": {"principal": "444455556667"}})
