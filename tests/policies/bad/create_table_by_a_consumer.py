"""A consumer that creates tables in the central catalog."""

from __future__ import annotations

from tests.policies.baseline import (
    PRODUCER,
    domain,
)

RULE = "write-permissions-never-cross-accounts"
RESOURCE = "sync-database"


def program() -> None:
    domain({"sync-database": {"principal": f"arn:aws:iam::{PRODUCER}:role/Loader", "permissions": ["CREATE_TABLE"]}})
