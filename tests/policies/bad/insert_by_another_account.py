"""Writing through a copy of an Iceberg table has destroyed the original's files."""

from __future__ import annotations

from tests.policies.baseline import (
    domain,
)

RULE = "write-permissions-never-cross-accounts"
RESOURCE = "direct"
REFERENCE = "https://github.com/apache/amoro/issues/4292"


def program() -> None:
    domain({"direct": {"permissions": ["INSERT", "SELECT"]}})
