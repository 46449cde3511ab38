"""A sensitivity that no grant will ever name, and no rule knows."""

from __future__ import annotations

from tests.policies.baseline import (
    domain,
)

RULE = "lf-tags-come-from-the-ontology"
RESOURCE = "columns"


def program() -> None:
    domain({"columns": {"lf_tag": {"key": "sensitivity", "value": "secret"}}})
