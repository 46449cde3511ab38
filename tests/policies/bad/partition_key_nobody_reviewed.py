"""Columns are readable while the partition key, which cannot be restricted, is not reviewed."""

from __future__ import annotations

from tests.policies.baseline import (
    domain,
    tables,
)

RULE = "partition-keys-are-reviewed"
RESOURCE = "tags"
REFERENCE = "https://docs.aws.amazon.com/lake-formation/latest/dg/data-filtering-notes.html"


def program() -> None:
    domain({"tags": tables(posting_date={})})
