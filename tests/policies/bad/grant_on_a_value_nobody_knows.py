"""A grant on a domain that does not exist: whoever creates the value later gives the access."""

from __future__ import annotations

from tests.policies.baseline import (
    domain,
    expression,
)

RULE = "lf-tags-come-from-the-ontology"
RESOURCE = "databases-by-domain"


def program() -> None:
    domain({"databases-by-domain": {"lf_tag_policy": {**expression(domain=["hr"]), "resource_type": "DATABASE"}}})
