"""The bucket answers plain HTTP."""

from __future__ import annotations

from tests.policies.baseline import (
    BUCKET_POLICY,
    document,
    domain,
)

RULE = "lake-buckets-deny-plain-http"
RESOURCE = "lake"


def program() -> None:
    domain({"lake-policy": {"policy": document(BUCKET_POLICY[1])}})
