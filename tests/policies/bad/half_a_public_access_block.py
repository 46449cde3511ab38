"""ACLs are blocked, public policies are not."""

from __future__ import annotations

from tests.policies.baseline import (
    domain,
)

RULE = "lake-buckets-block-public-access"
RESOURCE = "lake"


def program() -> None:
    domain({"lake-private": {"restrict_public_buckets": False}})
