"""The sync could be made to read one producer for another."""

from __future__ import annotations

from tests.policies.baseline import (
    producer,
    trust,
)

RULE = "reader-roles-trust-the-sync-role-alone"
RESOURCE = "reader"
REFERENCE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html"


def program() -> None:
    producer({"reader": {"assume_role_policy": trust(**{"sts:ExternalId": None})}})
