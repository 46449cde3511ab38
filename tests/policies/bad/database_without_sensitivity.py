"""The database carries no sensitivity: every new column in it is readable by whoever may read its table."""

from __future__ import annotations

from tests.policies.baseline import (
    domain,
)

RULE = "databases-carry-domain-and-sensitivity"
RESOURCE = "twin"


def program() -> None:
    domain({"twin-sensitivity": None})
