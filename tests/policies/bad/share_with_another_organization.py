"""A RAM share to another organization."""

from __future__ import annotations

from tests.policies.baseline import (
    central,
)

RULE = "ram-shares-stay-in-the-organization"
RESOURCE = "share-organization"


def program() -> None:
    central({"share-organization": {"principal": "arn:aws:organizations::999988887777:organization/o-zzzzzzzzzz"}})
