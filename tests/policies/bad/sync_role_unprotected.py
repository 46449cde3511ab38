"""Made again under its name it would be another principal to Lake Formation."""

from __future__ import annotations

from tests.policies.baseline import (
    BARE,
    central,
)

RULE = "service-roles-are-protected"
RESOURCE = "sync"


def program() -> None:
    central({"sync": {"opts": BARE}})
