"""Athena asks for DESCRIBE on default, and names another reason when it fails."""

from __future__ import annotations

from tests.policies.baseline import (
    consumer,
)

RULE = "grantees-may-describe-link-twin-and-default"
RESOURCE = "reads"
REFERENCE = "https://docs.aws.amazon.com/athena/latest/ug/lf-athena-limitations.html"


def program() -> None:
    consumer({"default": None})
