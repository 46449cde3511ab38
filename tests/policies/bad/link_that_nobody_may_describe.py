"""A grant on the target says nothing of the link."""

from __future__ import annotations

from tests.policies.baseline import (
    consumer,
)

RULE = "grantees-may-describe-link-twin-and-default"
RESOURCE = "reads"


def program() -> None:
    consumer({"on-link": None})
