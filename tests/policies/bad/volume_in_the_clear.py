"""A disk in the clear."""

from __future__ import annotations

from tests.policies.baseline import (
    operations,
)

RULE = "storage-is-encrypted"
RESOURCE = "volume"


def program() -> None:
    operations({"volume": {"encrypted": False}})
