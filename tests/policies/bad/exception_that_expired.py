"""An exception that went on by habit."""

from __future__ import annotations

from typing import Any

from tests.policies.baseline import (
    domain,
)

RULE = "exceptions-hold"
RESOURCE = "lakemesh-test"
EXCEPTION = {
    "rule": "hybrid-access-is-an-exception",
    "resource": "erp-lake",
    "reason": "Migration of old jobs",
    "owner": "ines.moreau@acme.example",
    "expires": "2030-06-30",
}


def mesh(document: dict[str, Any]) -> None:
    document["exceptions"] = [{**EXCEPTION, "expires": "2026-01-31"}]


def program() -> None:
    domain()
