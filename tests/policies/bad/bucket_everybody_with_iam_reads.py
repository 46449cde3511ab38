"""Whoever has s3:GetObject in IAM reads the files past Lake Formation."""

from __future__ import annotations

from tests.policies.baseline import (
    BUCKET_POLICY,
    document,
    domain,
)

RULE = "lake-buckets-admit-named-roles-only"
RESOURCE = "lake"
REFERENCE = "https://securosis.com/blog/what-we-know-about-the-capital-one-data-breach/"


def program() -> None:
    domain({"lake-policy": {"policy": document(BUCKET_POLICY[0])}})
