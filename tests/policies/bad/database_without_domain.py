"""Nobody answers for the database."""

from __future__ import annotations

from tests.policies.baseline import (
    domain,
)

RULE = "databases-carry-domain-and-sensitivity"
RESOURCE = "twin"


def program() -> None:
    domain({"twin-domain": None})
