"""A manifest that this pack cannot read."""

from __future__ import annotations

from typing import Any

from tests.policies.baseline import (
    operations,
)

RULE = "mesh-is-described"
RESOURCE = "lakemesh-test"


def mesh(document: dict[str, Any]) -> None:
    document["version"] = 2


def program() -> None:
    operations()
