"""Everybody in the account, people and machines."""

from __future__ import annotations

from tests.policies.baseline import (
    CENTRAL,
    domain,
)

RULE = "grants-never-go-to-everybody"
RESOURCE = "direct"


def program() -> None:
    domain({"direct": {"principal": f"{CENTRAL}:IAMPrincipals"}})
