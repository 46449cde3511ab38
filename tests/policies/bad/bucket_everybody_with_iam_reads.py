"""Whoever has s3:GetObject in IAM reads the files past Lake Formation."""

from __future__ import annotations

from tests.policies.baseline import (
    BUCKET_POLICY,
    document,
    domain,
)

RULE = "lake-buckets-admit-named-roles-only"
RESOURCE = "lake"
REFERENCE = "https://krebsonsecurity.com/2019/08/what-we-can-learn-from-the-capital-one-hack/"


def program() -> None:
    domain({"lake-policy": {"policy": document(BUCKET_POLICY[0])}})
