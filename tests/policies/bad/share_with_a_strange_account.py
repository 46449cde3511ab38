"""A RAM share to an account that is not of the mesh."""

from __future__ import annotations

from tests.policies.baseline import (
    central,
)

RULE = "ram-shares-stay-in-the-organization"
RESOURCE = "share-consumer"


def program() -> None:
    central({"share-consumer": {"principal": "999988887777"}})
