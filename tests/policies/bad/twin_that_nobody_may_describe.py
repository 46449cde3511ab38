"""The principal reads the tables and may not describe their database."""

from __future__ import annotations

from tests.policies.baseline import (
    consumer,
)

RULE = "grantees-may-describe-link-twin-and-default"
RESOURCE = "reads"


def program() -> None:
    consumer({"twin": None})
