"""The bucket does not say how it is encrypted."""

from __future__ import annotations

from tests.policies.baseline import (
    domain,
)

RULE = "storage-is-encrypted"
RESOURCE = "lake"


def program() -> None:
    domain({"lake-encryption": None})
