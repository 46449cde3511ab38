"""A stream in the clear."""

from __future__ import annotations

from tests.policies.baseline import (
    operations,
)

RULE = "storage-is-encrypted"
RESOURCE = "stream"


def program() -> None:
    operations({"stream": {"encryption_type": "NONE"}})
