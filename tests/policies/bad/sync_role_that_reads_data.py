"""The sync role owns every table it creates, and nothing denies it the data."""

from __future__ import annotations

from tests.policies.baseline import (
    GLUE,
    central,
    document,
)

RULE = "the-sync-role-is-denied-data-and-grants"
RESOURCE = "sync"
REFERENCE = "https://docs.aws.amazon.com/lake-formation/latest/dg/lf-permissions-reference.html"


def program() -> None:
    central({"sync-policy": {"policy": document(GLUE)}})
