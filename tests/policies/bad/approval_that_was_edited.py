"""The entry was edited after its approver reviewed it."""

from __future__ import annotations

from tests.policies.baseline import (
    domain,
)

RULE = "approvals-are-verified"
RESOURCE = "account"
APPROVALS = {
    "ar-cash-application-finance-analytics": "edited after nadia.berger@acme.example reviewed it",
    "ar-invoice-finance-analytics": "verified",
    "ar-invoice-confidential-controller": "verified",
}


def program() -> None:
    domain()
