"""The stack defines a value that the declarations do not have."""

from __future__ import annotations

from tests.policies.baseline import (
    central,
)

RULE = "lf-tags-come-from-the-ontology"
RESOURCE = "sensitivity"


def program() -> None:
    central({"sensitivity": {"values": ["internal", "public", "top-secret"]}})
