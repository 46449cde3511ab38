"""The lake's bucket has no public access block."""

from __future__ import annotations

from tests.policies.baseline import (
    domain,
)

RULE = "lake-buckets-block-public-access"
RESOURCE = "lake"
REFERENCE = "https://www.counterhack.co.uk/blog/verizon-data-leak/"


def program() -> None:
    domain({"lake-private": None})
