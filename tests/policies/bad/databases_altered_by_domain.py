"""More than DESCRIBE on databases by tag."""

from __future__ import annotations

from tests.policies.baseline import (
    domain,
)

RULE = "tag-grants-name-sensitivity"
RESOURCE = "databases-by-domain"


def program() -> None:
    domain({"databases-by-domain": {"permissions": ["CREATE_TABLE", "DESCRIBE"]}})
