"""The lake's bucket has no public access block."""

from __future__ import annotations

from tests.policies.baseline import (
    domain,
)

RULE = "lake-buckets-block-public-access"
RESOURCE = "lake"
REFERENCE = "https://www.upguard.com/breaches/verizon-cloud-leak"


def program() -> None:
    domain({"lake-private": None})
