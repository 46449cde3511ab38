"""The source declares a prefix; the whole bucket is registered."""

from __future__ import annotations

from tests.policies.baseline import (
    domain,
)

RULE = "locations-belong-to-a-producer"
RESOURCE = "location"


def program() -> None:
    domain({"location": {"arn": "arn:aws:s3:::acme-erp-lake"}})
