"""Nobody answers for the exception."""

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
    document["exceptions"] = [{**EXCEPTION, "owner": ""}]


def program() -> None:
    domain()
